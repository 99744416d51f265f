from collections.abc import Iterator
from typing import Any

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
