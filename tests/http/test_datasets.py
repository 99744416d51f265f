from typing import Any

import httpx
import orjson
import pytest

from tests.http.datasets import (
    LONG,
    POLLED,
    STATES,
    TIMED,
    findings,
    get,
    in_state,
    name_of,
    with_datasets,
)
from tests.http.test_envelope import LIMITS
from tests.support import KEY, Live, live


def state(response: httpx.Response) -> str:
    """The status in a response, `ready` for rows."""
    rows = response.headers["content-type"] == "application/x-ndjson"
    return "ready" if rows else str(response.json()["status"])


def check_payload(response: httpx.Response, status: str) -> None:
    """The status payload and nothing else, with the headers of every response (DS-2, DS-3, ID-2, RL-1)."""
    assert response.json() == {"status": status, **STATES[status][1], "request_id": response.headers["x-request-id"]}
    codes = {"x-mock-findings"} if findings(response) else set()
    assert set(response.headers) == {"content-type", "content-length", "x-request-id", *LIMITS, *codes}
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", STATES)
def test_status_is_200_in_every_state(datasets: Live, status: str) -> None:
    """`error` is there when it failed and only then; `row_count` is null where the file counts no rows (DS-1, DS-2)."""
    response = get(datasets, name_of(status), "status")
    assert (response.status_code, findings(response)) == (200, [])
    check_payload(response, status)


@pytest.mark.parametrize("status", [status for status in STATES if status != "ready"])
def test_an_export_that_is_not_ready_is_the_status_payload(datasets: Live, status: str) -> None:
    """202 before the end, 409 cancelled, 500 failed, each with the payload in place of the envelope (DS-3, ERR-1)."""
    response = get(datasets, name_of(status), "export")
    early = ["export_before_ready"] if STATES[status][0] == 202 else []
    assert (response.status_code, findings(response)) == (STATES[status][0], early)
    check_payload(response, status)
    if early:
        assert response.headers["x-mock-findings"] == 'export_before_ready;severity=info;place="id"'


def test_an_export_is_lines_of_json(datasets: Live) -> None:
    """One object a line, a line feed after the last one too, in chunks, under exactly the documented headers (DS-4, ID-1)."""
    response = get(datasets, name_of("ready"), "export")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/x-ndjson"
    attachment = f'attachment; filename="training-dataset-{name_of("ready")}.jsonl"'
    assert response.headers["content-disposition"] == attachment
    assert response.headers["transfer-encoding"] == "chunked"
    named = {"content-type", "content-disposition", "transfer-encoding", "x-row-count", "x-request-id", *LIMITS}
    assert set(response.headers) == named
    *lines, rest = response.content.split(b"\n")
    assert rest == b""
    counts = {
        len(lines),
        int(response.headers["x-row-count"]),
        get(datasets, name_of("ready"), "status").json()["row_count"],
    }
    assert counts == {50}
    row = {"scenario_id", "agent_template_id", "messages", "metadata"}
    assert all(set(orjson.loads(line)) == row for line in lines)
    assert len(set(lines)) == 50


def test_row_counts_are_those_of_the_stage(datasets: Live) -> None:
    """Null where the file gives a stage no number, and all rows when ready (DS-2)."""
    counts = [get(datasets, POLLED, "status").json()["row_count"] for _ in range(5)]
    assert counts == [None, 20, 20, None, 50]


@pytest.mark.parametrize("polls", ["s s s s", "e e e e", "s e s e", "e s s e"])
def test_polls_of_both_kinds_count_together(datasets: Live, polls: str) -> None:
    """One counter a dataset: its stages end after 1, 2 and 1 polls, whichever of the two is requested (DS-7)."""
    seen = [state(get(datasets, POLLED, {"s": "status", "e": "export"}[what])) for what in (*polls.split(), "s", "e")]
    assert seen == ["pending", "running", "running", "filtering", "ready", "ready"]


def test_what_is_refused_is_no_poll(datasets: Live) -> None:
    """400, 401, 404, 405 and 429 leave the lifecycle where it is, between any two polls (DS-7)."""

    def refused() -> list[int]:
        others = [get(datasets, POLLED, what, **change) for what in ("status", "export") for change in changes]
        return [*(response.status_code for response in others), get(datasets, POLLED[:-1], "export").status_code]

    changes: list[dict[str, Any]] = [{"key": "lab_wrong"}, {"method": "HEAD"}, {"method": "POST"}, {"key": "lab_once"}]
    assert get(datasets, LONG, "status", key="lab_once").status_code == 200
    seen = []
    for _ in range(5):
        assert refused() == [401, 405, 405, 429] * 2 + [400]
        assert get(datasets, POLLED, "rows").status_code == 404
        assert get(datasets, LONG.replace("a", "b"), "export").status_code == 404
        assert get(datasets, LONG, "status").status_code == 200
        seen.append(state(get(datasets, POLLED, "status")))
    assert seen == ["pending", "running", "running", "filtering", "ready"]


def test_every_key_counts(datasets: Live) -> None:
    """Polls with different keys end the same stages (DS-5, DS-7)."""
    seen = [state(get(datasets, POLLED, "status", key=key)) for key in (KEY, "lab_none", "lab_once", "lab_none", KEY)]
    assert seen == ["pending", "running", "running", "filtering", "ready"]


def test_stages_follow_the_clock(datasets: Live) -> None:
    """Seconds pass several stages at once, and a stage of polls lasts until it was polled (DS-7)."""

    def later(seconds: float, what: str = "status") -> str:
        datasets.advance(seconds)
        return state(get(datasets, TIMED, what))

    assert [later(0), later(4.5), later(0.5, "export"), later(9.5)] == ["pending", "pending", "preview", "preview"]
    assert [later(1_000), later(29.5), later(0.5, "export"), later(1e6)] == ["running", "filtering", "ready", "ready"]
    datasets.reset()
    assert [later(15), later(30)] == ["running", "ready"]


def test_a_reset_starts_all_lifecycles_anew(datasets: Live) -> None:
    """What was ready is pending again, and then gives the same rows (DS-6, DS-7)."""
    first = [get(datasets, POLLED, "export") for _ in range(5)]
    datasets.reset()
    again = [get(datasets, POLLED, "export") for _ in range(5)]
    assert [one.status_code for one in first] == [202, 202, 202, 202, 200]
    assert [(one.status_code, one.headers.raw, one.content) for one in first] == [
        (one.status_code, one.headers.raw, one.content) for one in again
    ]


@pytest.mark.parametrize(("clock", "codes"), [("real", ["polled_too_often"]), ("frozen", [])])
def test_hasty_polls_have_a_finding_where_time_passes(clock: str, codes: list[str]) -> None:
    """More than ten polls in a second are an info, on a running clock and before the end (`polled_too_often`)."""
    waiting = in_state("running")
    with live(with_datasets(waiting, in_state("failed"), clock=clock)) as server:
        assert [findings(get(server, waiting.id, "status")) for _ in range(10)] == [[]] * 10
        hasty = get(server, waiting.id, "status")
        assert findings(hasty) == codes
        assert hasty.headers.get("x-mock-findings", "") == "".join(f'{code};severity=info;place="id"' for code in codes)
        server.advance(2)
        assert findings(get(server, waiting.id, "export")) == ["export_before_ready"]
        for name in (name_of("failed"),):
            assert [findings(get(server, name, what)) for what in ("status", "export", "export")] == [[], [], []]
