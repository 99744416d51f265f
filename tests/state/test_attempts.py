from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.attempts import Attempts


@given(st.lists(st.sampled_from([b"a", b"b", b"c"])))
def test_attempts_count_equal_requests(asked: list[bytes]) -> None:
    """The n-th request of its kind gets n - 1, whatever else was asked (DET-3)."""
    attempts: Attempts = Attempts()
    before: Counter[bytes] = Counter()
    for one in asked:
        assert attempts.next(one) == before[one]
        before[one] += 1


def test_the_table_is_bounded() -> None:
    """What was not asked for longest is forgotten first."""
    attempts = Attempts(limit=2)
    assert [attempts.next(one) for one in (b"a", b"b", b"a", b"c", b"a", b"b")] == [0, 0, 1, 0, 2, 0]


def naive(asked: list[bytes], limit: int) -> list[int]:
    """The same counts from a list of pairs in the order in which they were last asked for."""
    kept: list[tuple[bytes, int]] = []
    found = []
    for one in asked:
        attempt = dict(kept).get(one, 0)
        kept = [*(pair for pair in kept if pair[0] != one), (one, attempt + 1)][-limit:]
        found.append(attempt)
    return found


@given(st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e"]), max_size=60), st.integers(1, 5))
def test_what_was_asked_for_last_goes_last(asked: list[bytes], limit: int) -> None:
    """In any order of requests the counts are those of a naive table of the same bound (DET-3)."""
    attempts = Attempts(limit)
    assert [attempts.next(one) for one in asked] == naive(asked, limit)
