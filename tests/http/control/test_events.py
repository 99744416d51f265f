import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson
import pytest

from labs_mock.http.control import events
from labs_mock.state.bounds import Bounds
from tests.serving.test_server import ENVIRONMENT
from tests.support import KEY, Live, live, result_of, world

EVENTS = "/_mock/events"
DEADLINE = 30.0  # seconds


class Event(NamedTuple):
    """An event as a browser has it."""

    kind: str
    id: str
    data: Any


class EventReader:
    """The events of a stream, one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next(self) -> Event:
        """The next event."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                return Event(fields["event"], fields["id"], orjson.loads(fields["data"]))
        raise EOFError

    def numbers(self, count: int) -> list[int]:
        """The numbers of the next so many records."""
        found: list[int] = []
        while len(found) < count:
            event = self.next()
            assert event.kind == "records"
            found += [record["number"] for record in event.data["requests"]]
            assert event.id.endswith(f"-{found[-1]}")
        assert len(found) == count
        return found


@contextmanager
def page(server: Live, last: str = "") -> Iterator[EventReader]:
    """A page that follows what happens, perhaps again."""
    headers = {"last-event-id": last} if last else {}
    with (
        httpx.Client(base_url=server.url, timeout=DEADLINE, trust_env=False) as client,
        client.stream("GET", EVENTS, headers=headers) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        yield EventReader(response)


def request(server: Live, count: int = 1) -> None:
    """So many requests."""
    for _ in range(count):
        server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"})


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something is so."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_a_page_gets_what_happens_from_now_on(server: Live) -> None:
    """A start, then slim records: who and how, findings, faults and rewards, and no bodies; no key can be read in them."""
    request(server, 3)
    with page(server) as reader:
        first = reader.next()
        assert (first.kind, first.data) == ("start", {})
        assert first.id.endswith("-3")
        server.post("/evaluate", {"collection_slug": KEY, "unknown": 1})
        event = reader.next()
        assert event.kind == "records"
        assert event.id == first.id[:-1] + "4"
        (record,) = event.data["requests"]
        listed = server.client.get("/_mock/requests").json()["requests"][-1]
        bodies = ("request", "response")
        assert record == {name: value for name, value in listed.items() if name not in bodies}
        assert KEY not in orjson.dumps(event.data).decode()


def test_a_page_resumes_where_it_was(server: Live) -> None:
    """With the id of the last event that it had it gets all that came since, each once."""
    with page(server) as reader:
        first = reader.next()
        request(server, 2)
        assert reader.numbers(2) == [1, 2]
    request(server, 3)
    with page(server, first.id) as reader:
        assert reader.next() == first
        assert reader.numbers(5) == [1, 2, 3, 4, 5]
    with page(server, first.id[:-1] + "4") as reader:
        assert reader.next().kind == "start"
        assert reader.numbers(1) == [5]
        request(server)
        assert reader.numbers(1) == [6]


@pytest.mark.parametrize("last", ["another-epoch-1", "nonsense", "{epoch}-9", "{epoch}-x", "{epoch}--1", "{epoch}"])
def test_a_page_whose_past_is_no_more_is_reset(server: Live, last: str) -> None:
    """Another epoch, a number that there is not yet, or what is no id: it goes on with what comes."""
    request(server, 2)
    epoch = result_of(server.world.store.epoch())
    with page(server, last.replace("{epoch}", epoch)) as reader:
        event = reader.next()
        assert (event.kind, event.id) == ("reset", f"{epoch}-2")
        request(server)
        assert reader.numbers(1) == [3]


def test_a_gap_is_a_reset() -> None:
    """Where records have gone that a page had not seen, it is told so, and gets the others."""
    with live(world(bounds=Bounds(records=3))) as server:
        with page(server) as reader:
            first = reader.next()
        request(server, 9)
        with page(server, first.id) as reader:
            assert reader.next().kind == "start"
            event = reader.next()
            assert (event.kind, event.id) == ("reset", first.id[:-1] + "6")
            assert reader.numbers(3) == [7, 8, 9]


@pytest.mark.parametrize("parts", [(), ("journal",)])
def test_a_reset_ends_the_stream(server: Live, parts: tuple[str, ...]) -> None:
    """With an event of that name, behind which the page connects again and misses nothing."""
    request(server, 2)
    with page(server) as reader:
        reader.next()
        request(server)
        assert reader.numbers(1) == [3]
        server.client.post(f"/_mock/reset?only={','.join(parts)}" if parts else "/_mock/reset", json={})
        event = reader.next()
        assert (event.kind, event.id) == ("reset", f"{result_of(server.world.store.epoch())}-0")
        with pytest.raises(EOFError):
            reader.next()
    request(server, 2)
    with page(server, event.id) as reader:
        assert reader.next().kind == "start"
        assert reader.numbers(2) == [1, 2]


def test_there_are_ten_events_a_second_at_most(server: Live) -> None:
    """However many requests there are, what came in between goes together."""
    start = time.monotonic()
    with page(server) as reader:
        reader.next()
        count = got = 0
        for _ in range(10):
            request(server, 20)
        while got < 200:
            event = reader.next()
            got += len(event.data["requests"])
            count += 1
            assert count <= (time.monotonic() - start) / events.PAUSE + 1


def test_so_many_pages_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then 503 with the reason, until one of them is closed."""
    assert events.MAX_PAGES == 32
    monkeypatch.setattr(events, "MAX_PAGES", 3)
    with live(world()) as server, ExitStack() as pages:
        readers = [pages.enter_context(page(server)) for _ in range(3)]  # each closes its page when it is no more
        assert [reader.next().kind for reader in readers] == ["start"] * 3
        refused = server.client.get(EVENTS)
        assert refused.status_code == 503
        assert refused.json()["message"] == "3 pages are open on this server; close one of them"
        pages.close()
        wait_for(lambda: _is_served(server))


def _is_served(server: Live) -> bool:
    with httpx.stream("GET", server.url + EVENTS, timeout=DEADLINE, trust_env=False) as response:
        return response.status_code == 200


def test_a_page_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten seconds, which are fewer in this test, its connection is broken off, and its place is free."""
    assert events.PATIENCE == 10
    monkeypatch.setattr(events, "PATIENCE", 0.2)
    monkeypatch.setattr(events, "PAUSE", 0.0)
    monkeypatch.setattr(events, "MAX_PAGES", 1)
    monkeypatch.setattr(events, "slim", lambda record, _: {"number": record.number, "filling": "x" * 1_000_000})
    with live(world()) as server, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(server.url)
        deaf.connect((address.hostname, address.port))
        deaf.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        assert deaf.recv(20).startswith(b"HTTP/1.1 200")
        assert not _is_served(server)
        end = time.monotonic() + DEADLINE
        while not _is_served(server):
            assert time.monotonic() < end, "it was not dropped"
            request(server, 5)


def test_nothing_is_followed_without_a_page(server: Live) -> None:
    """The last page that leaves takes its follower along."""
    followers = getattr(server.world.store, "_followers", None)
    if not isinstance(followers, list):
        pytest.skip("another store")
    with page(server) as one, page(server) as other:
        one.next()
        other.next()
        wait_for(lambda: len(followers) == 2)
    request(server)
    wait_for(lambda: followers == [])


def test_it_is_not_recorded_and_the_guard_holds(server: Live) -> None:
    """As all of the control plane."""
    assert server.client.get(EVENTS, headers={"host": "evil.example"}).status_code == 403
    assert server.client.head(EVENTS).headers["content-type"] == "text/event-stream"
    with page(server) as reader:
        reader.next()
    assert server.records() == []


PATIENT = """
from labs_mock.serving import server
server.UVICORN["timeout_graceful_shutdown"] = 3_600
from labs_mock.cli.main import main
main()
"""


@pytest.mark.parametrize("reads", [True, False])
def test_a_server_with_an_open_page_stops_at_once(reads: bool) -> None:
    """One that would wait an hour for other responses does not wait for a page, be it one that reads or not."""
    command = [sys.executable, "-c", PATIENT, "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            assert process.stdout is not None
            address = urlsplit(orjson.loads(process.stdout.readline())["url"])
            with socket.create_connection((address.hostname, address.port), DEADLINE) as open_page:
                open_page.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
                assert open_page.recv(1)
                process.terminate()
                while reads and open_page.recv(65_536):
                    pass
                _, errors = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "labs-mock stopped\n")


def test_batches_are_what_is_there() -> None:
    """The records behind a number go together, up to 500 of them, and it ends when the journal is reset."""

    async def check() -> None:
        served = world()
        with live(served) as server:
            request(server, 4)
            following = events.batches(served.store, 1)
            assert [record.number for record in await anext(following)] == [2, 3, 4]
            waiting = asyncio.ensure_future(anext(following, None))
            await asyncio.sleep(0)
            await served.store.reset(("journal",))
            assert await asyncio.wait_for(waiting, DEADLINE) is None

    if type(world().store).__name__ != "MemoryStore":
        pytest.skip("a store that belongs to the loop of its server")
    asyncio.run(check())
