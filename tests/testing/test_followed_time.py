import asyncio
import gc
import os
import pickle
import socket
import sys
import threading
import time
from asyncio import sleep as sleep_by_name_in_loop
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from math import inf, nan
from pathlib import Path
from time import sleep as sleep_by_name
from typing import Any, NoReturn

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock import clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.serving.thread import ServerThread
from labs_mock.serving.worlds import world_parts
from labs_mock.testing.followed_time import LONGEST, MOST, FollowedTime
from labs_mock.testing.watched_store import WatchedStore
from tests.support import KEY, library, result_of

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
REAL = (time.time, time.sleep, asyncio.sleep, asyncio.sleep.__code__)
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


class TooMuch(BaseException):
    """What a test raises for a sleep that is hardly meant; a client's `except Exception` does not catch it."""


def too_much(reason: str) -> NoReturn:
    """Fail a test."""
    raise TooMuch(reason)


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A server of a test's world, on a frozen clock."""
    watch = partial(WatchedStore, key=KEY, own_plan=False)
    thread = ServerThread(world_parts(library(), {"clock": "frozen", "port": 0}, KEY), watch)
    thread.start()
    yield thread
    thread.stop()


def follow(server: ServerThread) -> FollowedTime:
    """What follows the clock of a server while it is open."""
    assert isinstance(server.world.store, WatchedStore)
    return FollowedTime(server, server.world.store, too_much)


@pytest.fixture
def followed(server: ServerThread) -> Iterator[FollowedTime]:
    """The time of this test follows the clock of the server, which begins anew."""
    result_of(server.world.reset())
    with follow(server) as time_of_test:
        yield time_of_test


class Subclass(datetime):
    """A `datetime` of somebody's own."""


READERS: dict[str, Callable[[], float]] = {
    "time.time": time.time,
    "time.time_ns": lambda: time.time_ns() / 1e9,
    "datetime.now": lambda: datetime.now().timestamp(),  # noqa: DTZ005
    "datetime.now of a zone": lambda: datetime.now(UTC).timestamp(),
    "datetime.utcnow": lambda: datetime.utcnow().replace(tzinfo=UTC).timestamp(),  # noqa: DTZ003
    "a subclass": lambda: Subclass.now(UTC).timestamp(),
    "time.gmtime": lambda: datetime(*time.gmtime()[:6], tzinfo=UTC).timestamp(),
    "date.today": lambda: (date.today() - date(2026, 1, 1)) / timedelta(seconds=1) + NEW_YEAR,  # noqa: DTZ011
}


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_what_reads_the_time_reads_the_mocks_clock(server: ServerThread, reader: Callable[[], float]) -> None:
    """Whoever moves it, also where a reference to the function was kept; at midnight of this machine dates change, too."""
    day = 24 * 60 * 60
    midnight = datetime(2026, 1, 1).timestamp()  # noqa: DTZ001 - dates are local
    result_of(server.world.store.set_clock(max(midnight, NEW_YEAR) + day, None))
    before = reader()
    assert NEW_YEAR + day <= before < NEW_YEAR + 3 * day
    result_of(server.world.store.advance_clock(day))
    assert reader() == before + day


@pytest.mark.usefixtures("followed")
def test_a_clock_that_runs_is_followed_as_it_runs(server: ServerThread) -> None:
    """`x1000` passes in the test, too, and nothing else makes the time go by."""
    assert time.time() == time.time() == NEW_YEAR
    result_of(server.world.store.set_clock(None, "x1000"))
    before = time.time()
    time.monotonic()
    threading.Event().wait(0.02)
    assert before + 20 <= time.time() < before + 60_000


@pytest.mark.usefixtures("followed")
def test_dates_are_of_the_usual_classes() -> None:
    """Those of a subclass are its own, and all can be pickled."""
    dates = [datetime.now(UTC), Subclass.now(UTC), Subclass.utcnow(), date.today()]  # noqa: DTZ011
    assert [type(one) for one in dates] == [datetime, Subclass, Subclass, date]
    assert pickle.loads(pickle.dumps(dates)) == dates


class Client:
    """All places in which clients keep the function with which they sleep."""

    nap: Callable[[float], None] = time.sleep

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep

    @staticmethod
    def wait(seconds: float, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """With a default that has a name."""
        sleep(seconds)


def closure(sleep: Callable[[float], None]) -> Callable[[float], None]:
    """A function that sleeps by a variable of another one."""
    return lambda seconds: sleep(seconds)  # noqa: PLW0108


EARLIER = Client()
CLOSURE = closure(time.sleep)
SLEEPS: dict[str, Callable[[float], None]] = {
    "the attribute": lambda seconds: time.sleep(seconds),  # noqa: PLW0108 - which looks it up
    "a name": lambda seconds: sleep_by_name(seconds),  # noqa: PLW0108
    "a default": lambda seconds: Client().sleep(seconds),
    "an attribute of a class": lambda seconds: Client().nap(seconds),
    "an attribute of an object": lambda seconds: EARLIER.sleep(seconds),  # noqa: PLW0108
    "a default that has a name": Client.wait,
    "a closure": CLOSURE,
}
SLEEPS_IN_LOOP: dict[str, Callable[[float], Coroutine[Any, Any, object]]] = {
    "a name": sleep_by_name_in_loop,
    "a partial": partial(asyncio.sleep, result="its result"),
    "anyio": anyio.sleep,
}


def test_frozen_objects_sleep_no_longer_than_others(server: ServerThread) -> None:
    """What holds the function is found although somebody has hidden it from the garbage collector, as a server does that starts."""
    holder = Client()
    gc.freeze()
    try:
        with follow(server):
            assert holder.sleep is not REAL[1]
        assert holder.sleep is REAL[1]
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("sleep", SLEEPS.values(), ids=SLEEPS)
def test_a_sleep_moves_the_clock(followed: FollowedTime, server: ServerThread, sleep: Callable[[float], None]) -> None:
    """To its end, at once, wherever the function was kept before."""
    started = time.monotonic()
    sleep(3600)
    assert time.time() == result_of(server.world.store.clock()).now() == NEW_YEAR + 3600
    sleep(0.25)
    assert time.time() == NEW_YEAR + 3600.25
    assert followed.sleeps == [3600, 0.25]
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("sleep", SLEEPS_IN_LOOP.values(), ids=SLEEPS_IN_LOOP)
def test_so_does_a_sleep_in_a_loop(
    followed: FollowedTime, sleep: Callable[[float], Coroutine[Any, Any, object]]
) -> None:
    """That of asyncio, also through anyio."""

    async def twice() -> None:
        result = await sleep(3600)
        assert result == getattr(sleep, "keywords", {}).get("result")
        assert time.time() == NEW_YEAR + 3600
        await sleep(0.25)

    asyncio.run(twice())
    assert time.time() == NEW_YEAR + 3600.25
    assert followed.sleeps == [3600, 0.25]


def test_after_a_sleep_as_much_has_passed_as_the_caller_computes(followed: FollowedTime) -> None:
    """The very float: a loop that waits until its deadline ends after one sleep."""

    @settings(max_examples=200)
    @given(st.floats(1e-6, LONGEST))
    def law(seconds: float) -> None:
        deadline = time.time() + seconds
        time.sleep(seconds)
        assert time.time() == deadline
        assert followed.sleeps[-1] == seconds

    law()


def test_tasks_that_sleep_at_once_move_the_clock_once(followed: FollowedTime) -> None:
    """By the longest sleep: each wakes when its own time has come, or after it."""

    async def sleep(seconds: float) -> float:
        deadline = time.time() + seconds
        await asyncio.sleep(seconds)
        return time.time() - deadline

    async def together(seconds: list[float]) -> list[float]:
        return await asyncio.gather(*[sleep(one) for one in seconds])

    @settings(max_examples=50)
    @given(st.lists(st.floats(0.001, LONGEST), min_size=1, max_size=64))
    def law(seconds: list[float]) -> None:
        before = time.time()
        late = asyncio.run(together(seconds))
        assert time.time() == before + max(seconds)
        assert min(late) >= 0
        assert followed.sleeps[-len(seconds) :] == seconds

    law()


@pytest.mark.usefixtures("followed")
def test_64_tasks_that_sleep_a_minute_move_the_clock_by_a_minute() -> None:
    """As 64 episodes do that meet the end of one quota."""

    async def together() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(64):
                group.create_task(asyncio.sleep(60))

    asyncio.run(together())
    assert time.time() == NEW_YEAR + 60


def test_threads_sleep_on_the_same_clock(followed: FollowedTime) -> None:
    """Those of a pool that was there before, too: together they move it by one sleep at least, by the sum at most."""

    def sleep(_: int) -> float:
        deadline = time.time() + 60
        time.sleep(60)
        return time.time() - deadline

    with ThreadPoolExecutor(64) as pool:
        late = list(pool.map(sleep, range(64)))
    assert min(late) >= 0
    assert 60 <= time.time() - NEW_YEAR <= 64 * 60
    assert followed.sleeps == [60] * 64


def test_what_is_no_sleep_stays_what_it_was(followed: FollowedTime) -> None:
    """Nothing, less than nothing, for ever and no number at all; a loop still gets its turn."""
    time.sleep(0)
    for wrong, error in (
        (-1, ValueError),
        (nan, ValueError),
        (inf, OverflowError),
        ("1", TypeError),
        (None, TypeError),
    ):
        with pytest.raises(error):
            time.sleep(wrong)  # type: ignore[arg-type] # which is the point

    async def in_loop() -> None:
        turns: list[int] = []
        other = asyncio.create_task(asyncio.sleep(0, turns.append(1)))  # type: ignore[func-returns-value]
        await asyncio.sleep(-1)
        assert turns == [1]
        await other
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(inf), 0.01)

    asyncio.run(in_loop())
    assert followed.sleeps == []
    assert time.time() == NEW_YEAR


def test_timers_keep_real_time(followed: FollowedTime) -> None:
    """Those of loops, of locks and of sockets run while the clock stands still, and no sooner than they should."""

    async def in_loop() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.05)
        done = asyncio.Event()
        asyncio.get_running_loop().call_later(0.05, done.set)
        await done.wait()

    started = time.monotonic()
    asyncio.run(in_loop())
    assert not threading.Event().wait(0.05)
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(0.05)
        with pytest.raises(TimeoutError):
            one.recv(1)
    assert time.monotonic() - started >= 0.2
    assert time.time() == NEW_YEAR
    assert followed.sleeps == []


def test_a_sleep_is_no_write_of_the_test(followed: FollowedTime, server: ServerThread) -> None:
    """An episode that expires while a client sleeps was lost by the client."""
    assert isinstance(server.world.store, WatchedStore)
    server.world.store.writes.clock = False  # as it is before the reset that begins a test here
    time.sleep(LONGEST)
    assert not server.world.store.writes.clock
    assert followed.sleeps == [LONGEST]


def test_a_sleep_that_is_cancelled_moves_nothing(followed: FollowedTime) -> None:
    """The clock belongs to those who wait."""

    async def cancel() -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert followed.sleeps == [60]
    assert time.time() == NEW_YEAR


# The mock itself


def test_the_thread_of_the_server_keeps_real_time(followed: FollowedTime, server: ServerThread) -> None:
    """What runs there, and what it starts in other threads, reads and sleeps as ever."""

    async def observe() -> tuple[float, float, float]:
        started = time.monotonic()
        await asyncio.sleep(0.05)
        await asyncio.to_thread(time.sleep, 0.05)
        return time.time(), await asyncio.to_thread(time.time), time.monotonic() - started

    now, of_thread, passed = server.result_of(observe())
    assert now > NEW_YEAR
    assert 0 <= of_thread - now < 60
    assert passed >= 0.1
    assert followed.sleeps == []
    assert time.time() == NEW_YEAR


def test_the_clock_of_the_mock_never_reads_the_time_of_the_test(followed: FollowedTime, server: ServerThread) -> None:
    """A clock that is made in a test and runs is that of the computer, wherever it is read."""
    real = server.result_of(_time())
    assert abs(clock.Clock.parse("real").now() - real) < 60
    assert abs(clock.computer_time() - real) < 60
    assert followed.sleeps == []


async def _time() -> float:
    return time.time()


def test_the_application_in_the_loop_of_a_test_keeps_real_time(followed: FollowedTime, server: ServerThread) -> None:
    """A response that a fault delays waits there for the clock, does not move it, and is late when somebody else does."""
    result_of(server.world.store.add_fault(FaultEntry.model_validate({"path": "/api/v1/catalog", "delay": 5})))

    async def catalog() -> int:
        transport = httpx.ASGITransport(server.app)
        headers = {"authorization": f"Bearer {KEY}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
            request = asyncio.create_task(client.get("/api/v1/catalog"))
            done, _ = await asyncio.wait([request], timeout=0.1)
            assert not done
            assert time.time() == NEW_YEAR
            await asyncio.sleep(5)
            return (await request).status_code

    assert asyncio.run(catalog()) == 200
    assert followed.sleeps == [5]
    assert time.time() == NEW_YEAR + 5


# What is hardly meant


def test_a_sleep_of_more_than_a_day_names_its_line(followed: FollowedTime) -> None:
    """A day is none, and what Python and libraries do in between is not named."""
    time.sleep(LONGEST)
    with ThreadPoolExecutor(1) as pool:  # its frames are between, and there is no other line of ours
        sleeping = pool.submit(time.sleep, NEW_YEAR)
        with pytest.raises(TooMuch, match="a sleep of 1,767,225,600 s"):
            sleeping.result()
    with pytest.raises(TooMuch) as raised:
        asyncio.run(anyio.sleep(LONGEST + 1))
    line = sys._getframe().f_lineno - 1
    assert str(raised.value) == (
        f"{os.path.relpath(__file__)}:{line} in test_a_sleep_of_more_than_a_day_names_its_line: a sleep of 86,401 s, "
        "which is more than a day.\n"
        "`X-RateLimit-Reset` is the unix time in seconds at which the quota is full again, not how long to wait"
    )
    assert time.time() == NEW_YEAR + LONGEST
    assert len(followed.sleeps) == 3


def test_ten_thousand_sleeps_are_too_many(followed: FollowedTime) -> None:
    """A loop that swallows errors is ended by the line that slept, each time."""
    followed.sleeps.extend([0.1] * (MOST - 2))
    with pytest.raises(TooMuch, match=r"test_followed_time.py:\d+ in wait: sleep number 10,000 of this test"):
        wait()
    with pytest.raises(TooMuch, match="sleep number 10,001 of this test"):
        time.sleep(1)


def wait() -> None:
    """Sleep in a way that has its own line."""
    while True:
        try:
            time.sleep(1)
        except Exception:
            continue


# Afterwards


def test_afterwards_everything_is_as_it_was(
    server: ServerThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions, references to them, modules that were imported meanwhile; and one that was kept sleeps for real."""
    (tmp_path / "imported_meanwhile.py").write_text("from time import sleep\nfrom asyncio import sleep as nap\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with follow(server) as followed:
        kept = (time.sleep,)
        import imported_meanwhile  # type: ignore[import-not-found]  # noqa: PLC0415

        client = Client()
        assert time.sleep is not REAL[1]
    assert (time.time, time.sleep, asyncio.sleep, asyncio.sleep.__code__) == REAL
    places = (sleep_by_name, client.sleep, Client.nap, EARLIER.sleep, imported_meanwhile.sleep)
    assert {id(place) for place in places} == {id(time.sleep)}
    assert Client.__init__.__defaults__ == (time.sleep,)
    assert Client.wait.__kwdefaults__ == {"sleep": time.sleep}
    assert imported_meanwhile.nap is asyncio.sleep
    assert clock.computer_time is time.time
    started = time.monotonic()
    kept[0](0.05)
    asyncio.run(asyncio.sleep(0.05))
    assert time.monotonic() - started >= 0.1
    assert followed.sleeps == []


def test_a_sleep_that_somebody_else_replaced_is_put_back(server: ServerThread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their function stands there again, whoever undoes first."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with follow(server) as followed:
        time.sleep(60)
        with monkeypatch.context() as inner:
            inner.setattr(time, "sleep", slept.append)
            time.sleep(7)
        assert followed.sleeps == [60]
    time.sleep(5)
    assert slept[-2:] == [7, 5]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_has_real_time(followed: FollowedTime) -> None:
    """It cannot see the clock move."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        time.sleep(0.01)
        os.write(writing, str(time.time() > NEW_YEAR + 1).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "True"
    assert followed.sleeps == []
