from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.world.attempts import Attempts


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
