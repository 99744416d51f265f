"""What is wrong with the rules of a scenario, beyond what its schema says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labs_mock.scenario.files.paths import Hint, Mistake, Steps, find, mappings, texts
from labs_mock.scenario.files.schema import RuleFile
from labs_mock.scenario.rules.patterns import expression_error, remedy
from labs_mock.text import normalise

OPERATORS = tuple(field.alias or name for name, field in RuleFile.model_fields.items() if name != "turns")


@dataclass(frozen=True, slots=True)
class Place:
    """Where rules stand: do they have to yield at a turn, and are they the persona's."""

    pattern: str
    yields: bool = False
    persona: bool = False


PLACES = (
    Place("persona.replies.*.when", yields=True, persona=True),
    Place("state.*.when", yields=True, persona=True),
    Place("rapport.when", yields=True, persona=True),
    Place("sessions.*.ends.when", yields=True, persona=True),
    Place("sessions.*.reach_out.*.when", yields=True, persona=True),
    Place("completed.when", yields=True),
    Place("criteria.success_metrics.*.when"),
    Place("criteria.failure_metrics.*.when"),
    Place("criteria.best_practices.*.when"),
    Place("criteria.rubrics.*.criteria.*.levels.*.when"),
    Place("criteria.scope.prohibited.*.when"),
    Place("criteria.scope.must_refer.*.trigger", yields=True),
    Place("criteria.scope.must_refer.*.when", yields=True),
    Place("scoring.requires"),
    Place("operators.*.says.*.*.when"),
    Place("operators.*.says.*.parts.*.when"),
)


_BESIDE = "expected something that happens beside it"


def check_rules(data: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes in all rules of a scenario file."""
    checker = _Checker(
        items=dict.fromkeys(name for _, name in texts(data, "state.*.id")),
        options={
            tool["id"]: _words(tool.get("options")) if tool.get("mode") == "options" else None
            for _, tool in mappings(data, "tools.*")
            if isinstance(tool.get("id"), str)
        },
        has_persona=data.get("shape") != "decision_task",
    )
    for place in PLACES:
        for path, rule in find(data, place.pattern):
            yield from checker.rule(path, rule, place)
            if place.yields and is_negative(rule):
                yield Mistake(path, "a rule of nothing but 'not' cannot say when", _BESIDE)
    for path, metric in mappings(data, "criteria.failure_metrics.*"):
        if metric.get("critical") is True and is_negative(metric.get("when")):
            yield Mistake((*path, "when"), "a critical rule of nothing but 'not' would end every episode", _BESIDE)
    for path, phrase in texts(data, "criteria.terminology.*.instead_of.*"):
        yield from _check_phrase(path, phrase)


def _words(value: Any) -> dict[str, None] | None:
    """The texts of a list, to be looked up in constant time; None for what is no list."""
    return dict.fromkeys(word for word in value if isinstance(word, str)) if isinstance(value, list) else None


def is_negative(rule: Any) -> bool:
    """Whether a rule is `not`, or an `all` or `any` of nothing but such rules."""
    if not isinstance(rule, dict) or "turns" in rule:
        return False
    children = rule.get("all", rule.get("any"))
    if isinstance(children, list) and children:
        return all(is_negative(child) for child in children)
    return "not" in rule


@dataclass(frozen=True, slots=True)
class _Checker:
    items: dict[str, None]
    options: dict[str, dict[str, None] | None]
    has_persona: bool

    def rule(self, path: Steps, rule: Any, place: Place) -> Iterator[Mistake]:
        if not isinstance(rule, dict):
            return
        operators = [key for key in rule if key in OPERATORS]
        if not operators:
            only = "'turns' stands alone" if "turns" in rule else "a rule without a condition"
            yield Mistake(path, only, f"expected exactly one of: {', '.join(OPERATORS)}")
        for extra in operators[1:]:
            yield Mistake(
                (*path, extra), f"'{extra}' beside '{operators[0]}'", "expected one; put both into 'all' or 'any'", True
            )
        for operator in operators:
            yield from self.operand((*path, operator), operator, rule[operator], place)
        yield from self.turn_range((*path, "turns"), rule.get("turns"))

    def operand(self, path: Steps, operator: str, value: Any, place: Place) -> Iterator[Mistake]:
        if operator in ("any", "all", "then") and isinstance(value, list):
            for index, child in enumerate(value):
                yield from self.rule((*path, index), child, place)
        elif operator == "not":
            yield from self.rule(path, value, place)
        elif operator == "count" and isinstance(value, dict):
            yield from self.rule((*path, "of"), value.get("of"), place)
        elif operator in ("says", "says_all", "heard") and isinstance(value, list):
            for index, phrase in enumerate(value):
                yield from _check_phrase((*path, index), phrase)
        else:
            yield from self.reference(path, operator, value)
        if operator == "heard" and (place.persona or not self.has_persona):
            why = "a persona rule cannot depend on the answer" if self.has_persona else "a decision task has no persona"
            yield Mistake(
                path, f"'heard' is not possible here: {why}", "expected a rule on what the operator does", True
            )

    def reference(self, path: Steps, operator: str, value: Any) -> Iterator[Mistake]:
        if operator == "matches" and isinstance(value, str) and (error := expression_error(value)):
            yield Mistake(path, f"not an RE2 expression: {error}", remedy(error))
        elif operator == "discovered" and isinstance(value, str) and value not in self.items:
            yield Mistake(path, f"unknown state item '{value}'", Hint(value, self.items))
        elif operator == "calls":
            for place, tool in [*texts(value, "tool"), *([((), value)] if isinstance(value, str) else [])]:
                yield from self.tool((*path, *place), tool)
        elif operator == "decides" and isinstance(value, dict):
            for tool, option in value.items():
                yield from self.decision(path, tool, option)

    def tool(self, path: Steps, tool: str) -> Iterator[Mistake]:
        if tool not in self.options:
            yield Mistake(path, f"unknown tool '{tool}'", Hint(tool, self.options))

    def decision(self, path: Steps, tool: str, option: Any) -> Iterator[Mistake]:
        options = self.options.get(tool)
        if tool not in self.options:
            yield from self.tool((*path, tool), tool)
        elif options is None:
            yield Mistake((*path, tool), f"the tool '{tool}' has no options", "expected a tool whose mode is options")
        elif isinstance(option, str) and option not in options:
            yield Mistake((*path, tool), f"'{tool}' has no option '{option}'", Hint(option, options))

    def turn_range(self, path: Steps, value: Any) -> Iterator[Mistake]:
        if not isinstance(value, dict):
            return
        first, final = value.get("at_least", 1), value.get("at_most")
        if "at_least" not in value and "at_most" not in value:
            yield Mistake(path, "a range without ends", "expected at_least, at_most or both")
        if isinstance(first, int) and isinstance(final, int) and first > final:
            yield Mistake(path, f"no turn is at least {first} and at most {final}", "expected at_least <= at_most")


def _check_phrase(path: Steps, phrase: Any) -> Iterator[Mistake]:
    if isinstance(phrase, str) and phrase and not normalise(phrase):
        yield Mistake(path, "a phrase of nothing but white space", "expected a word")


_WIDE = re.compile(r"[.\])]\{\d*,?(\d{2,})\}")


def check_doubts(data: dict[str, Any]) -> Iterator[Mistake]:
    """What is allowed and probably not meant: slow expressions, alternatives that are all said, texts cut at commas."""
    for place in PLACES:
        for path, rule in find(data, place.pattern):
            yield from _wide_gaps(path, rule)
    for pattern in ("operators.*.says.*", "operators.*.says.*.parts"):
        for path, parts in find(data, pattern):
            if isinstance(parts, list) and sum(isinstance(part, str) for part in parts) > 1:
                yield Mistake(
                    path, "texts side by side are all said", "for alternatives put them into a list of their own"
                )

    for path, schema in find(data, "tools.*.json_schema"):
        yield from _cut_texts(path, schema)


def _cut_texts(path: Steps, schema: Any) -> Iterator[Mistake]:
    children = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    for step, child in children:
        if child is None and isinstance(step, str) and step not in ("const", "default"):
            yield Mistake((*path, step), f"'{step}' has no value", "quote a text that has a comma in it", True)
        yield from _cut_texts((*path, step), child)


def _wide_gaps(path: Steps, rule: Any) -> Iterator[Mistake]:
    children = rule.items() if isinstance(rule, dict) else enumerate(rule) if isinstance(rule, list) else ()
    for step, child in children:
        if step == "matches" and isinstance(child, str) and _WIDE.search(child):
            yield Mistake((*path, step), "a wide gap makes every message slower to read", "narrow it, or use phrases")
        yield from _wide_gaps((*path, step), child)
