import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.store import Store
from tests.state.samples import START, Make, arrival, commit, record, run, token

steps = st.lists(st.sampled_from(["arrive", "commit", "commit", "amend", "advance"]), max_size=30)


@given(made=steps)
def test_a_record_has_the_requests_that_came_before_its_answer(make: Make, made: list[str]) -> None:
    """Requests are counted as they arrive; a record has the count at its commit, and from an amendment on that of its last one."""

    async def check() -> None:
        store: Store = make()
        epoch = (await store.arrive(arrival())).epoch
        arrivals, now = 1, START
        expected: list[tuple[str, int, float]] = []  # token, count and moment of each record
        for step in made:
            if step == "arrive":
                arrivals += 1
                arrived = await store.arrive(arrival(b"%d" % (arrivals % 3)))
                assert arrived.order == arrivals
            elif step == "commit":
                expected.append((token(), arrivals, now + 0.25))
                await commit(store, epoch=epoch, token=expected[-1][0], record=record(received=now, duration_ms=250))
            elif step == "advance":
                now += 60
                await store.advance_clock(60)
            elif expected:
                number = 1 + arrivals % len(expected)
                expected[number - 1] = expected[number - 1][0], arrivals, now
                await store.amend_record(epoch, expected[number - 1][0], number, (), ())
        stored = await store.records(0, len(made) + 1)
        assert [(one.answered, one.answered_at) for one in stored] == [one[1:] for one in expected]

    run(check())


@pytest.mark.parametrize("parts", [(), ("journal",), ("attempts",)])
def test_a_reset_does_not_begin_the_order_anew(make: Make, parts: tuple[str, ...]) -> None:
    """Whatever is reset: a request that is in progress then is still before those that come."""

    async def check() -> None:
        store = make()
        before = (await store.arrive(arrival())).order
        await store.reset(parts)
        assert (await store.arrive(arrival())).order > before

    run(check())
