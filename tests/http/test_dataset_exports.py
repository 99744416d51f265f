import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from labs_mock.engine.generated_rows import GeneratedRows
from labs_mock.state import World
from tests.http.datasets import (
    LONG,
    POLLED,
    TIMED,
    by_polls,
    dataset,
    get,
    name_of,
    scenarios,
    with_datasets,
)
from tests.http.test_envelope import LIMITS, check_envelope
from tests.serving.test_server import serving
from tests.support import KEY, Live, live

READY = name_of("ready")
NIL = "00000000-0000-0000-0000-000000000000"
COUNTED = b"x-ratelimit-remaining"


@pytest.mark.parametrize("what", ["status", "export"])
@pytest.mark.parametrize(
    "name",
    [
        "x",
        READY.replace("-", ""),
        f"%7B{READY}%7D",
        f"urn:uuid:{READY}",
        f"{READY}%0A",
        f"%20{READY}",
        f"{READY}0",
        READY[:-1],
        READY.replace("4000", "0000"),
        READY.replace("4000", "9000"),
        READY.replace("8000", "7000"),
        READY.replace("8000", "c000"),
        READY.replace("8000", "800g"),
        NIL[:-1] + "1",
        TIMED[:-1] + "e",
        TIMED.upper(),  # all f
        READY.replace("4", "%D9%A4"),  # an Arabic four
        "a" * 5_000,
        KEY,
    ],
)
def test_what_is_no_uuid_is_a_bad_request(datasets: Live, name: str, what: str) -> None:
    """400 names the field and quotes little; the request decides it alone, so it uses no quota (DS-5, RL-1, ERR-2)."""
    response = get(datasets, name, what)
    message = check_envelope(response, 400)
    assert message.startswith("id: expected a UUID, got '")
    assert len(message) < 120
    assert KEY not in message
    assert not set(LIMITS) & set(response.headers)


VERSIONS = [f"12345678-9abc-{version}def-{variant}abc-123456789abc" for version, variant in enumerate("89abAB89", 1)]


@pytest.mark.parametrize("what", ["status", "export"])
@pytest.mark.parametrize("name", [NIL, *VERSIONS])
def test_an_unknown_uuid_is_not_found(datasets: Live, name: str, what: str) -> None:
    """The nil UUID and versions 1 to 8 are ids: 404 after the limiter if there is no such dataset (DS-5, RL-1)."""
    response = get(datasets, name, what)
    assert check_envelope(response, 404) == "Training dataset not found"
    assert set(LIMITS) <= set(response.headers)


def test_ids_are_compared_in_lower_case(datasets: Live) -> None:
    """An id in capitals is the same dataset, version 8 too; all f have one spelling (DS-5)."""
    datasets.advance(5)
    for written in (LONG, LONG.upper(), LONG.title()):
        assert get(datasets, written, "status").json()["status"] == "ready"
    assert get(datasets, TIMED, "status").json()["status"] == "preview"


def test_the_file_is_named_by_the_id_of_the_dataset(datasets: Live) -> None:
    """In lower case, however the request writes it (DS-4)."""
    response = get(datasets, LONG.upper(), "export")
    assert response.headers["content-disposition"] == f'attachment; filename="training-dataset-{LONG}.jsonl"'


def plain(response: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """A response without what counts arrivals and names the request."""
    left_out = (COUNTED, b"x-request-id")
    kept = [pair for pair in response.headers.raw if pair[0].lower() not in left_out]
    name = response.headers["x-request-id"].encode()
    return response.status_code, kept, response.content.replace(name, b"")


@pytest.mark.parametrize("what", ["status", "export"])
@pytest.mark.parametrize(
    "options",
    [
        {"headers": [("accept", "text/html"), ("accept", "application/xml;q=0.1")]},
        {"headers": [("accept", "application/x-ndjson"), ("accept", "application/json")]},
        {"headers": [("accept-encoding", "gzip, br")]},
        {"headers": [("range", "bytes=0-99")]},
        {"headers": [("range", "bytes=-1"), ("if-range", '"x"')]},
        {"headers": [("if-none-match", "*"), ("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT")]},
        {"headers": [("content-type", "text/plain")], "content": b"{not json"},
        {"content": b'{"id": "other", "id": 1}'},
        {"params": {"limit": "1", "format": "csv"}},
    ],
)
def test_what_is_not_documented_changes_nothing(datasets: Live, what: str, options: dict[str, Any]) -> None:
    """Accept twice, Range, conditions, a body, a query: the whole response, as without them, and no finding (DS-4)."""
    arguments: dict[str, Any] = {key: list(value) if key == "headers" else value for key, value in options.items()}
    assert plain(get(datasets, READY, what, **arguments)) == plain(get(datasets, READY, what))


def test_a_body_that_is_too_large_is_refused_on_a_get_too() -> None:
    """413 in the envelope, whatever the method (GEN-3)."""
    with live(with_datasets(by_polls(), max_body=1_024)) as server:
        message = check_envelope(get(server, POLLED, "export", content=b"x" * 2_000), 413)
        assert message == "body: expected at most 1,024 bytes"
        assert get(server, POLLED, "status").json()["status"] == "pending"


@pytest.mark.parametrize("what", ["status", "export"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_get_is_allowed(datasets: Live, method: str, what: str) -> None:
    """405 with `Allow`, before any other check and without quota; a HEAD has no body (GEN-3, RL-1)."""
    response = get(datasets, READY, what, key="lab_wrong", method=method)
    assert response.headers["allow"] == "GET"
    assert not set(LIMITS) & set(response.headers)
    if method == "HEAD":
        assert (response.status_code, response.content) == (405, b"")
    else:
        assert "use GET" in check_envelope(response, 405)


@pytest.mark.parametrize(
    "path", ["", f"/{READY}", f"/{READY}/status/", f"/{READY}/rows", f"/{READY}/x/export", "//export"]
)
def test_there_are_no_other_paths(datasets: Live, path: str) -> None:
    """No list of datasets, no dataset by itself, no trailing slash (GEN-3)."""
    response = datasets.client.get(f"/api/v1/training-datasets{path}", headers={"authorization": f"Bearer {KEY}"})
    assert "no such path" in check_envelope(response, 404)


def test_every_key_sees_the_same_rows(datasets: Live) -> None:
    """Another organisation's key, and one without any subscription: the same response but for the request's id (DS-5)."""
    mine, theirs = (get(datasets, READY, "export", key=key) for key in (KEY, "lab_none"))
    assert plain(mine) == plain(theirs)
    assert get(datasets, READY, "export", key="lab_once").content == mine.content
    assert mine.headers["x-request-id"] != theirs.headers["x-request-id"]


def test_the_quota_is_used(datasets: Live) -> None:
    """Exports and polls count against the key's quota; over it they are 429 in the envelope (RL-1, RL-2)."""
    assert get(datasets, READY, "export", key="lab_once").headers["x-ratelimit-remaining"] == "0"
    for what in ("export", "status"):
        assert check_envelope(get(datasets, READY, what, key="lab_once"), 429) == "Rate limit exceeded"
    assert check_envelope(get(datasets, READY, "export", key="lab_wrong"), 401) == "Invalid or missing API key"


def test_status_makes_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status of a dataset whose rows cannot even be begun is shown in every stage (DS-2)."""

    def breaks(*_: object) -> None:
        raise RuntimeError("rows are made")

    monkeypatch.setattr(GeneratedRows, "__init__", breaks)
    monkeypatch.setattr(GeneratedRows, "line", breaks)
    with live(with_datasets(by_polls())) as server:
        seen = [get(server, POLLED, what).status_code for what in ("status",) * 3 + ("export", "status", "status")]
        assert seen == [200, 200, 200, 202, 200, 200]
        assert get(server, POLLED, "status").json()["row_count"] == 50
        assert "Internal error" in check_envelope(get(server, POLLED, "export"), 500)


def exports(url: str, clients: int, times: int = 8) -> list[tuple[list[tuple[bytes, bytes]], bytes]]:
    """Some exports by so many clients at a time, sorted by what arrives; what counts arrivals is left out."""

    def export(_: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
        response = httpx.get(
            f"{url}/api/v1/training-datasets/{LONG}/export", headers={"authorization": f"Bearer {KEY}"}
        )
        assert response.status_code == 200
        return [pair for pair in response.headers.raw if pair[0].lower() != COUNTED], response.content

    with ThreadPoolExecutor(clients) as pool:
        return sorted(pool.map(export, range(times)))


def test_exports_are_the_same_in_any_process_and_at_any_concurrency(tmp_path: Path) -> None:
    """Two processes, 1 client and 8: the same set of heads and the same bytes every time (DS-6, DET-1, DET-2)."""
    folder = str(scenarios(tmp_path, 3_000))
    seen = []
    for clients, hash_seed, spool in ((1, "0", 1 << 30), (8, "12345", 1 << 30), (8, "0", 500_000)):
        options = (folder, "--json", "--clock", "frozen", "--seed", "7", "--spool", str(spool))
        with serving(*options, PYTHONHASHSEED=hash_seed) as (_, line):
            seen.append(exports(json.loads(line)["url"], clients))
    assert seen[0] == seen[1] == seen[2]
    assert len({body for _, body in seen[0]}) == 1
    assert seen[0][0][1].count(b"\n") == 3_000
    assert len({str(head) for head, _ in seen[0]}) == 8


def test_another_seed_draws_other_rows() -> None:
    """Rows follow from the seed and the id of the dataset (DET-1)."""

    def body(server_world: World) -> bytes:
        with live(server_world) as server:
            return get(server, READY, "export").content

    one, same, other = (body(with_datasets(dataset(READY), seed=seed)) for seed in (1, 1, 2))
    assert one == same != other
