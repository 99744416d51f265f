import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.http.app import create_app
from labs_mock.http.control.journal import FILTERS
from labs_mock.state.bounds import Bounds
from tests.http.test_batch import TEXTS, WHERE, conversation, item
from tests.http.test_envelope import JSON, check_envelope
from tests.support import KEY, Live, live, result_of, world

OTHER = "lab_other"
EVALUATE = "/api/v1/evaluate"
MESSAGES = conversation("Tell me what happened.")
BODY = {**WHERE, "messages": MESSAGES}
Record = dict[str, Any]
NOTHING = {"requests": [], "count": 0, "dropped": 0, "dropped_findings": {"info": 0, "warning": 0}}


def journal(server: Live, **filters: str | int) -> dict[str, Any]:
    """The journal, or a part of it."""
    response = server.client.get("/_mock/requests", params=filters)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    assert set(page) == {"requests", "count", "dropped", "dropped_findings"}
    return page


def last(server: Live) -> Record:
    """The newest record."""
    newest: Record = journal(server, limit=1)["requests"][0]
    return newest


def port_of(response: httpx.Response) -> int:
    """The port on the client's side of the connection that a response came over."""
    port: int = response.extensions["network_stream"].get_extra_info("client_addr")[1]
    return port


@pytest.fixture(scope="module")
def history() -> Iterator[tuple[Live, list[Record]]]:
    """A server of two organisations that got many requests, and all its records."""
    keys = [KeyEntry(key=KEY, organisation="local"), KeyEntry(key=OTHER, organisation="acme")]
    with live(world(keys=keys)) as server:
        server.client.post("/_mock/faults", json={"id": "down", "path": "/api/v1/compare", "status": 503})
        first, second = server.episode(), server.episode(score_turns=True)
        for episode in (first, second, first):
            server.turn(episode, "Hello")
        server.post(f"/episodes/{first}/turns", {"messages": MESSAGES[1:]})
        server.post("/evaluate", {**BODY, "extra": 1}, key=OTHER)
        server.post("/batch/evaluate", {"items": [item("a")]}, key=OTHER)
        server.post("/compare", {**WHERE, "response_a": {"messages": MESSAGES}, "response_b": {"messages": MESSAGES}})
        server.post("/evaluate", BODY, key=None)
        server.client.get(
            "/api/v1/catalog?page=2", headers={"authorization": f"Bearer {OTHER}", "user-agent": "trainer rank 3"}
        )
        server.client.get("/nowhere")
        server.client.put(EVALUATE)
        yield server, journal(server)["requests"]


def test_a_record_says_what_was_asked_and_answered(server: Live) -> None:
    """Every field of the record of a scored turn; times are those of the server's clock."""
    episode = server.episode(score_turns=True)
    server.advance(90)
    response = server.turn(episode, "Tell me what happened.", "And then?")
    assert last(server) == {
        "number": 2,
        "received": "2026-01-01T00:01:30Z",
        "method": "POST",
        "path": f"/api/v1/episodes/{episode}/turns",
        "query": "",
        "organisation": "local",
        "peer": f"127.0.0.1:{port_of(response)}",
        "user_agent": f"python-httpx/{httpx.__version__}",
        "key": "lab_*****",
        "request_id": response.headers["x-request-id"],
        "status": 200,
        "delivery": [],
        "duration_ms": 0,
        "episode_id": episode,
        "turn": 1,
        "rewards": [response.json()["reward"]],
        "scorers": {"run": 7, "skipped": 0},
        "findings": [],
        "faults": [],
        "request": orjson.loads(response.request.content),
        "request_size": len(response.request.content),
        "response": response.json(),
        "dropped_bodies": [],
    }


FILTERED: list[tuple[dict[str, str | int], Callable[[Record], bool]]] = [
    ({"method": "GET"}, lambda record: record["method"] == "GET"),
    ({"method": "post"}, lambda record: record["method"] == "POST"),
    ({"path": EVALUATE}, lambda record: record["path"] == EVALUATE),
    ({"path": "*/turns"}, lambda record: record["path"].endswith("/turns")),
    ({"path": "/api/v1/[ce]*e"}, lambda record: bool(re.fullmatch("/api/v1/[ce].*e", record["path"]))),
    ({"status": 401}, lambda record: record["status"] == 401),
    ({"status": "200"}, lambda record: record["status"] == 200),
    ({"finding": "unknown_field"}, lambda record: "unknown_field" in [one["code"] for one in record["findings"]]),
    ({"finding": "missing_body_id"}, lambda record: "missing_body_id" in [one["code"] for one in record["findings"]]),
    ({"severity": "warning"}, lambda record: "warning" in [one["severity"] for one in record["findings"]]),
    ({"fault": "down"}, lambda record: record["faults"] == ["down"]),
    ({"organisation": "acme"}, lambda record: record["organisation"] == "acme"),
    ({"user_agent": "*rank 3"}, lambda record: record["user_agent"] == "trainer rank 3"),
    ({"after": 5}, lambda record: record["number"] > 5),
    ({"before": 3}, lambda record: record["number"] < 3),
    ({"before": 5, "after": 2}, lambda record: record["number"] in (3, 4)),
    (
        {"method": "POST", "status": 200, "organisation": "local", "after": 3},
        lambda record: record["number"] in (4, 5, 6),
    ),
]


def test_every_filter_has_its_test() -> None:
    """Those of `episode` and `peer` are below."""
    assert {name for filters, _ in FILTERED for name in filters} | {"episode", "peer"} == set(FILTERS)


@pytest.mark.parametrize(
    ("filters", "matches"), FILTERED, ids=lambda value: str(value) if isinstance(value, dict) else ""
)
def test_a_filter_finds_what_fits_and_nothing_else(
    history: tuple[Live, list[Record]], filters: dict[str, str | int], matches: Callable[[Record], bool]
) -> None:
    """A record must match all filters; records come in the order of their arrival, and `count` is how many there are."""
    server, records = history
    expected = [record for record in records if matches(record)]
    assert 0 < len(expected) < len(records)
    found = journal(server, **filters)
    assert (found["requests"], found["count"], found["dropped"]) == (expected, len(expected), 0)
    assert [record["number"] for record in records] == list(range(1, len(records) + 1))


def test_an_episode_is_followed_by_its_id(history: tuple[Live, list[Record]]) -> None:
    """From its creation on, turn by turn."""
    server, records = history
    found = journal(server, episode=records[0]["episode_id"])
    assert found["requests"] == [record for record in records if record["episode_id"] == records[0]["episode_id"]]
    assert [record["turn"] for record in found["requests"]] == [None, 1, 2, 3]


def test_the_limit_keeps_the_newest(history: tuple[Live, list[Record]]) -> None:
    """Still oldest first, of those that match, while `count` counts all of them."""
    server, records = history
    posts = [record for record in records if record["method"] == "POST"]
    for limit in (0, 1, 3, len(posts), 10**17):
        found = journal(server, method="POST", limit=limit)
        assert found["requests"] == posts[len(posts) - min(limit, len(posts)) :]
        assert found["count"] == len(posts)
    assert journal(server, status=418) == NOTHING


def test_a_thousand_are_listed_unless_more_are_asked_for(server: Live) -> None:
    """The default limit keeps the response of a long run small."""
    for _ in range(1_002):
        server.client.get("/nowhere")
    found = journal(server)
    assert (len(found["requests"]), found["requests"][0]["number"], found["count"]) == (1_000, 3, 1_002)
    assert len(journal(server, limit=2_000)["requests"]) == 1_002


BAD_QUERIES = [
    ("stauts=200", "stauts: unknown filter; did you mean 'status'?"),
    ("limits=5", "limits: unknown filter; did you mean 'limit'?"),
    ("zzz=1", "zzz: unknown filter; expected one of: method, path, status"),
    (f"{KEY}=1", "lab_*****: unknown filter"),
    (f"{OTHER}=1", "lab_other: unknown filter"),
    *((f"limit={number}", "limit: expected a whole number") for number in ("", "x", "-1", "1.5", "1e3", "\u0661", "9" * 19)),
    *((f"after={number}", "after: expected a whole number") for number in ("x", "-1", "NaN")),
]  # fmt: skip


@pytest.mark.parametrize(("query", "message"), BAD_QUERIES)
def test_a_bad_query_names_what_is_wrong(server: Live, query: str, message: str) -> None:
    """A misspelt filter would otherwise find everything, or nothing (ERR-1, ERR-2)."""
    assert check_envelope(server.client.get(f"/_mock/requests?{query}"), 400).startswith(message)


def test_what_had_to_go_is_counted() -> None:
    """`count` has what is stored, `dropped` what no longer is, and numbers go on; deleting forgets all three."""
    bounded = world(bounds=Bounds(records=3, journal=100_000))
    with live(bounded) as server:
        for _ in range(5):
            server.client.get("/nowhere")
        found = journal(server)
        assert [record["number"] for record in found["requests"]] == [3, 4, 5]
        assert (found["count"], found["dropped"]) == (3, 2)
        assert server.client.request("DELETE", "/_mock/requests", json={}).json() == NOTHING
        assert journal(server) == NOTHING
        server.client.get("/nowhere")
        assert last(server)["number"] == 1


def responses(server: Live, requests: list[int], between: Callable[[], object]) -> list[tuple[int, Any, bytes]]:
    """What some requests get, while something happens before each of them."""
    found = []
    for number in requests:
        between()
        response = KINDS[number](server)
        found.append((response.status_code, response.headers.raw, response.content))
    return found


KINDS: list[Callable[[Live], httpx.Response]] = [
    lambda server: server.post("/evaluate", {**BODY, "extra": 1}),
    lambda server: server.post("/evaluate", BODY, key=None),
    lambda server: server.post("/episodes", WHERE),
    lambda server: server.turn(server.episode(score_turns=True), TEXTS[1]),
    lambda server: server.client.get("/api/v1/catalog", headers=JSON),
    lambda server: server.client.get("/nowhere"),
]


@settings(max_examples=20)
@given(st.lists(st.integers(0, len(KINDS) - 1), max_size=8))
def test_the_journal_changes_no_answer(shared_server: Live, requests: list[int]) -> None:
    """Whoever reads it or deletes it in between: status, headers and body are the same (DET-1)."""

    def look() -> None:
        journal(shared_server, finding="unknown_field")
        shared_server.client.request("DELETE", "/_mock/requests", json={})

    shared_server.reset()
    plain = responses(shared_server, requests, lambda: None)
    shared_server.reset()
    assert responses(shared_server, requests, look) == plain


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/openapi.json", 200), ("PUT", "/openapi.json", 405), ("GET", "/elsewhere", 404)],
)
def test_what_is_outside_the_api_is_in_the_journal_too(server: Live, method: str, path: str, status: int) -> None:
    """Every request is but those of the control plane and of pages for people, without the document in the response."""
    server.client.request(method, path)
    record = last(server)
    assert (record["method"], record["path"], record["status"]) == (method, path, status)
    assert (record["response"] is None) == (status == 200)


def test_processes_that_share_a_key_are_told_apart(server: Live) -> None:
    """By their connections and by what they call themselves, which is cut after 200 characters; without a header it is empty."""
    names = {"rank 0": "rank 0", "rank 1": "rank 1", "x" * 300: "x" * 200}
    ports = {}
    for name in names:
        with httpx.Client(base_url=server.url, headers={"user-agent": name}) as client:
            responses = [client.post(EVALUATE, json=BODY, headers={"authorization": f"Bearer {KEY}"}) for _ in range(2)]
            ports[name] = port_of(responses[1])
    for name, shown in names.items():
        found = journal(server, user_agent=shown)["requests"]
        assert [one["peer"] for one in found] == [f"127.0.0.1:{ports[name]}"] * 2
        assert journal(server, peer=f"*:{ports[name]}")["requests"] == found
    request = server.client.build_request("GET", EVALUATE)
    del request.headers["user-agent"]
    server.client.send(request)
    assert last(server)["user_agent"] == ""


def test_a_transport_without_a_socket_has_no_peer() -> None:
    """The address that httpx makes up for all requests in the process is not shown: connections would look like one."""
    app = create_app(served := world())

    async def call() -> None:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 123))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            await client.get("/api/v1/catalog")

    asyncio.run(call())
    (record,) = result_of(served.store.records(0, 1))
    assert record.peer is None


def test_a_journal_without_bodies(server: Live) -> None:
    """Every record is as it is with them, but that the bodies are absent."""
    server.post("/evaluate", {"unknown": 1})
    server.client.get("/nowhere")
    whole, slim = (server.client.get(f"/_mock/requests?bodies={one}").json() for one in ("true", "false"))
    assert whole == server.client.get("/_mock/requests").json()
    bodies = ("request", "response")
    assert slim == {
        **whole,
        "requests": [{name: one[name] for name in one if name not in bodies} for one in whole["requests"]],
    }
    refused = server.client.get("/_mock/requests?bodies=no")
    assert (refused.status_code, refused.json()["message"]) == (400, "bodies: expected true or false")


def test_pages_back_from_the_newest(server: Live) -> None:
    """With `before` and `limit` the whole journal is read from its end, each request once."""
    for number in range(7):
        server.client.get(f"/nowhere/{number}")
    found: list[int] = []
    while len(found) < 7:
        before = f"&before={found[0]}" if found else ""
        page = server.client.get(f"/_mock/requests?limit=3&bodies=false{before}").json()
        found = [record["number"] for record in page["requests"]] + found
    assert found == list(range(1, 8))


def test_one_request_is_shown_by_its_number(server: Live) -> None:
    """As the list has it; for one that there is not it is a 404."""
    server.post("/evaluate", {"unknown": 1})
    server.client.get("/nowhere")
    for record in server.client.get("/_mock/requests").json()["requests"]:
        assert server.client.get(f"/_mock/requests/{record['number']}").json() == record
    for number in ("0", "3", "x", "9" * 30, "-1"):
        missing = server.client.get(f"/_mock/requests/{number}")
        assert missing.status_code == 404
        assert missing.json()["message"] == "The journal has no request with this number, or no longer"
