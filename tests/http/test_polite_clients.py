import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, groupby, islice

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from tests.http.test_batch import WHERE, conversation
from tests.http.test_envelope import check_envelope
from tests.support import Live, live, world

MINUTE = 60
PATIENCE = 200  # answers, after which a client that does not get through gives up
LIMITS = range(1, 14)
BODY = {**WHERE, "messages": conversation("Tell me what happened.")}

limits = st.sampled_from(LIMITS)
starts = st.floats(0, MINUTE, exclude_max=True)
numbers = st.integers(1, 16)


@dataclass(frozen=True)
class Answer:
    """What a client is answered, and when on its own clock it asked and was answered."""

    response: httpx.Response
    asked: float
    answered: float

    @property
    def refused(self) -> bool:
        """Whether it is a 429."""
        return self.response.status_code == 429

    @property
    def remaining(self) -> int:
        """What is left of the quota."""
        return int(self.response.headers["x-ratelimit-remaining"])

    @property
    def reset(self) -> int:
        """When the next window begins, in unix seconds."""
        return int(self.response.headers["x-ratelimit-reset"])


@dataclass(frozen=True)
class Desk:
    """Where a client asks, tells the time and sleeps."""

    server: Live
    key: str
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def ask(self) -> Answer:
        """One request."""
        asked = self.now()
        response = self.server.post("/evaluate", BODY, key=self.key)
        return Answer(response, asked, self.now())


Client = Callable[[Desk, int], Iterator[Answer]]


def sleeps_until_reset(desk: Desk, wanted: int) -> Iterator[Answer]:
    """After a 429, wait until the time that its `X-RateLimit-Reset` names."""
    while wanted:
        answer = desk.ask()
        yield answer
        wanted -= not answer.refused
        if answer.refused:
            desk.sleep(answer.reset - desk.now())


def stops_by_itself(desk: Desk, wanted: int) -> Iterator[Answer]:
    """At `Remaining: 0`, wait for the reset before asking again."""
    while wanted:
        answer = desk.ask()
        yield answer
        wanted -= not answer.refused
        if wanted and not answer.remaining:
            desk.sleep(answer.reset - desk.now())


def backs_off(desk: Desk, wanted: int) -> Iterator[Answer]:
    """After a 429, wait 1 second, then 2, 4, 8 and so on until one is not refused."""
    pause = 1
    while wanted:
        answer = desk.ask()
        yield answer
        wanted -= not answer.refused
        if answer.refused:
            desk.sleep(pause)
        pause = pause * 2 if answer.refused else 1


def naps(left: float) -> int:
    """How many pauses of 1, 2, 4 … seconds it takes until no time is left."""
    return next(number for number in count() if sum(2**nap for nap in range(number)) >= left)


@pytest.fixture(scope="module")
def frozen_server() -> Iterator[Live]:
    """A server on a frozen clock, with a key for every limit."""
    keys = [KeyEntry(key=f"lab_{limit}", organisation="a", requests_per_minute=limit) for limit in LIMITS]
    with live(world(keys=keys)) as running:
        yield running


def on_a_frozen_clock(server: Live, client: Client, start: float, limit: int, wanted: int) -> tuple[list[Answer], Desk]:
    """All answers to a client that begins at a second of the minute, and where it asked."""
    server.world.reset()
    clock = server.world.clock
    clock.advance(start)
    desk = Desk(server, f"lab_{limit}", clock.now, clock.advance)
    return list(islice(client(desk, wanted), PATIENCE)), desk


def check_windows(answers: list[Answer], limit: int, wanted: int) -> None:
    """In every window the first `limit` requests are answered alike and the others refused; all get through (RL-1, RL-2)."""
    for reset, window in groupby(answers, key=lambda answer: answer.reset):
        asked = list(window)
        assert [answer.refused for answer in asked] == [number >= limit for number in range(len(asked))]
        assert [answer.remaining for answer in asked] == [max(0, limit - 1 - number) for number in range(len(asked))]
        assert all(reset - MINUTE <= answer.answered and answer.asked < reset for answer in asked)
    assert {answer.response.headers["x-ratelimit-limit"] for answer in answers} == {str(limit)}
    through = [answer.response for answer in answers if not answer.refused]
    assert len(through) == wanted
    assert {response.status_code for response in through} == {200}
    assert len({response.json()["reward"] for response in through}) == 1
    for answer in answers:
        if answer.refused:
            assert check_envelope(answer.response, 429) == "Rate limit exceeded"
            assert "retry-after" not in answer.response.headers


def refusals(answers: list[Answer]) -> int:
    """How many were refused."""
    return sum(answer.refused for answer in answers)


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_sleeps_until_the_reset_is_refused_once_a_window(
    frozen_server: Live, start: float, limit: int, wanted: int
) -> None:
    """Each window but the last costs one 429, and the last request is sent right at a reset (RL-2)."""
    answers, desk = on_a_frozen_clock(frozen_server, sleeps_until_reset, start, limit, wanted)
    check_windows(answers, limit, wanted)
    crossed = (wanted - 1) // limit
    assert refusals(answers) == crossed
    begun = answers[0].asked
    assert desk.now() == (begun // MINUTE * MINUTE + crossed * MINUTE if crossed else begun)


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_stops_at_remaining_0_is_never_refused(frozen_server: Live, start: float, limit: int, wanted: int) -> None:
    """It sends what the other one sends at the same times, without the refused ones (RL-1, RL-2)."""
    answers, _ = on_a_frozen_clock(frozen_server, stops_by_itself, start, limit, wanted)
    check_windows(answers, limit, wanted)
    assert refusals(answers) == 0
    other, _ = on_a_frozen_clock(frozen_server, sleeps_until_reset, start, limit, wanted)
    assert [answer.asked for answer in answers] == [answer.asked for answer in other if not answer.refused]


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_backs_off_is_refused_while_the_window_lasts(
    frozen_server: Live, start: float, limit: int, wanted: int
) -> None:
    """What is left of each window says how often: refused requests use no quota and start no window (RL-2)."""
    answers, desk = on_a_frozen_clock(frozen_server, backs_off, start, limit, wanted)
    check_windows(answers, limit, wanted)
    now, refused = answers[0].asked, 0
    for _ in range((wanted - 1) // limit):
        waits = naps(MINUTE - now % MINUTE)
        now += 2**waits - 1
        refused += waits
    assert refusals(answers) == refused
    assert desk.now() == now


@pytest.mark.slow
def test_polite_clients_get_through_on_the_real_clock() -> None:
    """All at once, each with a key of its own, across one edge of the minute that they sleep through (RL-1, RL-2)."""
    clients: tuple[Client, ...] = (sleeps_until_reset, stops_by_itself, backs_off)
    keys = [KeyEntry(key=f"lab_{number}", organisation="a", requests_per_minute=5) for number in range(len(clients))]
    if MINUTE - time.time() % MINUTE < 2:
        time.sleep(2)  # five requests must fit into the first window

    def later(seconds: float) -> None:
        time.sleep(max(0, seconds) + 0.05)  # the clock that sleeps is not quite the clock that tells the time

    with live(world(keys=keys, clock="real")) as server, ThreadPoolExecutor(len(clients)) as pool:
        desks = [Desk(server, key.key, time.time, later) for key in keys]
        waiting, stopping, backing = pool.map(
            lambda client, desk: list(islice(client(desk, 8), PATIENCE)), clients, desks
        )
    for answers in (waiting, stopping, backing):
        check_windows(answers, 5, 8)
        assert len({answer.reset for answer in answers}) == 2
    assert (refusals(waiting), refusals(stopping)) == (1, 0)
    first = next(answer for answer in backing if answer.refused)
    left = first.reset - first.answered
    assert naps(left - 1) <= refusals(backing) <= naps(left)  # each pause is a little longer than asked for
