"""Rules within rules, found in plain data by the types of the operands."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from labs_mock.scenario.files.paths import Steps, find
from labs_mock.scenario.rules.operators import OPERATORS, RuleFile


def nested_rules(key: str, operand: Any) -> Iterator[tuple[Steps, Any]]:
    """What stands where the operand of an operator has rules, each with its path in the operand."""
    for pattern in _nested()[key]:
        yield from find(operand, pattern)


def operands(rule: Any, path: Steps = ()) -> Iterator[tuple[Steps, str, Any]]:
    """All operands of a rule and of the rules within it: path of the operand, key of its operator, and the operand."""
    for key in rule if isinstance(rule, dict) else ():
        if key in OPERATORS:
            yield (*path, key), key, rule[key]
            for steps, child in nested_rules(key, rule[key]):
                yield from operands(child, (*path, key, *steps))


def is_negative(rule: Any) -> bool:
    """Whether a rule is `not`, or an `all` or `any` of nothing but such rules."""
    if not isinstance(rule, dict) or "turns" in rule:
        return False
    return any(
        operator.negative([is_negative(child) for _, child in nested_rules(key, rule[key])])
        for key, operator in OPERATORS.items()
        if key in rule
    )


def rule_paths(annotation: Any) -> Iterator[str]:
    """Where a value of this type has rules, as patterns of `find`; rules within these are left out.

    Raises `TypeError` for a type in quotes that is not known yet, but for `"RuleFile"` itself.
    """
    quoted = getattr(annotation, "__forward_arg__", annotation)
    if annotation is RuleFile or quoted == RuleFile.__name__:
        yield ""
    elif isinstance(quoted, str):
        raise TypeError(f"write {quoted} with quotes around RuleFile alone")
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            yield from _below(field.alias or name, field.annotation)
    elif get_origin(annotation) is not Literal:
        many = get_origin(annotation) in (list, tuple, dict)
        for inner in get_args(annotation):
            yield from _below("*", inner) if many else rule_paths(inner)


def _below(step: str, annotation: Any) -> Iterator[str]:
    for pattern in rule_paths(annotation):
        yield f"{step}.{pattern}" if pattern else step


@cache
def _nested() -> dict[str, tuple[str, ...]]:
    """For each operator the patterns of the rules in its operand."""
    fields = RuleFile.model_fields
    return {field.alias or name: tuple(rule_paths(field.annotation)) for name, field in fields.items()}
