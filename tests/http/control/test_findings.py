import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import httpx
import pytest

from labs_mock.contract.findings import RUN_KINDS
from tests.http.datasets import LONG, dataset, with_datasets
from tests.support import KEY, OPENING, Live, live, world

WHERE = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
HEADERS = {"authorization": f"Bearer {KEY}"}
EXPORT = f"/api/v1/training-datasets/{LONG}/export"
FIRST, SECOND = "Tell me what happened.", "Are you worried?"
DONE = {"role": "assistant", "content": "", "tool_calls": [{"type": "decision", "name": "claim_status", "input": {"value": "denied"}}]}  # fmt: skip


def conversation(text: str = FIRST) -> dict[str, Any]:
    """An evaluation of one sentence."""
    return {**WHERE, "messages": [{"role": "user", "content": OPENING}, {"role": "assistant", "content": text}]}


def findings(server: Live, **filters: str) -> list[dict[str, Any]]:
    """What `/_mock/findings` lists."""
    response = server.client.get("/_mock/findings", params=filters).raise_for_status()
    listed: list[dict[str, Any]] = response.json()["findings"]
    return listed


# Clients


def retries_what_is_unknown(server: Live) -> None:
    """Three attempts at a scenario that there is not."""
    for _ in range(3):
        assert server.post("/evaluate", {**conversation(), "scenario_slug": "backclaim"}).status_code == 404


def retries_what_is_wrong(server: Live) -> None:
    """Five attempts at a body that is refused, each over a connection of its own."""
    for _ in range(5):
        body = {**conversation(), "messages": "Hello."}
        assert httpx.post(f"{server.url}/api/v1/evaluate", json=body, headers=HEADERS).status_code == 400


def retries_without_a_key(server: Live) -> None:
    """Three attempts with a key that is none."""
    for _ in range(3):
        assert server.post("/evaluate", conversation(), key="lab_wrong").status_code == 401


def asks_until_it_is_there(server: Live) -> None:
    """Two attempts, then the scenario is there; and other requests that are refused once."""
    for slug in ("a", "a", "b", "c", "d"):
        assert server.post("/evaluate", {**conversation(), "scenario_slug": slug}).status_code == 404
    for _ in range(4):
        assert server.post("/evaluate", conversation()).status_code == 200


def spend(server: Live) -> None:
    """All of a standard quota."""
    for number in range(60):
        assert server.post("/evaluate", conversation(f"Question {number}")).status_code == 200


def retries_429_at_once(server: Live) -> None:
    """Four attempts in the same minute."""
    spend(server)
    for _ in range(4):
        assert server.post("/evaluate", conversation()).status_code == 429


def retries_429_over_new_connections(server: Live) -> None:
    """The same, as functions do that have no session."""
    spend(server)
    for _ in range(4):
        assert httpx.post(f"{server.url}/api/v1/evaluate", json=conversation(), headers=HEADERS).status_code == 429


def drops_what_is_limited(server: Live) -> None:
    """One after the other, each tried once."""
    spend(server)
    for number in range(4):
        assert server.post("/evaluate", conversation(f"Dropped {number}")).status_code == 429


def waits_for_the_reset(server: Live) -> None:
    """One after the other; each 429 is waited out."""
    for number in range(130):
        while server.post("/evaluate", conversation(f"Question {number % 3}")).status_code == 429:
            server.advance(60)


def tasks_that_wait(server: Live, texts: int, attempts: int) -> None:
    """90 tasks at once over ten connections; those that are refused wait, and try again so often."""

    async def call(client: httpx.AsyncClient, number: int) -> int:
        body = conversation(f"Question {number % texts}")
        return (await client.post("/api/v1/evaluate", json=body)).status_code

    async def play() -> None:
        limits = httpx.Limits(max_connections=10)
        async with httpx.AsyncClient(base_url=server.url, headers=HEADERS, limits=limits) as client:
            waiting = list(range(90))
            for _ in range(attempts):
                statuses = await asyncio.gather(*(call(client, number) for number in waiting))
                waiting = [number for number, status in zip(waiting, statuses, strict=True) if status == 429]
                await asyncio.to_thread(server.advance, 60)
        assert len(waiting) == (30 if attempts == 1 else 0)

    asyncio.run(play())


def retries_503_at_once(server: Live) -> None:
    """The second attempt follows on the first."""
    assert [server.post("/evaluate", conversation()).status_code for _ in range(2)] == [503, 200]


def retries_a_lost_answer_at_once(server: Live) -> None:
    """The connection was closed without an answer."""
    with pytest.raises(httpx.RemoteProtocolError):
        server.post("/evaluate", conversation())
    assert server.post("/evaluate", conversation()).status_code == 200


def waits_after_503(server: Live) -> None:
    """Five seconds of the clock."""
    assert server.post("/evaluate", conversation()).status_code == 503
    time.sleep(0.05)
    assert server.post("/evaluate", conversation()).status_code == 200


def sends_a_lost_turn_again(server: Live) -> None:
    """New messages alone; the second turn is sent again until there is an answer."""
    episode = server.episode()
    server.turn(episode, FIRST)
    for _ in range(2):
        with suppress(httpx.ReadError):
            server.turn(episode, SECOND)
    server.turn(episode, DONE)


def sends_again_what_took_too_long(server: Live) -> None:
    """A client that leaves after a fifth of a second, and comes back with the same turn."""
    episode = server.episode()
    body = {"id": episode, "messages": [{"role": "assistant", "content": FIRST}]}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/api/v1/episodes/{episode}/turns", json=body, headers=HEADERS, timeout=0.2)
    server.turn(episode, FIRST)
    server.turn(episode, DONE)


def says_the_same_twice(server: Live) -> None:
    """An operator that repeats itself, and has both answers; the answer to a third turn is lost, and the rollout is given up."""
    episode = server.episode()
    server.turn(episode, FIRST)
    server.turn(episode, FIRST)
    with pytest.raises(httpx.ReadError):
        server.turn(episode, SECOND)


def history(server: Live, episode: str, before: list[dict[str, Any]], *texts: str) -> list[dict[str, Any]]:
    """The messages of an episode after some turns of text, each sent with all that was said before it."""
    messages = list(before)
    for text in texts:
        messages.append({"role": "assistant", "content": text})
        response = server.turn(episode, *messages).json()
        messages.append({"role": "user", "content": response["observation"]["content"]})
    return messages


def begun() -> list[dict[str, Any]]:
    """The messages of an episode that has begun."""
    return [{"role": "user", "content": OPENING}]


def keeps_its_messages(server: Live) -> None:
    """One list of messages for all rollouts."""
    messages = history(server, server.episode(), begun(), FIRST, "Thank you.")
    second = server.episode()
    history(server, second, [*messages, *begun()], SECOND, FIRST)


def answers_another_rollout(server: Live) -> None:
    """The last exchange of one episode, sent to the other."""
    first, second = server.episode(), server.episode()
    observed = server.turn(first, FIRST).json()["observation"]["content"]
    server.turn(second, {"role": "user", "content": observed}, {"role": "assistant", "content": SECOND})


def plays_two_at_a_time(server: Live) -> None:
    """Each with messages of its own, whole or new ones alone; both say and hear the same."""
    first, second, third = (server.episode() for _ in range(3))
    one, other = begun(), begun()
    for text in (FIRST, SECOND, "Thank you."):
        one = history(server, first, one, text)
        other = history(server, second, other, text)
        server.turn(third, text)
    for episode in (first, second, third):
        server.turn(episode, DONE)


def takes_a_part_for_all(server: Live) -> None:
    """Rows as long as there are any."""
    with suppress(httpx.RemoteProtocolError), server.client.stream("GET", EXPORT, headers=HEADERS) as response:
        assert len(list(response.iter_lines())) < 20


def exports_again(server: Live) -> None:
    """Until the rows are as many as the header says."""
    takes_a_part_for_all(server)
    response = server.client.get(EXPORT, headers=HEADERS)
    assert len(response.text.splitlines()) == int(response.headers["x-row-count"])


def gets_no_part(server: Live) -> None:
    """The connection breaks before the first row, and the client reports that."""
    with pytest.raises(httpx.RemoteProtocolError):
        server.client.get(EXPORT, headers=HEADERS)


def submits_no_last_turn(server: Live) -> None:
    """It stops after a turn."""
    server.turn(server.episode(), FIRST)


def ends_what_it_begins(server: Live) -> None:
    """One episode by a turn, the other over the control plane."""
    server.turn(server.episode(), DONE)
    other = server.episode()
    server.turn(other, FIRST)
    server.client.post(f"/_mock/episodes/{other}/terminate", json={}).raise_for_status()


class Case(NamedTuple):
    """A client, the findings over the run that it causes with the numbers of their requests, the faults, and the clock and plan."""

    client: Callable[[Live], None]
    found: list[tuple[str, list[int]]]
    faults: tuple[dict[str, Any], ...] = ()
    clock: str = "frozen"
    plan: str = "enterprise"


DOWN = {"path": "*/evaluate", "first": 1, "status": 503}
LOST = {"path": "*/turns", "nth": 2, "reset": 10}
CUT = {"path": EXPORT, "first": 1, "cut_after_line": 3}
AFTER_60 = {"plan": "standard"}

MISTAKES = [
    Case(retries_what_is_unknown, [("retried_on_400", [1, 2, 3])]),
    Case(retries_what_is_wrong, [("retried_on_400", [1, 2, 3, 4, 5])]),
    Case(retries_without_a_key, [("retried_on_400", [1, 2, 3])]),
    Case(retries_429_at_once, [("ignored_rate_limit", [61, 62, 63, 64])], plan="standard"),
    Case(retries_429_over_new_connections, [("ignored_rate_limit", [61, 62, 63, 64])], plan="standard"),
    Case(drops_what_is_limited, [("ignored_rate_limit", [61, 62, 63, 64])], plan="standard"),
    Case(retries_503_at_once, [("retried_too_fast", [1, 2])], (DOWN,), clock="real"),
    Case(
        retries_a_lost_answer_at_once,
        [("retried_too_fast", [1, 2])],
        ({"path": "*/evaluate", "first": 1, "close": True},),
        clock="real",
    ),
    Case(sends_a_lost_turn_again, [("duplicate_turn", [3, 4])], (LOST,)),
    Case(
        sends_again_what_took_too_long,
        [("duplicate_turn", [2, 3])],
        ({"path": "*/turns", "first": 1, "delay": 60},),
    ),
    Case(
        keeps_its_messages,
        [("episode_unfinished", [1, 3]), ("stale_episode", [2, 5, 6]), ("episode_unfinished", [4, 6])],
    ),
    Case(
        answers_another_rollout,
        [("episode_unfinished", [1, 3]), ("episode_unfinished", [2, 4]), ("stale_episode", [3, 4])],
    ),
    Case(takes_a_part_for_all, [("partial_export_accepted", [1])], (CUT,)),
    Case(submits_no_last_turn, [("episode_unfinished", [1, 2])]),
]
SOUND = [
    Case(asks_until_it_is_there, []),
    Case(waits_for_the_reset, [], plan="standard"),
    Case(lambda server: tasks_that_wait(server, texts=1, attempts=2), [], plan="standard"),
    Case(lambda server: tasks_that_wait(server, texts=90, attempts=2), [], plan="standard"),
    Case(lambda server: tasks_that_wait(server, texts=90, attempts=1), [], plan="standard"),
    Case(retries_503_at_once, [], (DOWN,)),  # no time goes by on a frozen clock, however long the client waits
    Case(waits_after_503, [], (DOWN,), clock="x100"),
    Case(says_the_same_twice, [("episode_unfinished", [1, 4])], ({**LOST, "nth": 3},)),
    Case(plays_two_at_a_time, []),
    Case(exports_again, [], (CUT,)),
    Case(gets_no_part, [], ({"path": EXPORT, "first": 1, "close": True},)),
    Case(ends_what_it_begins, []),
]


@pytest.fixture
def exporting() -> Iterator[Live]:
    """A server with a dataset of twenty rows."""
    with live(with_datasets(dataset(LONG, count=20))) as server:
        yield server


@pytest.mark.parametrize("case", [*MISTAKES, *SOUND], ids=lambda case: case.client.__name__)
def test_a_client_is_found_by_what_it_does(case: Case, request: pytest.FixtureRequest) -> None:
    """Every code by a client that makes the mistake over a socket, and nothing by one that does it right (EP-7, RL-2, DS-4)."""
    if any(fault["path"] == EXPORT for fault in case.faults):
        run(case, request.getfixturevalue("exporting"))
        return
    with live(world(clock=case.clock, plan=case.plan)) as server:
        run(case, server)


def run(case: Case, server: Live) -> None:
    """Let a client run, and look at what it caused."""
    for fault in case.faults:
        server.client.post("/_mock/faults", json=fault).raise_for_status()
    case.client(server)
    over_run = [one for one in findings(server) if one["code"] in RUN_KINDS]
    assert [(one["code"], one["requests"]) for one in over_run] == case.found


def test_every_code_is_in_a_case() -> None:
    """Of the second table of section 7."""
    assert {code for case in MISTAKES for code, _ in case.found} == {*RUN_KINDS}


def test_what_is_listed() -> None:
    """Findings of single requests among them, by their first request, each with what it is about; and the requests, masked."""
    with live(world()) as server:
        for _ in range(3):
            server.client.get(f"/api/v1/{KEY}", headers={**HEADERS, "user-agent": f"rank 0 of {KEY}"})
        server.post("/evaluate", {**conversation(), "mesages": []})
        listed = server.client.get("/_mock/findings").json()
        assert listed["findings"] == [
            {
                "code": "retried_on_400",
                "severity": "warning",
                "over_run": True,
                "place": "",
                "hint": "answered 404, and sent again twice",
                "requests": [1, 2, 3],
            },
            {
                "code": "unknown_field",
                "severity": "warning",
                "over_run": False,
                "place": "mesages",
                "hint": "did you mean 'messages'?",
                "requests": [4],
            },
        ]
        assert [one["number"] for one in listed["requests"]] == [1, 2, 3, 4]
        peer = f"127.0.0.1:{server.records()[0].peer[1]}"  # type: ignore[index]
        assert listed["requests"][0] == {
            "number": 1,
            "received": "2026-01-01T00:00:00Z",
            "method": "GET",
            "path": "/api/v1/lab_*****",
            "query": "",
            "organisation": "local",
            "peer": peer,
            "user_agent": "rank 0 of lab_*****",
            "status": 404,
            "delivery": [],
            "episode_id": None,
            "turn": None,
        }
        assert (listed["dropped"], listed["dropped_findings"]) == (0, {"info": 0, "warning": 0})


def test_findings_can_be_chosen() -> None:
    """By their code and by their severity; another filter is refused with a hint."""
    with live(world()) as server:
        submits_no_last_turn(server)
        server.post("/evaluate", {**conversation(), "mesages": []})
        assert [one["code"] for one in findings(server, severity="info")] == ["episode_unfinished"]
        assert [one["code"] for one in findings(server, severity="warning")] == ["unknown_field"]
        assert [one["requests"] for one in findings(server, code="unknown_field")] == [[3]]
        assert findings(server, code="unknown_field", severity="info") == []
        refused = server.client.get("/_mock/findings?sevrity=info")
        assert (refused.status_code, refused.json()["message"]) == (
            400,
            "sevrity: unknown filter; did you mean 'severity'?",
        )


def test_requests_at_the_same_time_are_no_retries() -> None:
    """Whatever arrives before an answer has gone out, however often; from then on it counts (`retry`, section 7)."""
    with live(world()) as server:
        for fault in ({"path": "*/evaluate", "status": 404}, {"path": "*/evaluate", "delay": 60}):
            server.client.post("/_mock/faults", json=fault).raise_for_status()
        with ThreadPoolExecutor(4) as pool:
            for attempt in range(3):
                waiting = [pool.submit(httpx.post, f"{server.url}/api/v1/evaluate", json=conversation(), headers=HEADERS) for _ in range(4)]  # fmt: skip
                while len(server.records()) < 4 * attempt + 4:
                    time.sleep(0.01)
                assert not any(one.done() for one in waiting)
                convicted = [number for one in findings(server) for number in one["requests"]]
                assert len(convicted) == (0, 5, 9)[attempt]
                server.advance(60)
                assert [one.result().status_code for one in waiting] == [404] * 4
                assert [number for one in findings(server) for number in one["requests"]] == convicted
