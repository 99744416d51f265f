from hypothesis import given
from hypothesis import strategies as st

from labs_mock.engine.caches import TextCache


@given(st.lists(st.text(max_size=5), max_size=60), st.integers(0, 600))
def test_a_cache_of_texts_is_its_function_whatever_it_forgets(texts: list[str], limit: int) -> None:
    """Every answer is the function's, and remembered are the newest texts within the limit, as by a naive list."""
    cache = TextCache(str.upper, limit)
    naive: list[str] = []
    for text in texts:
        assert cache[text] == text.upper()
        naive += [] if text in naive else [text]
        while sum(len(known) + 64 for known in naive) > limit:
            del naive[0]
        assert list(cache) == naive


def test_a_text_is_computed_once_while_it_is_remembered() -> None:
    """The newest texts are remembered, the oldest go first."""
    computed: list[str] = []

    def note(text: str) -> int:
        computed.append(text)
        return len(text)

    cache = TextCache(note, limit=2 * 65)
    assert [cache[text] for text in ("a", "b", "a", "c", "b", "a")] == [1] * 6
    assert computed == ["a", "b", "c", "a"]
