import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.config.server_file import KeyTerms
from labs_mock.contract.findings import Finding
from labs_mock.contract.windows import Window
from labs_mock.errors import SettingsError, StaleEpoch, StartError, StoreUnavailable
from labs_mock.state.commit import Commit
from labs_mock.state.library_source import CollectionSource, ScenarioSource
from labs_mock.state.redis.namespace import KEYS
from labs_mock.state.redis.scripts import DEADLINE
from labs_mock.state.redis.store import WEEK, RedisStore
from labs_mock.state.store import InitialState, Store
from labs_mock.state.sums import NormalisationEntry
from tests.state.redis_server import MISSING, RedisProcess, redis_is_installed, redis_process, redis_server
from tests.state.samples import (
    ID,
    LIBRARY,
    ONE,
    READY,
    START,
    arrival,
    arrived,
    bounds,
    commit,
    dataset,
    episode,
    initial,
    record,
    run,
    token,
    turn,
)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

SECRET = "lab_secret_of_a_client"
ENTRY = NormalisationEntry(("acme", "a", "coaching", "weekly"), 500_000, (Window.parse("9n"), Window.parse("1d")))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A Redis for this module."""
    with redis_server() as address:
        yield address


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    """A client of it, which finds it empty."""
    with Redis.from_url(url) as client:
        client.flushall()
        client.config_set("maxmemory", 0)
        yield client


@asynccontextmanager
async def opened(url: str, state: InitialState | None = None, **options: Any) -> AsyncIterator[RedisStore]:
    """A server's store in the namespace `one`."""
    store = await RedisStore.open(url, options.pop("name", "one"), state or initial(), **options)
    try:
        yield store
    finally:
        await store.close()


async def use(store: Store) -> str:
    """Write to every table; the epoch."""
    found = await store.arrive(arrival(b'{"key":"%b"}' % SECRET.encode()))
    await store.add_fault(FaultEntry.model_validate({"delay": 1, "key": SECRET}))
    await store.add_fault(FaultEntry.model_validate({"delay": 1, "path": "*"}))
    await store.add_account(ONE.with_key("lab_added_secret"))
    await store.arrive(arrival())
    await store.add_dataset(dataset(READY, name=ID))
    epoch = (await arrived(store)).epoch
    await store.poll_dataset(epoch, ID, START)
    await store.normalise(epoch, token(), START, (ENTRY,))
    await commit(store, created=episode("a"))
    name = token()
    made = record(
        path=f"/{SECRET}",
        query=f"key={SECRET}",
        credentials=(SECRET,),
        request=b'{"a": "%b", "b": "%b"}' % (SECRET.encode(), b"x" * 9_000),
        user_agent=SECRET.encode(),
        findings=(Finding("unknown_field", SECRET),),
        rewards=(0.5,),
    )
    number = await commit(store, token=name, record=made, conversations=(1,), turn=turn("a", 0))
    await store.amend_record(found.epoch, name, number, ("late",), ())
    return found.epoch


def test_two_stores_of_one_namespace_are_one(url: str, redis: Redis) -> None:
    """What one process changes the other one sees with its next request: clock, keys, faults, library, episodes, journal, quotas."""
    assert redis.dbsize() == 0

    async def check() -> None:
        async with opened(url) as one, opened(url) as other:
            assert (await arrived(other)).epoch == (await arrived(one)).epoch
            await use(one)
            assert await other.faults() == await one.faults()
            assert await other.accounts() == await one.accounts()
            assert await other.records(0, 9) == await one.records(0, 9)
            assert await other.episodes(9) == await one.episodes(9)
            assert await other.datasets() == await one.datasets()
            assert await other.rewards(0, 9) == await one.rewards(0, 9)
            before = await arrived(one)
            after = await arrived(other)
            assert (after.attempt, after.order) == (before.attempt + 1, before.order + 1)
            assert before.quota is not None
            assert after.quota == before.quota._replace(remaining=before.quota.remaining - 1)
            await one.advance_clock(5)
            assert (await arrived(other)).now == START + 5
            revision = await one.put_scenario(ScenarioSource("coaching", "daily", "v2", b"[]"))
            assert (await arrived(other)).revision == revision
            assert await other.library() == await one.library()
            await other.change_account(ONE.with_terms(KeyTerms(revoked=True)), ONE)
            assert (await arrived(one)).account is None
            old = (await arrived(one)).epoch
            await other.reset()
            with pytest.raises(StaleEpoch):
                await one.load_episode(old, "a", START)
            assert await one.episodes(9) == []

    run(check())


def test_a_record_of_one_process_wakes_the_followers_of_another(url: str, redis: Redis) -> None:
    """Its reset of the journal ends them, too."""
    assert redis.dbsize() == 0

    async def check() -> None:
        async with opened(url) as one, opened(url) as other:
            following = one.follow(0)
            for number in (1, 2, 3):
                waiting = asyncio.ensure_future(anext(following))
                await asyncio.sleep(0.05)
                await commit(other, record=record(path=f"/{number}"))
                assert (await asyncio.wait_for(waiting, 5)).path == f"/{number}"
            ending = asyncio.ensure_future(anext(following, None))
            await asyncio.sleep(0.05)
            await other.reset(("journal",))
            assert await asyncio.wait_for(ending, 5) is None

    run(check())


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"seed": 1}, "its seed is 0, this server's is 1"),
        ({"clock": "real"}, "its clock is 'frozen', this server's is 'real'"),
        ({"accounts": (ONE,)}, "key 2 of 2 is not the same"),
        ({"faults": (FaultEntry.model_validate({"delay": 1}),)}, "fault 1 of 1 is not the same"),
        (
            {"library": LIBRARY._replace(scenarios=(LIBRARY.scenarios[0]._replace(content=b"[]"),))},
            "scenario coaching/weekly is not the same",
        ),
        (
            {"library": LIBRARY._replace(collections=(CollectionSource("coaching", "Coach", "About it."),))},
            "collection coaching is not the same",
        ),
        ({"library": LIBRARY._replace(datasets=(dataset(),))}, "dataset check-ins is not the same"),
    ],
)
def test_another_server_is_refused(url: str, redis: Redis, change: dict[str, Any], difference: str) -> None:
    """It is told the first thing in which it differs from the one that made the namespace; an equal one may come."""
    assert redis.dbsize() == 0

    async def check() -> None:
        async with opened(url), opened(url):
            with pytest.raises(StartError, match="'one' was made by a server with other settings or files") as refused:
                await RedisStore.open(url, "one", initial()._replace(**change))
            assert difference in str(refused.value)

    run(check())


def test_a_server_may_have_the_library_that_was_published_since(url: str, redis: Redis) -> None:
    """A host that starts later has the new files."""
    assert redis.dbsize() == 0
    later = LIBRARY._replace(datasets=(dataset(),))

    async def check() -> None:
        async with opened(url) as store:
            await store.publish(later)
            async with opened(url, initial(library=later)) as other:
                assert await other.datasets() == await store.datasets()

    run(check())


def test_data_of_another_format_is_refused_while_a_server_uses_it(url: str, redis: Redis) -> None:
    """A program does not read what it does not know; what nobody uses any more it begins anew."""

    async def check() -> None:
        async with opened(url) as store:
            await use(store)
            redis.hset("{one}:meta", "format", "7")
            with pytest.raises(
                StartError, match="data of format 7 in the namespace 'one', and this version of labs-mock has 1"
            ):
                await RedisStore.open(url, "one", initial())
        redis.delete("{one}:lease")
        async with opened(url) as store:
            assert await store.episodes(9) == []
            assert 10 <= redis.ttl("{one}:lease") <= 15

    run(check())


def test_a_reset_by_one_that_was_behind_does_not_come_again(url: str, redis: Redis) -> None:
    """A namespace that one process has begun anew is not older for another one that has seen more of what was before."""

    async def check() -> None:
        async with opened(url) as one, opened(url) as other:
            await arrived(one)
            for _ in range(5):
                await arrived(other)
            redis.flushall()
            epoch = (await arrived(one)).epoch
            assert (await arrived(other)).epoch == (await arrived(one)).epoch == epoch

    run(check())


@pytest.mark.parametrize("address", ["http://127.0.0.1", "127.0.0.1:6379", "redis://:secret@127.0.0.1/0", "redis:///0"])
def test_other_addresses_are_refused(address: str) -> None:
    """Those of something else, and those with a password, which is not repeated."""
    with pytest.raises(SettingsError, match=r"^state: ") as refused:
        run(RedisStore.open(address, "one", initial()))
    assert "secret" not in str(refused.value)


def test_no_secret_is_stored(url: str, redis: Redis) -> None:
    """Neither keys nor what stood in `Authorization`, wherever it stood in the request; a filter by key still works."""

    async def check() -> None:
        async with opened(url) as store:
            await use(store)
            (kept,) = await store.records(0, 9)
            assert (kept.path, len(kept.credentials), len(kept.body("request") or b"")) == (
                f"/lab_{'*' * (len(SECRET) - 4)}",
                1,
                9_040,
            )
            assert (await store.faults())[0].key is not None

    run(check())
    keys = list(redis.scan_iter("*"))
    assert len(keys) > 20
    for key in keys:
        whole = b" ".join(contents_of(redis, key))
        for secret in (SECRET, "lab_added_secret", "lab_one"):
            assert secret.encode() not in whole, key


def contents_of(redis: Any, key: bytes) -> list[bytes]:
    """All that is in a key."""
    kind = redis.type(key)
    if kind == b"hash":
        return [one for pair in redis.hgetall(key).items() for one in pair]
    if kind == b"stream":
        return [value for _, fields in redis.xrange(key) for value in fields.values()]
    return [redis.get(key)] if kind == b"string" else redis.zrange(key, 0, -1)


def test_every_key_goes_a_week_after_the_last_use(url: str, redis: Redis) -> None:
    """From its first write on, also after resets; `meta` is the first to go, and it takes all with it."""

    async def check() -> None:
        async with opened(url) as store:
            await use(store)
            await store.reset()
            await use(store)
        keys = {key.decode() for key in redis.scan_iter("*")}
        left = {key: redis.ttl(key) for key in keys - {"{one}:lease"}}
        assert keys <= {f"{{one}}:{name}" for name in ("meta", *KEYS)}
        assert len(keys) > 20
        assert all(WEEK - 60 <= seconds <= WEEK + 7_200 for seconds in left.values()), left
        assert min(left, key=lambda key: left[key]) == "{one}:meta"

    run(check())


def test_a_namespace_is_dropped_and_others_stay(url: str, redis: Redis) -> None:
    """All of its keys, and no other."""

    async def check() -> None:
        async with opened(url) as one, opened(url, name="two") as two:
            await use(one)
            await use(two)
            await one.drop()
            assert {key[:5] for key in redis.scan_iter("*")} == {b"{two}"}

    run(check())


def test_a_store_that_comes_back_empty_is_a_reset(url: str, redis: Redis) -> None:
    """Old epochs are refused, and the next request begins the namespace anew with what this server has (EP-13)."""

    async def check() -> None:
        async with opened(url) as store:
            old = await use(store)
            before = (await arrived(store)).order
            redis.flushall()
            for operation in (
                store.load_episode(old, "a", START),
                store.commit(Commit(old, token(), record())),
                store.poll_dataset(old, ID, START),
                store.normalise(old, token(), START, (ENTRY,)),
            ):
                with pytest.raises(StaleEpoch):
                    await operation
            found = await arrived(store)
            assert found.epoch != old
            assert found.order == before + 1
            assert (await store.accounts(), await store.faults(), await store.episodes(9)) == (
                [*initial().accounts],
                [],
                [],
            )
            assert await store.library() == (1, LIBRARY)

    run(check())


def test_no_attempt_comes_again_after_a_loss(url: str, redis: Redis) -> None:
    """So that no new episode has the id of a lost one; faults count anew, and a reset begins with the first attempt (DET-3, EP-13)."""
    assert redis.dbsize() == 0
    faults = [FaultEntry.model_validate(one) for one in ({"delay": 1, "attempts": 2}, {"delay": 1, "share": 0.5})]

    async def check() -> None:
        async with opened(url, initial(*faults)) as store, opened(url, initial(*faults), checked=True) as other:

            async def attempts() -> list[int]:
                found = [await store.arrive(arrival()) for _ in range(4)]
                assert [any(fault.id == "fault-1" for fault in one.faults) for one in found] == [True] * 2 + [False] * 2
                return [one.attempt for one in found]

            known = set(await attempts())
            assert known == {0, 1, 2, 3}
            for reset_by in (store, other):
                redis.flushall()
                await reset_by.arrive(arrival(b"another"))
                made = await attempts()
                assert made == list(range(made[0], made[0] + 4))
                assert not known & {*made}
                known |= {*made}
            await store.reset(("attempts",))
            assert await attempts() == [0, 1, 2, 3]

    run(check())


def test_a_store_that_comes_back_older_is_a_reset(url: str, redis: Redis) -> None:
    """One that has lost arrivals has lost what was acknowledged: it begins a new epoch, and takes no half of the old one."""

    async def check() -> None:
        async with opened(url) as store:
            old = await use(store)
            copy = {key: redis.dump(key) for key in redis.scan_iter("*")}
            last = [(await arrived(store)).order for _ in range(3)][-1]
            redis.flushall()
            for key, value in copy.items():
                redis.restore(key, 0, value or b"")
            found = await arrived(store)
            assert found.epoch != old
            assert found.order > last
            assert await store.episodes(9) == []

    run(check())


def test_a_request_takes_at_most_three_operations(url: str, redis: Redis) -> None:
    """One to arrive, one to load, one to commit; without state of its own two."""
    assert redis.dbsize() == 0

    async def check() -> None:
        share = FaultEntry.model_validate({"delay": 1, "share": 0.5})
        async with opened(url, initial(share, library=LIBRARY._replace(datasets=(dataset(),)))) as store:
            epoch = (await arrived(store)).epoch
            await commit(store, epoch=epoch, created=episode("a"))
            await store.poll_dataset(epoch, ID, START)
            loads: dict[str, Callable[[], Coroutine[Any, Any, Any]] | None] = {
                "evaluation": None,
                "turn": lambda: store.load_episode(epoch, "a", START),
                "poll": lambda: store.poll_dataset(epoch, ID, START),
                "normalised": lambda: store.normalise(epoch, token(), START, (ENTRY, ENTRY)),
            }
            for name, load in loads.items():
                before = store.operations.count
                await store.arrive(arrival(name.encode()))
                if load is not None:
                    await load()
                changes = {"turn": turn("a", 0)} if name == "turn" else {}
                await commit(store, epoch=epoch, record=record(rewards=(0.5,)), conversations=(1,), **changes)
                assert store.operations.count - before == (2 if load is None else 3), name

    run(check())


def test_what_happens_at_once_goes_out_together(url: str, redis: Redis) -> None:
    """Commands of one turn of the event loop are one write."""

    async def check() -> None:
        async with opened(url) as store:
            await arrived(store)
            before = int(redis.info("stats")["total_reads_processed"])
            await asyncio.gather(*[arrived(store) for _ in range(64)])
            assert int(redis.info("stats")["total_reads_processed"]) - before < 10

    run(check())


def test_scripts_that_redis_has_forgotten_are_sent_again(url: str, redis: Redis) -> None:
    """After a restart it knows none of them."""

    async def check() -> None:
        async with opened(url) as store:
            await use(store)
            redis.script_flush()
            await arrived(store)
            assert await commit(store, record=record()) == 2

    run(check())


def test_a_commit_whose_reply_was_lost_is_done_once(url: str, redis: Redis) -> None:
    """The connection breaks behind it; it is sent again with its token, and the result is that of the first time."""

    async def check() -> None:
        async with opened(url) as store:
            epoch = (await arrived(store)).epoch
            await commit(store, epoch=epoch, created=episode("a"))
            for turns in range(20):
                made = asyncio.create_task(commit(store, epoch=epoch, record=record(), turn=turn("a", turns)))
                for _ in range(turns % 5):
                    await asyncio.sleep(0)
                redis.client_kill_filter(_type="normal", skipme=True)
                assert await made == turns + 1
            (kept,) = await store.episodes(9)
            assert (kept.turns, (await store.journal_counts()).stored) == (20, 20)

    run(check())


def test_connections_that_break_lose_and_repeat_nothing(url: str, redis: Redis) -> None:
    """Sixteen clients play on while every connection is ended again and again; each turn and its reward are there once (EP-15)."""

    async def check() -> None:
        async with opened(url) as store:
            epoch, playing = (await arrived(store)).epoch, True

            async def play(name: str) -> tuple[str, int]:
                turns = 0
                await store.commit(Commit(epoch, token(), created=episode(name)))
                while playing:
                    made = record(rewards=(0.5,))
                    await store.commit(Commit(epoch, token(), made, (1,), turn=turn(name, turns)))
                    turns += 1
                return name, turns

            players = [asyncio.create_task(play(f"{number}")) for number in range(16)]
            for _ in range(10):
                await asyncio.sleep(0.12)
                redis.client_kill_filter(_type="normal", skipme=True)
            playing = False
            played = dict(await asyncio.gather(*players))
            assert {one.id: one.turns for one in await store.episodes(99)} == played
            logged = (await store.journal_counts()).last, (await store.rewards(0, 0)).stored
            assert logged == (sum(played.values()),) * 2

    run(check())


def test_a_full_store_says_so_and_can_be_reset(url: str, redis: Redis) -> None:
    """Nothing of a refused operation is done; after a reset there is room again."""

    async def check() -> None:
        async with opened(url) as store:
            await use(store)
            for number in range(20):
                await commit(store, record=record(request=bytes(range(256)) * 16, path=f"/{number}"))
            counts = await store.journal_counts()
            redis.config_set("maxmemory", 1)
            with pytest.raises(StoreUnavailable, match="full; reset it") as full:
                await arrived(store)
            assert full.value.status == 503
            with pytest.raises(StoreUnavailable, match="full"):
                await store.advance_clock(5)
            assert await store.journal_counts() == counts
            await store.reset()
            redis.config_set("maxmemory", 0)
            assert (await store.journal_counts()).last == 0
            await arrived(store)

    run(check())


def test_without_a_store_there_is_an_error_in_time_and_recovery() -> None:
    """While Redis is paused or away each operation ends by itself; when it is back the same store goes on."""

    async def check(redis: RedisProcess) -> None:
        async with opened(redis.url) as store:
            epoch = (await arrived(store)).epoch
            await commit(store, epoch=epoch, created=episode("a"))
            redis.send(signal.SIGSTOP)
            async with asyncio.timeout(30):
                found = await asyncio.gather(*[arrived(store) for _ in range(5)], return_exceptions=True)
                assert {str(one) for one in found} == {
                    "The store of this server's state does not answer; nobody knows whether this request was applied"
                }
                with pytest.raises(StoreUnavailable):
                    await arrived(store)
            redis.send(signal.SIGCONT)
            assert await store.load_episode(epoch, "a", START) is not None
            assert (await arrived(store)).epoch == epoch

    with redis_process() as redis:
        run(check(redis))
    with pytest.raises(StartError, match=r"^state: unix:.*: it does not answer \(No such file or directory\)$"):
        run(RedisStore.open(redis.url, "one", initial()))


def test_a_process_without_a_processor_reads_what_came_meanwhile(url: str, redis: Redis) -> None:
    """Where a process stood still for longer than the deadline, replies that are there count, and no operation has failed."""
    assert redis.dbsize() == 0

    async def check() -> None:
        async with opened(url) as store:
            under_way = [asyncio.create_task(arrived(store)) for _ in range(20)]
            await asyncio.sleep(0)  # they have begun, and their commands are on their way
            await asyncio.sleep(0)
            time.sleep(DEADLINE + 0.1)  # noqa: ASYNC251 - the loop stands still
            assert len({one.epoch for one in await asyncio.gather(*under_way)}) == 1

    run(check())


def test_times_of_arrivals_do_not_go_back(url: str, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process whose computer's clock is behind counts its requests at the latest moment of the others (RL-2)."""
    assert redis.dbsize() == 0

    async def check() -> None:
        async with opened(url, initial(clock="real")) as one:
            before = (await arrived(one)).now
            monkeypatch.setattr("labs_mock.clock.computer_time", lambda: before - 100)
            assert (await arrived(one)).now == before

    run(check())


def test_a_share_is_that_of_memory_at_any_attempt(url: str, redis: Redis) -> None:
    """For a hundred equal requests the same ones are triggered as in memory, and counted alike."""
    from tests.state.conftest import memory  # noqa: PLC0415 - which makes the stores of other tests

    assert redis.dbsize() == 0

    async def triggered(store: Store) -> list[Any]:
        found = [await store.arrive(arrival(b"a")) for _ in range(100)]
        return [[(one.attempt, one.faults, one.quota) for one in found], await store.faults()]

    async def check() -> None:
        faults = [
            {"delay": {"low": 1, "high": 9}, "share": 0.3},
            {"status": 503, "share": 0.2},
            {"delay": 1, "attempts": 40},
        ]
        state = initial(*[FaultEntry.model_validate(one) for one in faults])
        async with opened(url, state) as store:
            assert await triggered(store) == await triggered(memory(state))

    run(check())


def test_a_large_library_and_long_names_are_as_they_were(url: str, redis: Redis) -> None:
    """Contents, texts with lone surrogates, and floats with all their digits come back as they went in."""
    assert redis.dbsize() == 0
    content = bytes(range(256)) * 1_000
    library = LIBRARY._replace(
        scenarios=tuple([ScenarioSource("coaching", f"s{n}", f"v{n}", content) for n in range(30)])
    )

    async def check() -> None:
        async with opened(url, initial(library=library), bounds=bounds(records=9)) as store:
            assert await store.library() == (1, library)
            made = record(path="/\ud800", query="\udfff", received=START + 0.1, rewards=(0.1, None), peer=("::1", 5))
            await commit(store, record=made, conversations=(2**64 - 1, 0))
            (kept,) = await store.records(0, 9)
            assert replace_store_fields(kept) == made
            assert (await store.rewards(0, 9)).conversations == (2**64 - 1,)

    run(check())


def replace_store_fields(kept: Any) -> Any:
    """A record without what the store gives it."""
    return kept._replace(number=0, answered=0)


def test_an_account_with_all_its_terms_is_as_it_was(url: str, redis: Redis) -> None:
    """Names, subscriptions and times of expiry."""
    assert redis.dbsize() == 0
    account = replace(ONE, name="Ünï", subscriptions=("a", "b"), expires=START + 1 / 3, score_access="reward")

    async def check() -> None:
        async with opened(url, initial(accounts=(account,))) as store:
            assert await store.accounts() == [account]
            assert (await arrived(store)).account == account

    run(check())
