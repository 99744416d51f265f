from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.posted_verdict import PostedVerdict
from tests.state.samples import Make, bounds, run

VERDICTS = st.lists(st.builds(PostedVerdict, st.floats(0, 1e9), st.text(max_size=9), st.text(max_size=9)), max_size=12)


@given(posted=VERDICTS, limit=st.integers(1, 9))
def test_the_newest_verdicts_are_kept_in_their_order(make: Make, posted: list[PostedVerdict], limit: int) -> None:
    """As a list of all would have them; they go with the journal, and with nothing else."""

    async def check() -> None:
        store = make(bounds=bounds(verdicts=limit))
        for number, verdict in enumerate(posted, 1):
            await store.add_verdict(verdict)
            assert await store.verdicts() == posted[:number][-limit:]
        await store.reset(("rewards", "faults", "episodes"))
        assert await store.verdicts() == posted[-limit:]
        await store.reset(("journal",))
        assert await store.verdicts() == []

    run(check())
