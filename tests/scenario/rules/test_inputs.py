import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.rules.inputs import contains, leaves, same

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.text("aA1 \u2019'é\u2028", max_size=5)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=4)
)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("Lumbar  Spine", "lumbar spine", True),
        ("don\u2019t", "don't", True),
        ("lumbar", "spine", False),
        (1, 1.0, True),
        (0, -0.0, True),
        (1, 2, False),
        (True, True, True),
        (True, 1, False),
        (0, False, False),
        (False, None, False),
        (None, None, True),
        (None, "", False),
        ("1", 1, False),
        ("true", True, False),
    ],
)
def test_scalars_are_equal_by_what_they_mean(one: Any, other: Any, equal: bool) -> None:
    """Text is compared normalised, numbers by value, and true is not 1; the order does not matter."""
    assert same(one, other) is equal
    assert same(other, one) is equal


@given(VALUES)
def test_a_value_contains_itself(value: Any) -> None:
    """Every value has all that it has."""
    assert contains(value, copy.deepcopy(value))


@given(VALUES, st.data())
def test_a_value_contains_what_is_left_of_it(value: Any, data: st.DataObject) -> None:
    """Keys and members may be left out of a pattern, on any level, and members may stand in any order."""

    def less(whole: Any) -> Any:
        if isinstance(whole, dict):
            return {key: less(child) for key, child in whole.items() if data.draw(st.booleans())}
        if isinstance(whole, list):
            return data.draw(st.permutations([less(child) for child in whole if data.draw(st.booleans())]))
        return whole.upper() if isinstance(whole, str) else whole

    assert contains(value, less(value))


@given(st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=4), VALUES)
def test_a_value_does_not_contain_what_stands_nowhere_in_it(value: dict[str, Any], extra: Any) -> None:
    """A key that is missing, and a member that no member equals, are not contained."""
    assert not contains(value, {**value, "missing": extra})
    assert not contains(list(value.values()), [*value.values(), "stands nowhere"])


@given(VALUES)
def test_leaves_rebuild_the_value(value: Any) -> None:
    """Leaves and their paths hold all of a value: nothing is lost and nothing is added."""
    assert rebuilt(list(leaves(value))) == value


def rebuilt(found: list[tuple[tuple[str | int, ...], Any]]) -> Any:
    """A value from its leaves."""
    if found[0][0] == ():
        ((_, leaf),) = found
        return leaf
    parts: dict[str | int, list[tuple[tuple[str | int, ...], Any]]] = {}
    for (step, *rest), leaf in found:
        parts.setdefault(step, []).append((tuple(rest), leaf))
    if all(isinstance(step, int) for step in parts):
        assert list(parts) == list(range(len(parts)))
        return [rebuilt(part) for part in parts.values()]
    return {step: rebuilt(part) for step, part in parts.items()}
