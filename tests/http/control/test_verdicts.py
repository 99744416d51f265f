from typing import Any

import pytest

from labs_mock.contract.control import MAX_VERDICT
from tests.support import KEY, Live


def post(server: Live, **fields: Any) -> dict[str, Any]:
    """A verdict that is posted, as the server shows it."""
    shown: dict[str, Any] = server.client.post("/_mock/verdicts", json=fields).raise_for_status().json()
    return shown


def listed(server: Live) -> list[dict[str, Any]]:
    """All verdicts."""
    found: list[dict[str, Any]] = server.client.get("/_mock/verdicts").json()["verdicts"]
    return found


def test_verdicts_are_listed_in_their_order_without_keys(server: Live) -> None:
    """Each with its moment; the newest hundred are kept, until the journal is forgotten."""
    first = post(server, label="in_place", text=f"All of them, with {KEY}.")
    assert first == {"posted": "2026-01-01T00:00:00Z", "label": "in_place", "text": "All of them, with lab_*****."}
    server.advance(5)
    second = post(server, label="swapped(0, 1)", text="x" * MAX_VERDICT)
    assert listed(server) == [first, second]
    assert second["posted"] == "2026-01-01T00:00:05Z"
    for number in range(100):
        post(server, label="mixed", text=str(number))
    assert [one["text"] for one in listed(server)] == [str(number) for number in range(100)]
    server.client.request("DELETE", "/_mock/requests", json={})
    assert listed(server) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"label": "x"}, "text: is required"),
        ({"label": "", "text": "x"}, "label: expected at least 1 character"),
        ({"label": "x" * 201, "text": "x"}, "label: expected at most 200 characters"),
        ({"label": "x", "text": "x" * (MAX_VERDICT + 1)}, "text: expected at most 20,000 characters"),
        ({"label": "x", "text": "x", "passed": True}, "passed: is not a known name"),
    ],
)
def test_what_is_no_verdict_is_refused(server: Live, body: dict[str, Any], message: str) -> None:
    """With the place and what to write."""
    response = server.client.post("/_mock/verdicts", json=body)
    assert response.status_code == 400
    assert message in response.json()["message"]
