import time
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.clock import END, instant_text, parse_instant
from labs_mock.config.server_file import KeyEntry
from tests.http.datasets import TIMED, by_the_clock, get, with_datasets
from tests.http.test_batch import WHERE, conversation
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, world

NEW_YEAR, FEBRUARY = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
END_OF_TIME = instant_text(END)
DAY = 86_400
LOW, HIGH = conversation("nonsense"), conversation("Tell me what happened.")
PUT, ADVANCE = ("PUT", "/_mock/clock"), ("POST", "/_mock/clock/advance")


def clock(server: Live) -> dict[str, str]:
    """What the clock shows, and how it runs."""
    shown: dict[str, str] = server.client.get("/_mock/clock").json()
    return shown


def put(server: Live, **change: Any) -> httpx.Response:
    """Set the clock, or let it run otherwise."""
    return server.client.put("/_mock/clock", json=change)


def advance(server: Live, seconds: float) -> httpx.Response:
    """Move the clock forward."""
    return server.client.post("/_mock/clock/advance", json={"seconds": seconds})


class Reading(NamedTuple):
    """What the clock showed, and between which two moments of the real one, all in unix seconds."""

    sent_at: float
    shown: float
    received_at: float


def reading(server: Live) -> Reading:
    """Read the clock."""
    return Reading(time.time(), parse_instant(clock(server)["now"]), time.time())


def check_rate(server: Live, rate: float) -> None:
    """Until the clock shows another time, as much of it goes by as of the real time at this rate."""
    first = last = reading(server)
    while last.shown == first.shown:
        last = reading(server)
    passed = last.shown - first.shown
    assert (
        rate * (last.sent_at - first.received_at) - 1e-3 <= passed <= rate * (last.received_at - first.sent_at) + 1e-3
    )


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"now": FEBRUARY}, FEBRUARY),
        ({"now": "2026-02-01"}, FEBRUARY),
        ({"now": "2026-02-01T02:30:00+02:30", "mode": "frozen"}, FEBRUARY),
        ({"now": "2026-01-01T00:00:00.250Z", "mode": None}, "2026-01-01T00:00:00.250000Z"),
        ({"now": NEW_YEAR}, NEW_YEAR),
        ({"now": "9999-12-31T23:59:59Z"}, "9999-12-31T23:59:59Z"),
        ({"now": None, "mode": None}, NEW_YEAR),
        ({}, NEW_YEAR),
    ],
)
def test_the_clock_is_set(server: Live, change: dict[str, Any], now: str) -> None:
    """A time without an offset is UTC, what is left out or null stays, and the response is what the clock then shows."""
    assert clock(server) == {"now": NEW_YEAR, "mode": "frozen"}
    assert put(server, **change).json() == {"now": now, "mode": "frozen"}
    assert clock(server) == {"now": now, "mode": "frozen"}


@pytest.mark.parametrize(("mode", "rate"), [("real", 1), ("x60", 60), ("x0.5", 0.5), ("x3600", 3_600)])
def test_a_mode_takes_effect_at_once_and_time_goes_on_from_where_it_was(server: Live, mode: str, rate: float) -> None:
    """Real time passes as it does, or multiplied, or not at all, and changing from one to another makes no jump."""
    before = time.time()
    assert put(server, now=FEBRUARY, mode=mode).json()["mode"] == mode
    check_rate(server, rate)
    passed = parse_instant(clock(server)["now"]) - parse_instant(FEBRUARY)
    assert 0 < passed <= rate * (time.time() - before) + 1e-3
    frozen = put(server, mode="frozen").json()
    assert parse_instant(frozen["now"]) >= parse_instant(FEBRUARY) + passed
    assert [clock(server) for _ in range(3)] == [frozen] * 3
    assert server.client.get("/_mock/health").json()["clock"] == "frozen"


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1e6) | st.integers(0, 10**6), max_size=5), st.booleans())
def test_advances_add_up_whatever_the_mode(shared_server: Live, steps: list[float], runs: bool) -> None:
    """Seconds are those of the clock itself: a running one is as far ahead by them as a frozen one."""
    shared_server.reset()
    before = time.time()
    put(shared_server, mode="x60" if runs else "frozen")
    for step in steps:
        assert advance(shared_server, step).status_code == 200
    ahead = parse_instant(clock(shared_server)["now"]) - parse_instant(NEW_YEAR) - sum(steps)
    assert -1e-3 <= ahead <= (60 * (time.time() - before) if runs else 0) + 1e-3


Body = dict[str, Any] | bytes
BAD: list[tuple[tuple[str, str], Body, str]] = [
    (PUT, {"now": "2026-01-31T23:59:59.999Z"}, f"now: expected a time that is not before {FEBRUARY}; the clock does not"),
    (PUT, {"now": "2026-02-01T00:00:00+00:01", "mode": "real"}, "now: expected a time that is not before"),
    (PUT, {"now": "0001-01-01T00:00:00+23:00"}, "now: not a time; expected an ISO 8601 time"),
    (PUT, {"now": "9999-12-31T23:59:59-10:00"}, "now: not a time; expected an ISO 8601 time"),
    (PUT, {"now": "2026-02-30"}, "now: not a time; expected an ISO 8601 time such as 2026-12-31T00:00:00Z"),
    (PUT, {"now": ""}, "now: not a time"),
    (PUT, {"now": "NaN"}, "now: not a time"),
    (PUT, {"now": 1_800_000_000}, "now: expected text, got 1800000000"),
    (PUT, {"now": "2027-01-01", "mode": "fast"}, "mode: expected real, frozen or x<number>, got 'fast'"),
    (PUT, {"mode": "frozen:2027-01-01"}, "mode: expected real, frozen or x<number>, got 'frozen:2027-01-01'"),
    *((PUT, {"mode": mode}, "mode: expected real, frozen or x") for mode in ("", "Real", "x", "x0", "x-1", "x1e3", "60")),
    (PUT, {"mode": 60}, "mode: expected text, got 60"),
    (PUT, {"nwo": "2027-01-01"}, "nwo: is not a known name"),
    (PUT, b'{"now": 2027-01-01}', "body: expected JSON"),
    (PUT, b'"2027-01-01"', "body: expected a JSON object, got text"),
    (ADVANCE, {"seconds": -1}, "seconds: expected a number of at least 0, got -1"),
    (ADVANCE, {"seconds": -1e-9}, "seconds: expected a number of at least 0, got -1e-09"),
    (ADVANCE, {"seconds": 1e11}, "seconds: expected a number of at most 1e+10, got 1"),
    (ADVANCE, {"seconds": "60"}, "seconds: expected a number, got '60'"),
    (ADVANCE, {"seconds": True}, "seconds: expected a number, got True"),
    (ADVANCE, {"seconds": None}, "seconds: expected a number, got null"),
    (ADVANCE, {"second": 60}, "seconds: is required; second: is not a known name"),
    (ADVANCE, {}, "seconds: is required"),
    (ADVANCE, b'{"seconds": NaN}', "at line 1, column 13"),
    (ADVANCE, b'{"seconds": -Infinity}', "at line 1, column 14"),
    (ADVANCE, b'{"seconds": 1e400}', "at line 1, column 13"),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "body", "message"), BAD)
def test_bad_times_are_refused_and_change_nothing(
    server: Live, operation: tuple[str, str], body: Body, message: str
) -> None:
    """The past, negative seconds, what is no number and unknown modes name the field, or their place (ERR-1, GEN-6)."""
    put(server, now=FEBRUARY)
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    response = server.client.request(*operation, content=content, headers={"content-type": "application/json"})
    assert message in check_envelope(response, 400)
    assert clock(server) == {"now": FEBRUARY, "mode": "frozen"}


def test_no_key_is_quoted(server: Live) -> None:
    """Not even one that stands in place of a mode (ERR-2)."""
    assert KEY not in check_envelope(put(server, mode=KEY), 400)


def test_the_clock_does_not_run_out_of_years(server: Live) -> None:
    """It can be moved to the end of the year 9999 and no further, so that it can always be shown."""
    put(server, now="9999-12-31T23:59:57.500Z")
    for seconds in (2.5, 1e9, 1e10):
        message = check_envelope(advance(server, seconds), 400)
        assert message == "seconds: expected at most 2; the clock ends with the year 9999"
    assert advance(server, 2).json()["now"] == "9999-12-31T23:59:59.500000Z"
    for now in ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999Z"):
        assert put(server, now=now).json()["now"].startswith("9999-12-31T23:59:59.99")
        server.reset()
    for now in ("10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "+10000-01-01"):
        assert "now: not a time; expected an ISO 8601 time" in check_envelope(put(server, now=now), 400)


@pytest.mark.parametrize("mode", ["real", "x60", "x999999"])
def test_at_its_end_a_running_clock_stands_still(mode: str) -> None:
    """Everything that shows, adds to or waits for a time still responds: episodes, quotas, datasets, delays, the journal."""
    with live(with_datasets(by_the_clock(), clock="real")) as server:
        put(server, now="9999-12-31T23:59:59.999Z", mode=mode)
        wait_for_the_end(server)
        assert clock(server) == {"now": END_OF_TIME, "mode": mode}
        server.client.post("/_mock/faults", json={"path": "/api/v1/catalog", "delay": 90, "first": 1})
        headers = {"authorization": f"Bearer {KEY}"}
        assert server.client.get("/api/v1/catalog", headers=headers).status_code == 200
        assert get(server, TIMED, "status").status_code == 200
        assert server.client.get("/api/v1/key", headers=headers).status_code == 200
        records = server.client.get("/_mock/requests").json()["requests"]
        assert {record["received"] for record in records} == {END_OF_TIME}
        assert "seconds: expected at most 0" in check_envelope(advance(server, 1), 400)
        assert advance(server, 0).status_code == 200
        assert put(server, mode="frozen").json() == {"now": END_OF_TIME, "mode": "frozen"}


def wait_for_the_end(server: Live) -> None:
    """Until the clock shows its last instant."""
    for _ in range(1_000):
        if clock(server)["now"] == END_OF_TIME:
            return
        time.sleep(0.005)
    raise AssertionError("the clock runs on")


def test_the_clock_works_from_the_first_year_on() -> None:
    """At the year 1 everything responds as it does today."""
    with live(world(clock="frozen:0001-01-01T00:00:00Z")) as server:
        assert clock(server)["now"] == "0001-01-01T00:00:00Z"
        episode = server.episode(score_turns=True)
        body = {**WHERE, "messages": HIGH, "normalization_key": "k", "normalization_windows": ["366d", "1n"]}
        responses = [server.turn(episode, "Hello"), *(server.post("/evaluate", body) for _ in range(3))]
        assert {response.status_code for response in responses} == {200}
        assert int(responses[0].headers["x-ratelimit-reset"]) - parse_instant(clock(server)["now"]) == 60


def test_on_a_real_clock_yesterday_is_the_past() -> None:
    """A clock that runs cannot be set back either; it goes on as it was."""
    with live(world(clock="real")) as server:
        before = clock(server)
        assert abs(parse_instant(before["now"]) - time.time()) < 60
        yesterday = instant_text(parse_instant(before["now"]) - DAY)
        assert "now: expected a time that is not before" in check_envelope(put(server, now=yesterday, mode="x60"), 400)
        assert clock(server)["mode"] == "real"
        check_rate(server, 1)


def test_episodes_expire_by_the_clock(server: Live) -> None:
    """24 hours after the last turn an episode is not found, and each turn begins them anew (EP-13)."""
    episode = server.episode()
    for _ in range(2):
        advance(server, DAY - 1)
        assert server.turn(episode, "Hello").status_code == 200
    put(server, now="2026-01-03T23:59:58Z")
    assert check_envelope(server.turn(episode, "Hello"), 404) == "Episode not found"


def test_keys_expire_by_the_clock() -> None:
    """A key is valid until the moment that it names (AUTH-1)."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a", expires=FEBRUARY)])) as server:
        put(server, now="2026-01-31T23:59:59.900Z")
        assert server.post("/evaluate", {**WHERE, "messages": HIGH}).status_code == 200
        advance(server, 0.1)
        check_envelope(server.post("/evaluate", {**WHERE, "messages": HIGH}), 401)


def test_rate_limit_windows_follow_the_clock() -> None:
    """A window ends with the whole minute, wherever in it the clock was set to (RL-2)."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a", requests_per_minute=2)])) as server:

        def limited() -> tuple[int, int]:
            response = server.post("/evaluate", {**WHERE, "messages": HIGH})
            return response.status_code, int(response.headers["x-ratelimit-reset"])

        put(server, now="2026-02-01T00:00:20Z")
        minute = int(parse_instant(FEBRUARY)) + 60
        assert [limited() for _ in range(3)] == [(200, minute), (200, minute), (429, minute)]
        advance(server, 39.5)
        assert limited() == (429, minute)
        advance(server, 0.5)
        assert [limited() for _ in range(3)] == [(200, minute + 60), (200, minute + 60), (429, minute + 60)]


def test_timed_stages_of_datasets_follow_the_clock() -> None:
    """5 seconds pending, 10 preview, one poll running, 30 filtering: in one leap or in many, polled or looked at (DS-7)."""
    with live(with_datasets(by_the_clock())) as server:

        def shown() -> str:
            return str(server.client.get("/_mock/datasets").json()["datasets"][0]["status"])

        for seconds, status in ((0, "pending"), (4.5, "pending"), (0.5, "preview"), (9.5, "preview"), (0.5, "running")):
            advance(server, seconds)
            assert shown() == status
        assert get(server, TIMED, "status").json()["status"] == "running"
        assert (shown(), get(server, TIMED, "export").status_code) == ("filtering", 202)
        put(server, now="2026-01-01T00:00:45Z")
        assert (shown(), get(server, TIMED, "export").status_code) == ("ready", 200)


def test_normalisation_windows_follow_the_clock(server: Live) -> None:
    """What is older than a window does not count in it, and counts on in a longer one (NORM-2)."""

    def normalised() -> Any:
        windows = {"normalization_key": "run", "normalization_windows": ["1d", "1w"]}
        return server.post("/evaluate", {**WHERE, "messages": HIGH, **windows}).json()["normalized"]

    for messages in (LOW, HIGH):
        server.post("/evaluate", {**WHERE, "messages": messages, "normalization_key": "run"})
    advance(server, DAY - 1)
    assert normalised() == {"1d": 1.0, "1w": 1.0}
    advance(server, 2)
    assert normalised() == {"1d": None, "1w": pytest.approx(0.5**0.5, abs=1e-5)}
    put(server, now=FEBRUARY)
    assert normalised() == {"1d": None, "1w": None}
