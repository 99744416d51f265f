from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.files.paths import find, mappings, texts

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab*"), inner, max_size=3),
)


def everything(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """All values in a value, with their paths."""
    yield path, value
    for step, child in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from everything(child, (*path, step))


@given(VALUES, st.lists(st.sampled_from("ab*"), min_size=1, max_size=3).map(".".join))
def test_a_pattern_finds_all_values_that_fit_it(value: Any, pattern: str) -> None:
    """A step is a key, or `*` for any member; what does not fit is passed over, and the order is the file's."""
    wanted = pattern.split(".")
    expected = [
        (path, found)
        for path, found in everything(value)
        if len(path) == len(wanted) and all(step in ("*", have) for step, have in zip(wanted, path, strict=True))
    ]
    assert list(find(value, pattern)) == expected
    assert texts(value, pattern) == [(path, found) for path, found in expected if isinstance(found, str)]
    assert mappings(value, pattern) == [(path, found) for path, found in expected if isinstance(found, dict)]
