from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.state import World
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, world

BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"
CHECK_INS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
CANCELLED = "7c94e6b2-1a3f-4d85-9f27-e05b8c6d4a19"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def served() -> Iterator[Live]:
    """A server of the shipped library, with a world of its own."""
    with live(World(world().settings, load_library(shipped_library()))) as server:
        yield server


def export(server: Live, dataset: str) -> Any:
    """An export as it is answered."""
    return server.client.get(f"/api/v1/training-datasets/{dataset}/export", headers=AUTHORIZED)


def force(server: Live, dataset: str, **fields: Any) -> Any:
    """Put a dataset into a status."""
    return server.client.patch(f"/_mock/datasets/{dataset}", json=fields)


def test_a_dataset_stays_where_it_was_put(served: Live) -> None:
    """Whatever its file says, until the next change or reset (DS-3)."""
    assert export(served, BY_HAND).status_code == 200
    for status, code in (("running", 202), ("cancelled", 409), ("pending", 202), ("ready", 200)):
        assert force(served, BY_HAND, status=status).json()["status"] == status
        assert [export(served, BY_HAND).status_code for _ in range(3)] == [code] * 3
    failed = force(served, BY_HAND, status="failed", error="The disk is full", row_count=1, message="Oh.").json()
    assert (failed["error"], failed["row_count"], failed["message"]) == ("The disk is full", 1, "Oh.")
    result = export(served, BY_HAND)
    assert result.status_code == 500
    assert result.json() == {
        "status": "failed",
        "row_count": 1,
        "message": "Oh.",
        "error": "The disk is full",
        "request_id": result.headers["x-request-id"],
    }
    served.reset()
    assert export(served, BY_HAND).status_code == 200


def test_datasets_are_listed_as_they_stand(served: Live) -> None:
    """All of them, with how many rows the filter could not help; to look is no poll (DS-7)."""
    listed = {one["id"]: one for one in served.client.get("/_mock/datasets").json()["datasets"]}
    assert len(listed) == 6
    assert listed[CHECK_INS] == {
        "id": CHECK_INS,
        "name": "Weekly check-ins",
        "status": "pending",
        "row_count": None,
        "message": "Waiting to start",
        "error": None,
        "rows": 200,
        "keep_exhausted": None,
        "lifecycle": {
            "stages": [asdict(stage) for stage in served.library().datasets[CHECK_INS].stages],
            "position": 0,
            "polls": 0,
            "since": "2026-01-01T00:00:00Z",
        },
    }
    assert listed[BY_HAND]["keep_exhausted"] == 0
    force(served, CHECK_INS, status="ready")
    assert export(served, CHECK_INS).text.count("\n") == 200
    after = {one["id"]: one for one in served.client.get("/_mock/datasets").json()["datasets"]}
    assert (after[CHECK_INS]["keep_exhausted"], after[CHECK_INS]["status"]) == (0, "ready")


@pytest.mark.parametrize(
    ("dataset", "fields", "status", "message"),
    [
        (BY_HAND, {"status": "done"}, 400, "status: expected 'pending', 'preview'"),
        (BY_HAND, {}, 400, "status: is required"),
        (BY_HAND, {"status": "failed"}, 400, "error: expected beside the status 'failed'"),
        (BY_HAND, {"status": "ready", "error": "x"}, 400, "error: expected beside the status 'failed'"),
        (BY_HAND, {"status": "running", "polls": 2}, 400, "polls: is not a known name"),
        (CANCELLED, {"status": "ready"}, 400, "this dataset has no rows"),
        ("nothing", {"status": "ready"}, 404, "Training dataset not found"),
    ],
)
def test_bad_changes_change_nothing(
    served: Live, dataset: str, fields: dict[str, Any], status: int, message: str
) -> None:
    """A refusal names the field and says what to send; the dataset stays as it was (ERR-1)."""
    before = served.client.get("/_mock/datasets").json()
    assert message in check_envelope(force(served, dataset, **fields), status)
    assert served.client.get("/_mock/datasets").json() == before


GENERATED: dict[str, Any] = {
    "id": "99999999-9999-4999-8999-999999999999",
    "name": "On the spot",
    "lifecycle": [{"status": "running", "polls": 1}, {"status": "ready"}],
    "rows": {"generate": {"scenario": "coaching/weekly-check-ins", "operators": ["expert"], "count": 20}},
}


def test_a_dataset_can_be_added_until_the_next_reset(served: Live) -> None:
    """It is listed, runs through its stages and is exported like any other (DS-3, DS-7)."""
    assert served.client.post("/_mock/datasets", json=GENERATED).json()["rows"] == 20
    responses = [export(served, GENERATED["id"]) for _ in range(2)]
    assert [response.status_code for response in responses] == [202, 200]
    assert responses[1].text.count("\n") == 20
    served.reset()
    assert export(served, GENERATED["id"]).status_code == 404


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": BY_HAND}, "id: there is a dataset with this id"),
        ({"id": "x"}, "id: "),
        ({"lifecycle": [{"status": "redy"}]}, "lifecycle.0.status: "),
        ({"lifecycle": [{"status": "running"}]}, "lifecycle.0: the lifecycle ends with 'running'"),
        ({"rows": {"file": "rows.jsonl"}}, "rows.file: the control plane reads no files"),
        ({"rows": {"inline": [{"messages": []}]}}, "rows.inline.0: scenario_id: is required"),
        ({"rows": {"generate": {**GENERATED["rows"]["generate"], "count": 10**6}}}, "rows.generate.count: a count of"),
        ({"rows": {"generate": {**GENERATED["rows"]["generate"], "scenario": "a/b"}}}, "unknown scenario 'a/b'"),
        ({"row": {}}, "row: unknown key 'row'; did you mean 'rows'?"),
    ],
)
def test_a_bad_dataset_is_refused(served: Live, changes: dict[str, Any], message: str) -> None:
    """It is checked like a file; a refusal names the place and changes nothing (ERR-1)."""
    before = served.client.get("/_mock/datasets").json()
    response = served.client.post("/_mock/datasets", json={**GENERATED, **changes})
    assert message in check_envelope(response, 400)
    assert served.client.get("/_mock/datasets").json() == before


def test_the_first_rows_are_those_of_an_export(served: Live) -> None:
    """Written and generated ones, as many as are wanted, also of a dataset that is not ready."""
    for dataset in (BY_HAND, CHECK_INS):
        force(served, dataset, status="ready")
        rows = [orjson.loads(line) for line in export(served, dataset).text.splitlines()]
        force(served, dataset, status="running")
        for limit in (1, 2, 100):
            shown = served.client.get(f"/_mock/datasets/{dataset.upper()}/rows?limit={limit}").json()
            assert shown == {"rows": rows[:limit], "count": len(rows)}
        assert served.client.get(f"/_mock/datasets/{dataset}/rows").json()["rows"] == rows[:5]


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("?limit=0", 400, "limit: expected 1 to 100"),
        ("?limit=101", 400, "limit: expected 1 to 100"),
        ("?after=1", 400, "after: unknown parameter; expected 'limit'"),
    ],
)
def test_a_bad_query_for_rows_is_refused(served: Live, query: str, status: int, message: str) -> None:
    """With what to write."""
    response = served.client.get(f"/_mock/datasets/{BY_HAND}/rows{query}")
    assert (response.status_code, response.json()["message"]) == (status, message)


def test_a_lifecycle_moves_on(served: Live) -> None:
    """The control plane shows the position, the polls there, and when the stage began (DS-1, DS-7)."""
    name = "9c1d2e3f-4a5b-4c6d-8e7f-901234567890"
    stages: list[Any] = [{"status": "pending", "polls": 2}, {"status": "running", "seconds": 60}, {"status": "ready"}]
    rows = {"generate": {"scenario": "coaching/weekly-check-ins", "operators": ["expert"], "count": 1}}
    added = {"id": name, "name": "New", "lifecycle": stages, "rows": rows}
    served.client.post("/_mock/datasets", json=added).raise_for_status()

    def standing() -> tuple[str, int, int, str]:
        (one,) = (one for one in served.client.get("/_mock/datasets").json()["datasets"] if one["id"] == name)
        lifecycle = one["lifecycle"]
        assert [stage["status"] for stage in lifecycle["stages"]] == ["pending", "running", "ready"]
        assert lifecycle["stages"][lifecycle["position"]]["status"] == one["status"]
        return one["status"], lifecycle["position"], lifecycle["polls"], lifecycle["since"]

    assert standing() == ("pending", 0, 0, "2026-01-01T00:00:00Z")
    export(served, name)
    assert standing() == ("pending", 0, 1, "2026-01-01T00:00:00Z")
    served.advance(5)
    export(served, name)
    assert standing() == ("running", 1, 0, "2026-01-01T00:00:05Z")
    served.advance(60)
    assert standing() == ("ready", 2, 0, "2026-01-01T00:01:05Z")
    force(served, name, status="cancelled")
    (one,) = (one for one in served.client.get("/_mock/datasets").json()["datasets"] if one["id"] == name)
    assert [stage["status"] for stage in one["lifecycle"]["stages"]] == ["cancelled"]
    assert one["lifecycle"]["position"] == 0
