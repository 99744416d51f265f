"""A scenario as the engine uses it: every rule compiled, every pattern in one matcher, nothing to look up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from labs_mock.contract.dimensions import DIMENSIONS, Dimension, default_name
from labs_mock.ids import digest
from labs_mock.scenario import schema
from labs_mock.scenario.patterns import Patterns
from labs_mock.scenario.rules import Rule, Trigger
from labs_mock.scenario.tools import Tool
from labs_mock.scenario.vocabulary import Vocabulary
from labs_mock.text import normalise

SCORER_VERSION = "1"


@dataclass(frozen=True, slots=True)
class StateItem:
    """A known or hidden fact; `atom` is true in the turn in which it is revealed."""

    id: str
    atom: int
    hidden: bool
    reveal: str | None
    trigger: Trigger | None
    reply: str
    deflect: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Variant:
    """Something the persona may say, and what triggers it; without a trigger it always may."""

    trigger: Trigger | None
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a journey; `turns` is its longest length."""

    after_days: int
    reach_out: tuple[Variant, ...]
    turns: int | None
    trigger: Trigger | None


@dataclass(frozen=True, slots=True)
class Criterion:
    """A weighted rule: a metric, a best practice, a prohibition."""

    id: str
    weight: float
    rule: Rule
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Referral:
    """A `must_refer` entry of the scope."""

    id: str
    trigger: Rule
    rule: Rule
    within: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """A rubric criterion: its levels from the best score down."""

    id: str
    levels: tuple[tuple[float, str, Rule | None], ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A compiled scenario. Compare by `slug` and `version`; everything else follows from the file."""

    collection: str
    slug: str
    version: str
    scoring_version: str
    file: schema.ScenarioFile
    first_observation: str
    opening: str
    max_turns: int
    tools: dict[str, Tool]
    wire_tools: tuple[dict[str, Any], ...]

    items: tuple[StateItem, ...]
    rapport: Trigger | None
    rapport_needed: int
    replies: tuple[Variant, ...]
    sessions: tuple[Session, ...]

    metrics: dict[str, tuple[Criterion, ...]]
    critical: tuple[Trigger, ...]
    ladders: tuple[Ladder, ...]
    prohibited: tuple[Criterion, ...]
    referrals: tuple[Referral, ...]
    terminology: tuple[Criterion, ...]
    completed: Trigger | None

    dimensions: tuple[Dimension, ...]
    names: dict[Dimension, str]
    weights: dict[Dimension, float]
    operator_rules: dict[str, tuple[tuple[Rule | None, ...], ...]]

    vocabulary: Vocabulary
    said: Patterns
    heard: Patterns | None


def compile_scenario(collection: str, slug: str, file: schema.ScenarioFile) -> Scenario:
    """Compile a scenario file that has passed its checks."""
    words = Vocabulary()
    for item in file.state:
        words.item(item.id)
    criteria = file.criteria
    dimensions = defined_dimensions(file)
    tools = {tool.id: Tool.of(tool) for tool in file.tools}
    failures = tuple(
        Criterion(metric.id, metric.weight, words.compile(metric.when), metric.critical)
        for metric in criteria.failure_metrics
    )
    version = digest(
        orjson.dumps([collection, slug, file.model_dump(mode="json", by_alias=True)], option=orjson.OPT_SORT_KEYS)
    )
    return Scenario(
        collection=collection,
        slug=slug,
        version=version,
        scoring_version=f"{SCORER_VERSION}-{version}",
        file=file,
        first_observation=_first_observation(file),
        opening=normalise(_first_observation(file)),
        max_turns=file.max_turns,
        tools=tools,
        wire_tools=tuple(tool.wire for tool in tools.values()),
        items=tuple(_item(item, words) for item in file.state),
        rapport=words.trigger(file.rapport.when if file.rapport else None, persona=True),
        rapport_needed=0 if file.rapport is None else file.rapport.needed,
        replies=tuple(
            Variant(words.trigger(reply.when, persona=True), reply.reply)
            for reply in (file.persona.replies if file.persona else ())
        ),
        sessions=tuple(_session(session, words) for session in file.sessions),
        metrics={
            "success_metrics": _criteria(criteria.success_metrics, words),
            "failure_metrics": failures,
            "best_practices": _criteria(criteria.best_practices, words),
        },
        critical=tuple(Trigger.of(metric.rule) for metric in failures if metric.critical),
        ladders=tuple(_ladder(row, words) for rubric in criteria.rubrics for row in rubric.criteria),
        prohibited=tuple(Criterion(entry.id, 1.0, words.compile(entry.when)) for entry in criteria.scope.prohibited),
        referrals=tuple(
            Referral(entry.id, words.compile(entry.trigger), words.compile(entry.when), entry.within_turns)
            for entry in criteria.scope.must_refer
        ),
        terminology=tuple(
            Criterion(entry.use, 1.0, words.compile(schema.Rule(says=entry.instead_of)))
            for entry in criteria.terminology
        ),
        completed=_completed(file, words),
        dimensions=dimensions,
        names={dimension: file.scoring.names.get(dimension) or default_name(dimension) for dimension in dimensions},
        weights=_weights(file, dimensions),
        operator_rules=_operator_rules(file, words),
        vocabulary=words,
        said=Patterns(words.said, words.expressions),
        heard=Patterns(words.heard, ()) if words.heard else None,
    )


def defined_dimensions(file: schema.ScenarioFile) -> tuple[Dimension, ...]:
    """The dimensions that a scenario defines, in their order (RC-5)."""
    criteria = file.criteria
    defined: dict[Dimension, Sequence[object]] = {
        "success_metrics": criteria.success_metrics,
        "failure_metrics": criteria.failure_metrics,
        "best_practices": criteria.best_practices,
        "rubrics": criteria.rubrics,
        "discovery": file.state,
        "output_similarity": [output for output in criteria.outputs if output.exemplar is not None],
        "decision_match": [output for output in criteria.outputs if output.expected is not None],
    }
    return tuple(dimension for dimension in DIMENSIONS if defined[dimension])


def _first_observation(file: schema.ScenarioFile) -> str:
    if file.persona is not None:
        return file.persona.opening
    documents = [f"{document.title}\n{document.text}" for document in file.documents]
    return "\n\n".join([file.briefing or "", *documents])


def _item(item: schema.StateItem, words: Vocabulary) -> StateItem:
    return StateItem(
        id=item.id,
        atom=words.item(item.id),
        hidden=item.kind == "hidden",
        reveal=item.reveal,
        trigger=words.trigger(item.when, persona=True),
        reply=item.reply,
        deflect=item.deflect,
        weight=item.weight,
    )


def _session(session: schema.Session, words: Vocabulary) -> Session:
    ends = session.ends or schema.Ends()
    return Session(
        after_days=session.after_days,
        reach_out=tuple(Variant(words.trigger(say.when, persona=True), say.say) for say in session.reach_out),
        turns=ends.turns,
        trigger=words.trigger(ends.when, persona=True),
    )


def _criteria(metrics: list[schema.Metric], words: Vocabulary) -> tuple[Criterion, ...]:
    return tuple(Criterion(metric.id, metric.weight, words.compile(metric.when)) for metric in metrics)


def _ladder(row: schema.RubricCriterion, words: Vocabulary) -> Ladder:
    levels = [
        (level.score, level.label, None if level.when is None else words.compile(level.when)) for level in row.levels
    ]
    return Ladder(row.id, tuple(sorted(levels, key=lambda level: -level[0])))


def _completed(file: schema.ScenarioFile, words: Vocabulary) -> Trigger | None:
    """A decision task that says nothing else is completed once every tool has been called."""
    if file.completed is not None:
        return words.trigger(file.completed.when)
    if file.shape != "decision_task" or not file.tools:
        return None
    calls = [schema.Rule(calls=schema.CallPattern(tool=tool.id)) for tool in file.tools]
    return words.trigger(schema.Rule(all=calls))


def _weights(file: schema.ScenarioFile, dimensions: tuple[Dimension, ...]) -> dict[Dimension, float]:
    given = file.scoring.weights
    if given is None:
        return dict.fromkeys(dimensions, 1.0)
    return {dimension: weight for dimension in dimensions if (weight := given.get(dimension, 0.0))}


def _operator_rules(file: schema.ScenarioFile, words: Vocabulary) -> dict[str, tuple[tuple[Rule | None, ...], ...]]:
    """For each simulated operator and turn, the rules of its parts; None where a part has none."""
    return {
        name: tuple(
            tuple(words.compile(part.when) if isinstance(part, schema.Choice) else None for part in turn.parts)
            for turn in operator.says
        )
        for name, operator in file.operators.items()
    }
