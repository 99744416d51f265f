"""The file format: frozen models of every file, from which the printed JSON Schemas come too."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, StringConstraints, Tag

from labs_mock.contract.dataset_status import StatusName
from labs_mock.contract.dimensions import Dimension
from labs_mock.contract.limits import MAX_TURNS, UUID
from labs_mock.scenario.files.fields import (
    FileModel,
    Id,
    LongText,
    Phrases,
    ScenarioName,
    Share,
    Text,
    TurnNumber,
    Weight,
)
from labs_mock.scenario.rules.operators import RuleFile

# Parts of a scenario


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
    scope: Scope = Scope()
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
    gate: GateFile = GateFile()
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


# Simulated operators


class Choice(FileModel):
    """A part that is said only when a rule holds over the conversation so far."""

    when: RuleFile
    say: Text | Annotated[list[Text], Field(min_length=1)]


class Call(FileModel):
    """A tool call."""

    call: Id
    input: dict[str, Any]


class Silence(FileModel):
    """Deliberate silence; it is the whole turn."""

    silent: Literal[True]


def _part_kind(value: Any) -> str:
    if isinstance(value, list):
        return "(choices)"
    if not isinstance(value, dict | BaseModel):
        return "(text)"
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "(call)" if "call" in keys else "(silence)" if "silent" in keys else "(choice)"


Part = Annotated[
    Annotated[Text, Tag("(text)")]
    | Annotated[Annotated[list[Text], Field(min_length=1)], Tag("(choices)")]
    | Annotated[Call, Tag("(call)")]
    | Annotated[Silence, Tag("(silence)")]
    | Annotated[Choice, Tag("(choice)")],
    Discriminator(_part_kind),
]


class OperatorTurn(FileModel):
    """One turn of a simulated operator."""

    parts: Annotated[list[Part], Field(min_length=1)]
    thinking: LongText | None = None


def _short_turn(value: Any) -> Any:
    if isinstance(value, str):
        return {"parts": [value]}
    return {"parts": value} if isinstance(value, list) else value


Turn = Annotated[OperatorTurn, BeforeValidator(_short_turn, json_schema_input_type=Text | list[Part] | OperatorTurn)]


class Operator(FileModel):
    """A simulated operator: what it says, one entry a turn."""

    agent_template_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    says: Annotated[list[Turn], Field(min_length=1, max_length=MAX_TURNS)]


# Files


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
    criteria: CriteriaFile = CriteriaFile()
    completed: Completed | None = None
    scoring: Scoring = Scoring()
    operators: dict[Id, Operator] = {}


class CollectionFile(FileModel):
    """`<collection>/collection.yaml`."""

    name: Text
    description: Text


class StageFile(FileModel):
    """A stage of a dataset's lifecycle; the last one is final and has neither polls nor seconds."""

    status: StatusName
    polls: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seconds: Annotated[float, Field(gt=0, le=1e9)] | None = None
    row_count: Annotated[int, Field(ge=0)] | None = None
    message: Text | None = None
    error: Text | None = None


class AtLeast(FileModel):
    """A lower bound."""

    at_least: Share


class Keep(FileModel):
    """Which rollouts become rows."""

    quality_score: AtLeast | None = None
    complexity_score: AtLeast | None = None


class Generate(FileModel):
    """Rows made by simulated operators."""

    scenario: ScenarioName
    operators: Annotated[list[Id], Field(min_length=1)]
    count: Annotated[int, Field(ge=1, le=10_000_000)]
    temperatures: Annotated[list[Annotated[float, Field(ge=0, le=2)]], Field(min_length=1)] = [1.0]
    keep: Keep = Keep()


class Rows(FileModel):
    """Where rows come from: exactly one of the three."""

    generate: Generate | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    inline: Annotated[list[dict[str, Any]], Field(min_length=1)] | None = None


class DatasetFile(FileModel):
    """`datasets/<any>.yaml`."""

    id: Annotated[str, StringConstraints(pattern=UUID)]
    name: Text
    lifecycle: Annotated[list[StageFile], Field(min_length=1)]
    rows: Rows | None = None
