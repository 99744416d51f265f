"""What is wrong with the rules of a scenario beyond its schema, and what can be loaded and was hardly meant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs_mock.scenario.files.paths import Mistake, Steps, find, mappings, texts
from labs_mock.scenario.rules.nesting import is_negative, nested_rules, operands
from labs_mock.scenario.rules.operators import OPERATORS, RuleContext, check_phrases


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Where a scenario has rules, as a pattern of `find`; do they have to match a turn, and are they the persona's."""

    pattern: str
    must_match: bool = False
    of_persona: bool = False


RULE_PLACES = (
    RulePlace("persona.replies.*.when", must_match=True, of_persona=True),
    RulePlace("state.*.when", must_match=True, of_persona=True),
    RulePlace("rapport.when", must_match=True, of_persona=True),
    RulePlace("sessions.*.ends.when", must_match=True, of_persona=True),
    RulePlace("sessions.*.reach_out.*.when", must_match=True, of_persona=True),
    RulePlace("completed.when", must_match=True),
    RulePlace("criteria.success_metrics.*.when"),
    RulePlace("criteria.failure_metrics.*.when"),
    RulePlace("criteria.best_practices.*.when"),
    RulePlace("criteria.rubrics.*.criteria.*.levels.*.when"),
    RulePlace("criteria.scope.prohibited.*.when"),
    RulePlace("criteria.scope.must_refer.*.trigger", must_match=True),
    RulePlace("criteria.scope.must_refer.*.when", must_match=True),
    RulePlace("scoring.requires"),
    RulePlace("operators.*.says.*.*.when"),
    RulePlace("operators.*.says.*.parts.*.when"),
)


def check_rules(data: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes in all rules of a scenario file."""
    contexts = {of_persona: _context(data, of_persona) for of_persona in (False, True)}
    for place in RULE_PLACES:
        for path, rule in find(data, place.pattern):
            yield from _check_rule(contexts[place.of_persona], path, rule)
            if place.must_match and is_negative(rule):
                yield Mistake(path, "a rule of nothing but 'not' cannot say when", _BESIDE)
    for path, metric in mappings(data, "criteria.failure_metrics.*"):
        if metric.get("critical") is True and is_negative(metric.get("when")):
            yield Mistake((*path, "when"), "a critical rule of nothing but 'not' would end every episode", _BESIDE)
    for path, phrases in find(data, "criteria.terminology.*.instead_of"):
        yield from check_phrases(path, phrases)


_BESIDE = "expected something that happens beside it"


def slow_rules(data: dict[str, Any]) -> Iterator[Mistake]:
    """Warnings of rules that slow every message down."""
    for path, key, operand in _all_operands(data):
        yield from OPERATORS[key].warn(path, operand)


def impossible_rules(data: dict[str, Any], inputs: Mapping[str, Any]) -> Iterator[Mistake]:
    """Warnings of rules in a scenario without mistakes that match nothing, by the JSON Schemas of the tools' inputs."""
    for path, key, operand in _all_operands(data):
        yield from OPERATORS[key].impossible(inputs, path, operand)


def _all_operands(data: dict[str, Any]) -> Iterator[tuple[Steps, str, Any]]:
    for place in RULE_PLACES:
        for path, rule in find(data, place.pattern):
            yield from operands(rule, path)


def _context(data: dict[str, Any], of_persona: bool) -> RuleContext:
    tools = [tool for _, tool in mappings(data, "tools.*") if isinstance(tool.get("id"), str)]
    return RuleContext(
        items=dict.fromkeys(name for _, name in texts(data, "state.*.id")),
        tools={tool["id"]: _options(tool) for tool in tools},
        has_persona=data.get("shape") != "decision_task",
        of_persona=of_persona,
    )


def _options(tool: dict[str, Any]) -> dict[str, None] | None:
    """The options of a tool, to be looked up in constant time; None for one that has none."""
    options = tool.get("options")
    if tool.get("mode") != "options" or not isinstance(options, list):
        return None
    return dict.fromkeys(option for option in options if isinstance(option, str))


def _check_rule(context: RuleContext, path: Steps, rule: Any) -> Iterator[Mistake]:
    if not isinstance(rule, dict):
        return
    keys = [key for key in rule if key in OPERATORS]
    if not keys:
        only = "'turns' stands alone" if "turns" in rule else "a rule without a condition"
        yield Mistake(path, only, f"expected exactly one of: {', '.join(OPERATORS)}")
    for extra in keys[1:]:
        yield Mistake(
            (*path, extra), f"'{extra}' beside '{keys[0]}'", "expected one; put both into 'all' or 'any'", True
        )
    for key in keys:
        yield from _check_operand(context, (*path, key), key, rule[key])
    yield from _check_range((*path, "turns"), rule.get("turns"))


def _check_operand(context: RuleContext, path: Steps, key: str, operand: Any) -> Iterator[Mistake]:
    operator = OPERATORS[key]
    if operator.phrases:
        yield from check_phrases(path, operand)
    yield from operator.check(context, path, operand)
    for steps, child in nested_rules(key, operand):
        yield from _check_rule(context, (*path, *steps), child)


def _check_range(path: Steps, turns: Any) -> Iterator[Mistake]:
    if not isinstance(turns, dict):
        return
    first, final = turns.get("at_least", 1), turns.get("at_most")
    if "at_least" not in turns and "at_most" not in turns:
        yield Mistake(path, "a range without ends", "expected at_least, at_most or both")
    if isinstance(first, int) and isinstance(final, int) and first > final:
        yield Mistake(path, f"no turn is at least {first} and at most {final}", "expected at_least <= at_most")
