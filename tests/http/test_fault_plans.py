from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.http.clients import quiet
from tests.http.test_batch import WHERE, conversation, item
from tests.http.test_envelope import LIMITS, check_envelope
from tests.support import Live, world

TEXT = "Tell me what happened."
EVALUATE = "/api/v1/evaluate"
EXPORT = "/api/v1/training-datasets/0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938/export"
BODY = {**WHERE, "messages": conversation(TEXT)}


@pytest.fixture
def served() -> Iterator[Live]:
    """A server on a frozen clock that must not log anything, now or when it stops."""
    with quiet(world()) as server:
        yield server


def add(server: Live, **fault: Any) -> None:
    """Add a fault."""
    assert server.client.post("/_mock/faults", json=fault).status_code == 200


def requests_of(server: Live, query: str = "") -> list[dict[str, Any]]:
    """The journal."""
    return list(server.client.get(f"/_mock/requests{query}").json()["requests"])


def turns(server: Live, episode: str) -> int:
    """How many turns an episode has."""
    return int(server.client.get(f"/_mock/episodes/{episode}").json()["turn"])


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, None), (401, "Invalid or missing API key"), (403, "No active subscription for collection"), (404, None),
     (429, "Rate limit exceeded"), (500, None), (502, None), (503, None), (599, None)],
)  # fmt: skip
def test_an_error_has_the_envelope_and_leaves_everything_as_it_was(
    served: Live, status: int, message: str | None
) -> None:
    """No turn is taken and no quota used; the message is the contract's, or the plan's (ERR-1, EP-15, RL-1)."""
    episode = served.episode(score_turns=True)
    add(served, path="*/turns", nth=1, status=status)
    add(served, path="*/turns", nth=2, status=status, message="Down for maintenance")
    text = check_envelope(served.turn(episode, TEXT), status)
    assert message in (None, text)
    assert check_envelope(served.turn(episode, TEXT), status) == "Down for maintenance"
    assert turns(served, episode) == 0
    response = served.turn(episode, TEXT)
    assert (response.json()["turn"], response.headers["x-ratelimit-remaining"]) == (1, "999998")


def test_a_429_has_its_headers(served: Live) -> None:
    """The limit of the key, nothing left, and when that changes; without a key there is no quota to report (RL-1, RL-2)."""
    add(served, status=429)
    response = served.post("/evaluate", BODY)
    assert check_envelope(response, 429) == "Rate limit exceeded"
    assert [response.headers[name] for name in LIMITS] == ["1000000", "0", "1767225660"]
    assert "retry-after" not in response.headers
    assert not set(LIMITS) & set(served.post("/evaluate", BODY, key=None).headers)


BREAKING = [{"close": True}, {"reset": "head"}, {"reset": 5}, {"cut": 5}]


@pytest.mark.parametrize("fault", [*BREAKING, {"garbage": True}])
def test_what_befalls_an_answer_on_its_way_undoes_nothing(served: Live, fault: dict[str, Any]) -> None:
    """The turn was taken before the wire broke, so that a client that tries again takes a further one (EP-15)."""
    episode = served.episode(score_turns=True)
    add(served, path="*/turns", attempts=1, **fault)
    if "garbage" in fault:
        assert served.turn(episode, TEXT).status_code == 200
    else:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            served.turn(episode, TEXT)
    assert turns(served, episode) == 1
    assert served.turn(episode, TEXT).json()["turn"] == 2


def test_attempts_count_at_one_and_the_same_request(served: Live) -> None:
    """The first two attempts of every request fail, however they mix, and the third gets through."""
    add(served, path=EVALUATE, attempts=2, status=503)
    bodies = [{**BODY, "messages": conversation(text)} for text in ("one", "two")]
    order = [0, 1, 1, 1, 0, 0, 1]
    assert [served.post("/evaluate", bodies[which]).status_code for which in order] == [
        503,
        503,
        503,
        200,
        503,
        200,
        200,
    ]


def test_the_journal_records_faults_by_their_ids(served: Live) -> None:
    """All that was applied to a request, with the response that was made before the wire broke; `fault` finds them."""
    add(served, id="slow", path=EVALUATE, every=2, delay=0)
    add(served, id="cut-off", path=EVALUATE, nth=2, cut=5)
    add(served, id="down", path=EVALUATE, nth=3, status=503)
    for number in range(3):
        if number == 1:
            with pytest.raises(httpx.RemoteProtocolError):
                served.post("/evaluate", BODY)
        else:
            served.post("/evaluate", BODY)
    assert [(one["status"], one["faults"]) for one in requests_of(served)] == [
        (200, []),
        (200, ["slow", "cut-off"]),
        (503, ["down"]),
    ]
    (cut,) = requests_of(served, "?fault=cut-off")
    assert cut["response"]["reward"] == requests_of(served)[0]["response"]["reward"]
    assert [one["number"] for one in requests_of(served, "?fault=down&status=503")] == [3]
    assert requests_of(served, "?fault=slo") == []


def test_faults_of_scenarios_find_them_wherever_they_are_named(served: Live) -> None:
    """In a body, in an item of a batch, and by the episode; the organisation is that of the key (AUTH-2)."""
    add(served, id="one", scenario_slug="back-claim", collection_slug="case-management", delay=0)
    add(served, id="other", scenario_slug="another", delay=0)
    add(served, id="whose", organisation="local", delay=0)
    episode = served.episode()
    served.turn(episode, TEXT)
    served.post("/evaluate", BODY)
    served.post("/batch/evaluate", {"items": [item("a", scenario_slug="another"), item("b")]})
    served.post("/evaluate", {**BODY, "scenario_slug": "nothing"}, key=None)
    served.turn("ep_nobody", TEXT)
    served.client.get("/api/v1/catalog")
    one, both, whose = ["one", "whose"], ["one", "other", "whose"], ["whose"]
    assert [record["faults"] for record in requests_of(served)] == [one, one, one, both, [], whose, []]


def test_several_faults_befall_a_batch_by_its_items(served: Live) -> None:
    """Numbers are those of the items as they were sent, in whatever order the faults were added (BAT-1)."""
    faults: list[dict[str, Any]] = [{"drop_result": 0}, {"fail_item": 1}, {"reverse_results": True}, {"drop_result": 2}]
    body = {"items": [item(name) for name in "abcd"]}
    for order in (faults, faults[::-1]):
        served.remove_faults()
        for fault in order:
            add(served, **fault)
        results = served.post("/batch/evaluate", body).json()["results"]
        assert [(one["id"], one["status"]) for one in results] == [("d", "success"), ("b", "error")]


def settle(server: Live) -> None:
    """Requests that all wait for their turns; what could have happened by now has happened."""
    for _ in range(100):
        assert server.client.get("/_mock/health").status_code == 200


def arrived(server: Live, number: int) -> None:
    """Wait until so many requests have been made and wait in their turn."""
    for _ in range(10_000):
        if len(requests_of(server)) == number:
            return settle(server)
    raise AssertionError("the request does not arrive")


@pytest.mark.parametrize("delay", [10, {"low": 10, "high": 10}, {"median": 10, "sigma": 0}])
@pytest.mark.parametrize("before", ["head", "body", "chunk"])
def test_a_delay_waits_for_a_frozen_clock(served: Live, delay: Any, before: str) -> None:
    """The response comes when somebody has advanced the clock far enough, and others do not wait for it."""
    add(served, path=EVALUATE, delay=delay, before=before)
    with ThreadPoolExecutor(1) as pool:
        response: Future[httpx.Response] = pool.submit(served.post, "/evaluate", BODY)
        arrived(served, 1)
        for seconds in (0, 6, 3.5, 0.49):
            served.advance(seconds)
            settle(served)
            assert not response.done()
        served.advance(0.01)
        assert response.result().json()["metadata"]["evaluation_time_ms"] == 0


@pytest.mark.parametrize("before", ["head", "body", "chunk"])
def test_a_delay_is_divided_on_a_multiplied_clock(before: str) -> None:
    """An hour at 36,000 times the speed is a tenth of a second, and an hour all the same on the server's clock."""
    with quiet(world(clock="x36000")) as server:
        add(server, path=EVALUATE, delay=3_600, before=before)
        start = server.now()
        assert server.post("/evaluate", BODY).status_code == 200
        assert server.now() - start >= 3_600


def test_delays_add_up(served: Live) -> None:
    """Two faults that delay the same place delay it by both."""
    for seconds in (3, 4):
        add(served, path=EVALUATE, delay=seconds)
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(served.post, "/evaluate", BODY)
        arrived(served, 1)
        served.advance(6.9)
        settle(served)
        assert not response.done()
        served.advance(0.2)
        assert response.result().status_code == 200


SHARES: list[dict[str, Any]] = [
    {"share": 0.1, "status": 503},
    {"share": 0.05, "status": 429},
    {"share": 0.1, "reset": "head"},
    {"share": 0.1, "cut": 50},
    {"share": 0.1, "close": True},
    {"share": 0.1, "garbage": True},
    {"share": 0.2, "delay": {"low": 0, "high": 100}},
    {"share": 0.05, "scenario_slug": "back-claim", "reset": 30},
]


def outcome(server: Live, number: int) -> str:
    """What comes of one of a thousand requests; a hundred of them are ten times the same."""
    body = {**WHERE, "messages": conversation(f"Tell me, {number if number < 900 else number // 10}.")}
    try:
        response = server.post("/evaluate", body)
        return f"{response.status_code} {response.json()['reward'] if response.status_code == 200 else ''}"
    except httpx.TransportError as error:
        return type(error).__name__
    except ValueError:
        return "garbage"


def outcomes(workers: int) -> list[tuple[str, ...]]:
    """What comes of all of them; of those that are the same, in no order."""
    with quiet(world(clock="x100000")) as server, ThreadPoolExecutor(workers) as pool:
        for fault in SHARES:
            add(server, **fault)
        found = list(pool.map(lambda number: outcome(server, number), range(1_000)))
    same = [tuple(sorted(found[start : start + 10])) for start in range(900, 1_000, 10)]
    return [*((one,) for one in found[:900]), *same]


def test_shares_fail_in_the_same_places_at_any_concurrency() -> None:
    """A thousand requests, one after the other or 64 at a time: the same ones fail, and in the same way (DET-2)."""
    alone = outcomes(1)
    assert outcomes(64) == alone
    kinds = Counter(one.partition(" ")[0] for each in alone for one in each)
    assert set(kinds) == {"200", "503", "429", "ReadError", "RemoteProtocolError", "garbage"}
    assert 400 < kinds.pop("200") < 700
    assert min(kinds.values()) > 20
