"""What good looks like in a scenario, compiled."""

from collections.abc import Sequence
from dataclasses import dataclass

from labs_mock.scenario.files import schema
from labs_mock.scenario.rules.algebra import Rule
from labs_mock.scenario.rules.operators import CallPattern, RuleCompiler, RuleFile
from labs_mock.scenario.rules.rulebook import Rulebook


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
    """A rubric criterion: its levels (score, label, rule) from the best score down."""

    id: str
    levels: tuple[tuple[float, str, Rule | None], ...]


@dataclass(frozen=True, slots=True)
class Criteria:
    """Everything that is scored or gated by rules, and what ends an episode.

    `rules` has the rules of which it counts whether they hold at the last turn, `endings` those that are evaluated at every
    turn; `requires` must have held at some turn before anything is rewarded (RC-6).
    """

    success_metrics: tuple[Criterion, ...]
    failure_metrics: tuple[Criterion, ...]
    best_practices: tuple[Criterion, ...]
    ladders: tuple[Ladder, ...]
    prohibited: tuple[Criterion, ...]
    referrals: tuple[Referral, ...]
    terminology: tuple[Criterion, ...]
    exemplars: tuple[schema.Output, ...]
    decisions: tuple[schema.Output, ...]
    critical: tuple[Rule, ...]
    completed: Rule | None
    requires: Rule | None
    rules: Rulebook
    endings: Rulebook


def compile_criteria(file: schema.ScenarioFile, rules: RuleCompiler) -> Criteria:
    """Compile the criteria of a checked file."""
    parts = file.criteria
    success, practices = _metrics(parts.success_metrics, rules), _metrics(parts.best_practices, rules)
    failures = tuple(
        Criterion(metric.id, metric.weight, rules.compile(metric.when), metric.critical)
        for metric in parts.failure_metrics
    )
    ladders = tuple(_ladder(row, rules) for rubric in parts.rubrics for row in rubric.criteria)
    prohibited = tuple(Criterion(entry.id, 1.0, rules.compile(entry.when)) for entry in parts.scope.prohibited)
    terminology = tuple(
        Criterion(entry.use, 1.0, rules.compile(RuleFile(says=entry.instead_of))) for entry in parts.terminology
    )
    levels = [rule for ladder in ladders for _, _, rule in ladder.levels if rule is not None]
    critical = tuple(metric.rule for metric in failures if metric.critical)
    completed = _completed(file, rules)
    return Criteria(
        success_metrics=success,
        failure_metrics=failures,
        best_practices=practices,
        ladders=ladders,
        prohibited=prohibited,
        referrals=tuple(
            Referral(entry.id, rules.compile(entry.trigger), rules.compile(entry.when), entry.within_turns)
            for entry in parts.scope.must_refer
        ),
        terminology=terminology,
        exemplars=tuple(output for output in parts.outputs if output.exemplar is not None),
        decisions=tuple(output for output in parts.outputs if output.expected is not None),
        critical=critical,
        completed=completed,
        requires=rules.compile_optional(file.scoring.requires),
        rules=Rulebook([*(one.rule for one in (*success, *failures, *practices, *prohibited, *terminology)), *levels]),
        endings=Rulebook([*critical, *([] if completed is None else [completed])]),
    )


def _metrics(metrics: Sequence[schema.Metric], rules: RuleCompiler) -> tuple[Criterion, ...]:
    return tuple(Criterion(metric.id, metric.weight, rules.compile(metric.when)) for metric in metrics)


def _ladder(row: schema.RubricCriterion, rules: RuleCompiler) -> Ladder:
    levels = [(level.score, level.label, rules.compile_optional(level.when)) for level in row.levels]
    return Ladder(row.id, tuple(sorted(levels, key=lambda level: -level[0])))


def _completed(file: schema.ScenarioFile, rules: RuleCompiler) -> Rule | None:
    """A decision task without `completed` is completed once every tool has been called."""
    if file.completed is not None:
        return rules.compile(file.completed.when)
    if file.shape != "decision_task" or not file.tools:
        return None
    calls = [RuleFile(calls=CallPattern(tool=tool.id)) for tool in file.tools]
    return rules.compile(RuleFile(all=calls))
