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
PATIENCE = 200  # responses, after which a client that does not get through gives up
LIMITS = range(1, 14)
BODY = {**WHERE, "messages": conversation("Tell me what happened.")}

limits = st.sampled_from(LIMITS)
starts = st.floats(0, MINUTE, exclude_max=True)
numbers = st.integers(1, 16)


@dataclass(frozen=True)
class TimedResponse:
    """A response, and when on the client's own clock its request was sent and it was received."""

    response: httpx.Response
    sent_at: float
    received_at: float

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
class Terminal:
    """Where a client sends requests, reads the time and sleeps."""

    server: Live
    key: str
    now: Callable[[], float]
    sleep: Callable[[float], None]

    def send(self) -> TimedResponse:
        """One request."""
        sent_at = self.now()
        response = self.server.post("/evaluate", BODY, key=self.key)
        return TimedResponse(response, sent_at, self.now())


Client = Callable[[Terminal, int], Iterator[TimedResponse]]


def sleeps_until_reset(terminal: Terminal, wanted: int) -> Iterator[TimedResponse]:
    """After a 429, wait until the time that its `X-RateLimit-Reset` names."""
    while wanted:
        response = terminal.send()
        yield response
        wanted -= not response.refused
        if response.refused:
            terminal.sleep(response.reset - terminal.now())


def stops_by_itself(terminal: Terminal, wanted: int) -> Iterator[TimedResponse]:
    """At `Remaining: 0`, wait for the reset before the next request."""
    while wanted:
        response = terminal.send()
        yield response
        wanted -= not response.refused
        if wanted and not response.remaining:
            terminal.sleep(response.reset - terminal.now())


def backs_off(terminal: Terminal, wanted: int) -> Iterator[TimedResponse]:
    """After a 429, wait 1 second, then 2, 4, 8 and so on until one is not refused."""
    pause = 1
    while wanted:
        response = terminal.send()
        yield response
        wanted -= not response.refused
        if response.refused:
            terminal.sleep(pause)
        pause = pause * 2 if response.refused else 1


def naps(left: float) -> int:
    """How many pauses of 1, 2, 4 … seconds it takes until no time is left."""
    return next(number for number in count() if sum(2**nap for nap in range(number)) >= left)


@pytest.fixture(scope="module")
def frozen_server() -> Iterator[Live]:
    """A server on a frozen clock, with a key for every limit."""
    keys = [KeyEntry(key=f"lab_{limit}", organisation="a", requests_per_minute=limit) for limit in LIMITS]
    with live(world(keys=keys)) as running:
        yield running


def on_a_frozen_clock(
    server: Live, client: Client, start: float, limit: int, wanted: int
) -> tuple[list[TimedResponse], Terminal]:
    """All responses to a client that begins at a second of the minute, and its terminal."""
    server.reset()
    server.advance(start)
    terminal = Terminal(server, f"lab_{limit}", server.now, server.advance)
    return list(islice(client(terminal, wanted), PATIENCE)), terminal


def check_windows(responses: list[TimedResponse], limit: int, wanted: int) -> None:
    """In every window the first `limit` requests are accepted and the others refused; all get through (RL-1, RL-2)."""
    for reset, window in groupby(responses, key=lambda response: response.reset):
        sent_at = list(window)
        assert [response.refused for response in sent_at] == [number >= limit for number in range(len(sent_at))]
        assert [response.remaining for response in sent_at] == [
            max(0, limit - 1 - number) for number in range(len(sent_at))
        ]
        assert all(reset - MINUTE <= response.received_at and response.sent_at < reset for response in sent_at)
    assert {response.response.headers["x-ratelimit-limit"] for response in responses} == {str(limit)}
    through = [response.response for response in responses if not response.refused]
    assert len(through) == wanted
    assert {response.status_code for response in through} == {200}
    assert len({response.json()["reward"] for response in through}) == 1
    for response in responses:
        if response.refused:
            assert check_envelope(response.response, 429) == "Rate limit exceeded"
            assert "retry-after" not in response.response.headers


def refusals(responses: list[TimedResponse]) -> int:
    """How many were refused."""
    return sum(response.refused for response in responses)


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_sleeps_until_the_reset_is_refused_once_a_window(
    frozen_server: Live, start: float, limit: int, wanted: int
) -> None:
    """Each window but the last costs one 429, and the last request is sent right at a reset (RL-2)."""
    responses, terminal = on_a_frozen_clock(frozen_server, sleeps_until_reset, start, limit, wanted)
    check_windows(responses, limit, wanted)
    crossed = (wanted - 1) // limit
    assert refusals(responses) == crossed
    begun = responses[0].sent_at
    assert terminal.now() == (begun // MINUTE * MINUTE + crossed * MINUTE if crossed else begun)


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_stops_at_remaining_0_is_never_refused(frozen_server: Live, start: float, limit: int, wanted: int) -> None:
    """It sends what the other one sends at the same times, without the refused ones (RL-1, RL-2)."""
    responses, _ = on_a_frozen_clock(frozen_server, stops_by_itself, start, limit, wanted)
    check_windows(responses, limit, wanted)
    assert refusals(responses) == 0
    other, _ = on_a_frozen_clock(frozen_server, sleeps_until_reset, start, limit, wanted)
    assert [response.sent_at for response in responses] == [
        response.sent_at for response in other if not response.refused
    ]


@settings(max_examples=40)
@given(starts, limits, numbers)
def test_who_backs_off_is_refused_while_the_window_lasts(
    frozen_server: Live, start: float, limit: int, wanted: int
) -> None:
    """What is left of each window says how often: refused requests use no quota and start no window (RL-2)."""
    responses, terminal = on_a_frozen_clock(frozen_server, backs_off, start, limit, wanted)
    check_windows(responses, limit, wanted)
    now, refused = responses[0].sent_at, 0
    for _ in range((wanted - 1) // limit):
        waits = naps(MINUTE - now % MINUTE)
        now += 2**waits - 1
        refused += waits
    assert refusals(responses) == refused
    assert terminal.now() == now


@pytest.mark.slow
def test_polite_clients_get_through_on_the_real_clock() -> None:
    """All at once, each with a key of its own, across one edge of the minute that they sleep through (RL-1, RL-2)."""
    clients: tuple[Client, ...] = (sleeps_until_reset, stops_by_itself, backs_off)
    keys = [KeyEntry(key=f"lab_{number}", organisation="a", requests_per_minute=5) for number in range(len(clients))]
    if MINUTE - time.time() % MINUTE < 2:
        time.sleep(2)  # the first window must be long enough for five requests

    def later(seconds: float) -> None:
        time.sleep(max(0, seconds) + 0.05)  # the clock that sleeps is not quite the clock that is read

    with live(world(keys=keys, clock="real")) as server, ThreadPoolExecutor(len(clients)) as pool:
        terminals = [Terminal(server, key.key, time.time, later) for key in keys]
        waiting, stopping, backing = pool.map(
            lambda client, terminal: list(islice(client(terminal, 8), PATIENCE)), clients, terminals
        )
    for responses in (waiting, stopping, backing):
        check_windows(responses, 5, 8)
        assert len({response.reset for response in responses}) == 2
    assert (refusals(waiting), refusals(stopping)) == (1, 0)
    first = next(response for response in backing if response.refused)
    left = first.reset - first.received_at
    assert naps(left - 1) <= refusals(backing) <= naps(left)  # each pause is a little longer than requested
