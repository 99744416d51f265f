from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.state.bounds import Bounds
from labs_mock.state.memory.journal import SMALL, Journal, packed, weigh
from labs_mock.state.record import BODIES, JournalCounts, Record
from labs_mock.state.store import Store
from tests.state.samples import Make, arrived, bounds, commit, numbers, record, run, token

LIMIT = 5
LONG = "x" * 100


def sized(size: int) -> Record:
    """A record with so many bytes that stay with it as they are."""
    return record(path="x" * size)


def noise(size: int) -> bytes:
    """Bytes that no compression makes fewer."""
    return b"".join(blake2b(b"%d" % number).digest() for number in range(size // 64 + 1))[:size]


def newest(weights: list[int], bound: int) -> list[int]:
    """The numbers of the longest run of newest records within both bounds: the reference."""
    kept: list[int] = []
    for number in range(len(weights), 0, -1):
        if len(kept) == LIMIT or sum(weights[one - 1] for one in (*kept, number)) > bound:
            break
        kept.append(number)
    return kept[::-1]


sizes = st.lists(st.integers(0, 12), max_size=30)


@given(made=sizes, bound=st.integers(0, 40))
def test_the_newest_records_are_stored(make: Make, made: list[int], bound: int) -> None:
    """After each commit: the longest run of newest ones within both bounds, in their order, and how many have gone."""

    async def check() -> None:
        store, weights = make(bounds=bounds(records=LIMIT, journal=bound)), list[int]()
        for size in made:
            weights.append(size)
            assert await commit(store, record=sized(size)) == len(weights)
            kept = newest(weights, bound)
            assert await numbers(store) == kept
            assert await store.journal_counts() == JournalCounts(len(kept), len(weights) - len(kept), ())

    run(check())


def test_records_behind_less_than_nothing_are_all(make: Make) -> None:
    """Who wants the ten newest of three subtracts."""

    async def check() -> None:
        store = make()
        for _ in range(3):
            await commit(store, record=sized(1))
        assert [one.number for one in await store.records(-7, 10)] == [1, 2, 3]

    run(check())


def test_a_record_larger_than_the_bound_is_not_stored(make: Make) -> None:
    """It goes with all that came before it, is counted, and leaves room for those that come after it."""

    async def check() -> None:
        store = make(bounds=bounds(records=LIMIT, journal=10))
        for size, kept in ((4, [1]), (4, [1, 2]), (11, []), (5, [4]), (5, [4, 5]), (10, [6])):
            await commit(store, record=sized(size))
            assert await numbers(store) == kept
        assert (await store.journal_counts()).dropped == 5

    run(check())


BOUND = 100_000
bodies = st.one_of(
    st.builds(noise, st.integers(0, 2 * SMALL) | st.integers(0, BOUND)),
    st.builds(lambda size: b"x" * size, st.integers(0, 3 * BOUND)),
)


def whole(pair: tuple[bytes, bytes]) -> Record:
    """A record with two bodies."""
    return record(request=pair[0], response=pair[1])


def stays_large(pair: tuple[bytes, bytes]) -> bool:
    """Whether a body of the two has more bytes than a small one even when it is compressed."""
    return any(len(body) > SMALL for body in (packed(whole(pair)).request, packed(whole(pair)).response) if body)


@given(pairs=st.lists(st.tuples(bodies, bodies), max_size=12))
def test_bodies_are_whole_or_dropped(make: Make, pairs: list[tuple[bytes, bytes]]) -> None:
    """Never cut and never more bytes than the bound; small ones stay, and of those that compression leaves large the oldest go first."""

    async def check() -> list[Record]:
        store = make(bounds=bounds(records=LIMIT, journal=BOUND))
        for one, other in pairs:
            await commit(store, record=whole((one, other)))
            assert sum(weigh(kept) for kept in await store.records(0, LIMIT)) <= BOUND
        return await store.records(0, LIMIT)

    stored = run(check())
    for kept in stored:
        for name, body in zip(BODIES, pairs[kept.number - 1], strict=True):
            assert kept.body(name) in (body, None)
            assert kept.body(name) == body or len(body) > SMALL
            assert (name in kept.dropped) == (kept.body(name) is None)
    large = [kept for kept in stored if stays_large(pairs[kept.number - 1])]
    gone = [bool(kept.dropped) for kept in large]
    assert gone == sorted(gone, reverse=True)


def test_bodies_are_compressed_before_any_is_dropped(make: Make) -> None:
    """Ten times the bound of what compresses well stays whole, and no record is forgotten for the body of another."""

    async def check() -> None:
        store = make(bounds=bounds(records=100, journal=BOUND))
        for number in range(20):
            await commit(store, record=record(request=b"%d" % number * (BOUND // 2)))
        stored = await store.records(0, 100)
        assert [len(kept.body("request") or b"") for kept in stored] == [BOUND // 2 * len(str(n)) for n in range(20)]
        await commit(store, record=record(request=noise(BOUND // 2)))
        assert await store.journal_counts() == JournalCounts(21, 0, ())
        assert not any(kept.dropped for kept in await store.records(0, 100))

    run(check())


def test_what_is_small_enough_is_never_touched() -> None:
    """In memory a body of everyday size is kept as the very object that came: nothing is done to it (a hot path)."""
    journal, body = Journal(LIMIT, BOUND), b"x" * 1_500
    journal.append(record(request=body), "", 0)
    for _ in range(3):
        journal.append(record(request=noise(BOUND)), "", 0)
    assert journal.page(0, 1)[0].request is body


def test_findings_of_dropped_records_are_counted(make: Make) -> None:
    """By severity, so that whoever looks for warnings knows that there were some (GEN-4)."""

    async def check() -> None:
        store = make(bounds=bounds(records=1))
        for code in ("unknown_field", "missing_body_id", "duplicate_key", "duplicate_key"):
            await commit(store, record=record(findings=(Finding(code, "x"),)))
        assert dict((await store.journal_counts()).dropped_findings) == {"warning": 2, "info": 1}
        await store.reset(("journal",))
        assert await store.journal_counts() == JournalCounts(0, 0, ())

    run(check())


@pytest.mark.parametrize(
    "fields",
    [
        {"path": f"/{LONG}"},
        {"query": LONG},
        {"request": noise(500)},
        {"response": noise(500)},
        {"findings": (Finding("unknown_field", LONG),)},
        {"findings": (Finding("unknown_field", "a", LONG[:60]), Finding("unknown_field", LONG[:40]))},
    ],
)
def test_everything_that_a_client_can_make_large_counts(make: Make, fields: dict[str, Any]) -> None:
    """Long paths, queries and names of unknown fields push records out as bodies do, so that memory is bounded."""

    async def check() -> None:
        store = make(bounds=bounds(records=1_000, journal=5 * weigh(record(**fields))))
        for _ in range(50):
            await commit(store, record=record(**fields))
        counts = await store.journal_counts()
        assert (counts.stored, counts.dropped, counts.last) == (5, 45, 50)

    run(check())


@given(before=sizes, after=sizes)
def test_a_reset_journal_is_like_a_new_one(make: Make, before: list[int], after: list[int]) -> None:
    """Records, numbers, bytes and what was dropped are forgotten."""

    async def check() -> None:
        used, fresh = (make(bounds=bounds(records=LIMIT, journal=20)) for _ in range(2))
        for size in before:
            await commit(used, record=sized(size))
        await used.reset(("journal",))
        assert await numbers(used) == []
        for size in after:
            assert await commit(used, record=sized(size)) == await commit(fresh, record=sized(size))
        assert await numbers(used) == await numbers(fresh)
        assert await used.journal_counts() == await fresh.journal_counts()

    run(check())


def test_the_bounds_of_a_server_are_those_of_a_long_test_run() -> None:
    """By default 10,000 records of everyday size are kept, and never more than 64 MiB."""
    journal = Journal(Bounds().records, Bounds().journal)
    for _ in range(Bounds().records + 1):
        journal.append(record(request=b"x" * 1_500, response=b"x" * 500), "", 0)
    assert journal.counts == JournalCounts(10_000, 1, ())
    assert Bounds().journal == 64 * 1024 * 1024


@given(number=st.integers(0, 12), limit=st.integers(0, 12))
def test_records_are_read_page_by_page(make: Make, number: int, limit: int) -> None:
    """Behind a number, by number, also where the oldest have gone."""

    async def check() -> None:
        store = make(bounds=bounds(records=6))
        for index in range(9):
            await commit(store, record=record(status=index))
        page = await store.records(number, limit)
        expected = [one for one in range(4, 10) if one > number][:limit]
        assert [(one.number, one.status) for one in page] == [(one, one - 1) for one in expected]

    run(check())


def test_a_long_page_is_whole(make: Make) -> None:
    """However many records a store reads at a time."""

    async def check() -> None:
        store = make()
        epoch = (await arrived(store)).epoch
        for number in range(1, 1_204):
            await commit(store, epoch=epoch, record=record(status=number))
        for after, limit in ((0, 10_000), (0, 1_000), (3, 500), (203, 1_000), (3, 501), (702, 501), (1_203, 9)):
            expected = list(range(after + 1, 1_204))[:limit]
            assert [(one.number, one.status) for one in await store.records(after, limit)] == [
                (one, one) for one in expected
            ]

    run(check())


FOUND = Finding("client_left", "", "after 3 bytes")


@given(
    steps=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9), st.integers(0, 8)), max_size=25),
    bound=st.integers(10, 60),
)
def test_what_is_added_to_records_goes_with_them(make: Make, steps: list[tuple[int, int, int]], bound: int) -> None:
    """Findings that a record gets later count for both bounds, and when it goes, whose record they were."""

    async def check() -> None:
        store = make(bounds=bounds(records=LIMIT, journal=bound))
        epoch = (await arrived(store)).epoch
        kept: dict[int, list[int]] = {}  # what each record takes, and behind that each of its findings
        gone = 0
        for number, (size, late, hint) in enumerate(steps, 1):
            await commit(store, epoch=epoch, token=f"t{number}", record=sized(size))
            kept[number] = [size]
            while sum(map(sum, kept.values())) > bound or len(kept) > LIMIT:
                gone += len(kept.pop(next(iter(kept)))) - 1
            other = max(0, number - late)
            await store.amend_record(epoch, f"t{other}", other, ("late",), (Finding("client_left", "", "x" * hint),))
            if other in kept:
                kept[other].append(hint)
            assert [(one.number, len(one.findings)) for one in await store.records(0, 99)] == [
                (one, len(parts) - 1) for one, parts in kept.items()
            ]
            severities = dict((await store.journal_counts()).dropped_findings)
            assert sum(severities.values()) == gone

    run(check())


def test_a_record_is_amended_while_its_response_goes_out(make: Make) -> None:
    """Its delivery is replaced and findings are added; a record that is packed stays readable."""

    async def check() -> None:
        store = make(bounds=bounds(journal=BOUND))
        epoch, name = (await arrived(store)).epoch, token()
        number = await commit(store, token=name, record=record(request=b"x" * BOUND, findings=(FOUND,)))
        await commit(store, record=record(request=b"y" * SMALL))
        for delivery in (("one",), ("one", "two")):
            await store.amend_record(epoch, name, number, delivery, ())
        await store.amend_record(epoch, name, number, ("three",), (FOUND,))
        amended, other = await store.records(0, 2)
        assert (amended.delivery, amended.findings, amended.body("request")) == (
            ("three",),
            (FOUND, FOUND),
            b"x" * BOUND,
        )
        assert (other.delivery, other.findings) == ((), ())

    run(check())


@pytest.mark.parametrize("parts", [(), ("journal",), ("journal", "attempts")])
def test_a_record_that_is_gone_is_not_amended(make: Make, parts: tuple[str, ...]) -> None:
    """Another one may have its number by then."""

    async def check() -> None:
        store = make(bounds=bounds(records=1))
        epoch, name = (await arrived(store)).epoch, token()
        number = await commit(store, token=name, record=record())
        await store.reset(parts)
        assert await commit(store, record=record()) == number
        for other in (number, number + 1, number - 1):
            await store.amend_record(epoch, name, other, ("late",), (FOUND,))
        (kept,) = await store.records(0, 9)
        assert (kept.delivery, kept.findings) == ((), ())

    run(check())


def test_a_body_that_compression_makes_larger_stays_as_it_is() -> None:
    """Noise is kept as it came."""
    body = noise(2 * SMALL)
    assert packed(record(request=body)) == record(request=body)


rewards = st.lists(
    st.tuples(
        st.integers(1, 4), st.lists(st.tuples(st.none() | st.floats(0, 1), st.integers(0, 2**64 - 1)), max_size=5)
    ),
    max_size=12,
)
Made = list[tuple[int, list[tuple[float | None, int]]]]
Entry = tuple[int, int, int, float]


async def served(store: Store, after: int, limit: int) -> list[Entry]:
    """A page of rewards, entry by entry."""
    page = await store.rewards(after, limit)
    return list(zip(page.requests, page.items, page.conversations, page.rewards, strict=True))


@given(made=rewards, limit=st.integers(1, 12), after=st.integers(0, 80), most=st.integers(0, 20))
def test_the_newest_rewards_are_stored_with_their_places(
    make: Make, made: Made, limit: int, after: int, most: int
) -> None:
    """As a list of all would have them: items that failed have none and keep their places, and what has gone is counted."""

    async def check() -> None:
        store, every = make(bounds=bounds(rewards=limit)), list[Entry]()
        for _, items in made:
            values = tuple([reward for reward, _ in items])
            number = await commit(store, record=record(rewards=values), conversations=tuple([one for _, one in items]))
            every += [(number, item, other, one) for item, (one, other) in enumerate(items) if one is not None]
            page = await store.rewards(0, len(every))
            assert await served(store, 0, len(every)) == every[-limit:]
            assert (page.stored, page.dropped) == (len(every[-limit:]), len(every) - len(every[-limit:]))
        dropped = (await store.rewards(0, 0)).dropped
        assert await served(store, after, most) == every[max(after, dropped) :][:most]
        assert (await store.rewards(after, most)).after == max(after, dropped)
        await store.reset(("rewards",))
        assert await store.rewards(0, 1) == (0, (), (), (), (), 0, 0)

    run(check())
