"""The file format: frozen models of every file, from which the printed JSON Schemas come too.

Defaults that are models are constructed and not validated: to validate one would build the validator of each of them on its own.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from labs_mock.contract.dimensions import Dimension
from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.files.fields import (
    FileModel,
    Id,
    LongText,
    Phrases,
    Share,
    Text,
    TurnNumber,
    Weight,
)
from labs_mock.scenario.files.operator_schema import Operator
from labs_mock.scenario.rules.operators import RuleFile


class Identity(FileModel):
    """Who the persona is; for readers and the control plane, never sent to clients."""

    model_config = ConfigDict(extra="allow")

    name: Text


class CannedReply(FileModel):
    """Small talk: the first one whose rule matches is the reply."""

    when: RuleFile
    reply: Text


class PersonaFile(FileModel):
    """The simulated person."""

    identity: Identity
    opening: Text
    replies: list[CannedReply] = []
    fallback: Annotated[list[Text], Field(min_length=1)]


class StateItemFile(FileModel):
    """A fact that the conversation can bring to light."""

    id: Id
    fact: Text
    kind: Literal["known", "hidden"] = "known"
    reveal: Literal["volunteered", "direct_question", "rapport_required"] | None = None
    when: RuleFile | None = None
    reply: Text
    deflect: Text | None = None
    weight: Weight = 1.0


class Rapport(FileModel):
    """Rapport exists once the rule has matched `needed` turns."""

    when: RuleFile
    needed: TurnNumber = 1


class ToolFile(FileModel):
    """A tool of the operator: an artifact to produce or a decision to take."""

    id: Id
    type: Literal["artifact", "decision"]
    name: Text
    mode: Literal["json_schema", "options"]
    description: Text | None = None
    json_schema: dict[str, Any] | None = None
    options: Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(min_length=1)] | (
        None
    ) = None


class Metric(FileModel):
    """A success metric or a best practice."""

    id: Id
    text: Text
    weight: Weight = 1.0
    when: RuleFile


class FailureMetric(Metric):
    """A failure metric; a critical one makes the reward 0 and ends the episode."""

    critical: bool = False


class Level(FileModel):
    """A level of a rubric criterion; without `when` it always holds."""

    label: Text
    score: Share
    when: RuleFile | None = None


class RubricCriterion(FileModel):
    """One row of a rubric: its best level that holds counts."""

    id: Id
    text: Text | None = None
    levels: Annotated[list[Level], Field(min_length=1)]


class Rubric(FileModel):
    """A named group of rubric criteria."""

    name: Text
    criteria: Annotated[list[RubricCriterion], Field(min_length=1)]


class Prohibition(FileModel):
    """What an operator of this role must not do."""

    id: Id
    text: Text | None = None
    when: RuleFile


class ReferralFile(FileModel):
    """After the trigger, `when` must follow within so many turns."""

    id: Id
    text: Text | None = None
    trigger: RuleFile
    when: RuleFile
    within_turns: Annotated[int, Field(ge=0, le=MAX_TURNS)] = 1


class Scope(FileModel):
    """Scope boundaries: the first half of the safety gate."""

    prohibited: list[Prohibition] = []
    must_refer: list[ReferralFile] = []


class Term(FileModel):
    """Terminology: the second half of the safety gate."""

    use: Text
    instead_of: Phrases


class Output(FileModel):
    """What a tool's last call should be like: an exemplar, or an expected option."""

    tool: Id
    exemplar: Annotated[dict[str, Any], Field(min_length=1)] | None = None
    expected: str | None = None


class CriteriaFile(FileModel):
    """What good looks like; nothing of it ever leaves `/api/v1` (NEVER-1)."""

    success_metrics: list[Metric] = []
    failure_metrics: list[FailureMetric] = []
    best_practices: list[Metric] = []
    rubrics: list[Rubric] = []
    scope: Scope = Scope.model_construct()
    terminology: list[Term] = []
    outputs: list[Output] = []


class Completed(FileModel):
    """The rule that completes the episode."""

    when: RuleFile


class GateFile(FileModel):
    """The factor by which each kind of violation multiplies the reward."""

    prohibited: Share = 0.0
    must_refer: Share = 0.5
    terminology: Share = 0.9


class Scoring(FileModel):
    """Weights and names of the dimensions, the gate, and the rule before which nothing is rewarded (RC-6)."""

    weights: dict[Dimension, Share] | None = None
    names: dict[Dimension, Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]+$", max_length=80)]] = {}
    gate: GateFile = GateFile.model_construct()
    requires: RuleFile | None = Field(None, description="Until this rule has held at some turn, the reward is 0.")


class Ends(FileModel):
    """When a session ends, beside a silent turn."""

    turns: TurnNumber | None = None
    when: RuleFile | None = None


class ReachOut(FileModel):
    """A variant of the persona's message after a time skip."""

    when: RuleFile | None = None
    say: Text


class SessionFile(FileModel):
    """One session of a journey, so many days after its start."""

    after_days: Annotated[int, Field(ge=0, le=3_650)]
    reach_out: list[ReachOut] = []
    ends: Ends | None = None


class DocumentFile(FileModel):
    """A document of a decision task."""

    title: Text
    text: LongText


class ScenarioFile(FileModel):
    """`<collection>/<scenario>.yaml`."""

    name: Text
    description: Text
    shape: Literal["decision_task", "conversation", "journey"]
    difficulty: Literal["easy", "medium", "hard"]
    max_turns: TurnNumber = MAX_TURNS
    invalid_tool_call: Literal["error", "score"] = "error"
    briefing: LongText | None = None
    documents: list[DocumentFile] = []
    persona: PersonaFile | None = None
    state: list[StateItemFile] = []
    rapport: Rapport | None = None
    tools: list[ToolFile] = []
    sessions: list[SessionFile] = []
    closing: Text | None = None
    criteria: CriteriaFile = CriteriaFile.model_construct()
    completed: Completed | None = None
    scoring: Scoring = Scoring.model_construct()
    operators: dict[Id, Operator] = {}


class CollectionFile(FileModel):
    """`<collection>/collection.yaml`."""

    name: Text
    description: Text
