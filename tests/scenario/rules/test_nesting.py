from collections.abc import Mapping
from typing import Annotated, Any, ForwardRef, Literal

import pytest
from hypothesis import given
from pydantic import Field

from labs_mock.scenario.files.fields import FileModel
from labs_mock.scenario.rules.nesting import nested_rules, operands, rule_paths
from labs_mock.scenario.rules.operators import OPERATORS, RuleFile
from tests.scenario.rules.test_algebra import rules


class Nearby(FileModel):
    """An operand such as a new operator may have."""

    rule: RuleFile | None
    others: "list[RuleFile]"
    at_most: int


@pytest.mark.parametrize(
    ("annotation", "patterns"),
    [
        (RuleFile, [""]),
        (RuleFile | None, [""]),
        (Literal["discovered"] | Annotated[RuleFile, Field()], [""]),
        (list[RuleFile], ["*"]),
        (Annotated[dict[str, list[RuleFile]] | None, Field(min_length=1)], ["*.*"]),
        (Nearby | None, ["rule", "others.*"]),
        (tuple[Nearby, ...], ["*.rule", "*.others.*"]),
        (dict[str, Any], []),
        (Literal[True], []),
    ],
)
def test_rules_are_found_in_an_operand_of_any_type(annotation: Any, patterns: list[str]) -> None:
    """Nested rules are found by the type of the operand, so that none can be forgotten."""
    assert list(rule_paths(annotation)) == patterns


def test_a_type_that_is_not_known_yet_is_refused() -> None:
    """A type in quotes could hide rules, so only that of a rule itself may stand in them."""
    assert list(rule_paths(list["RuleFile"])) == ["*"]
    with pytest.raises(TypeError, match="quotes around RuleFile alone"):
        list(rule_paths(ForwardRef("RuleFile | Unknown")))


def rules_within(value: Any) -> int:
    """How often a valid rule or operand has a mapping with the key of an operator."""
    if isinstance(value, Mapping):
        return any(key in OPERATORS for key in value) + sum(map(rules_within, value.values()))
    return sum(map(rules_within, value)) if isinstance(value, list) else 0


@given(rules())
def test_all_operands_of_a_rule_are_walked(rule: dict[str, Any]) -> None:
    """A walk over a rule meets every rule within it once, with the path that leads to its operand."""
    walked = list(operands(rule))
    assert len({path for path, _, _ in walked}) == len(walked) == rules_within(rule)
    for path, key, operand in walked:
        value: Any = rule
        for step in path:
            value = value[step]
        assert (path[-1], value) == (key, operand)
        assert all(isinstance(child, dict | str) for _, child in nested_rules(key, operand))
