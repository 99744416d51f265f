import re
from typing import Any

import pytest

from labs_mock.config.fault_entry import BESIDE, KINDS, WHEN, FaultEntry
from labs_mock.http.inspector.fault_form import KIND, NUMBER, RULE, VALUE, fault_of, form_fields
from tests.http.inspector.test_overview_page import text_of
from tests.support import Live

UI = "/_mock/ui/faults"
GOOD: dict[str, Any] = {
    "status": ("503", 503), "delay": ("0.5", 0.5), "close": ("", True), "reset": ("head", "head"), "cut": ("10", 10),
    "stall": ("3", 3), "garbage": ("true", True), "content_type": ("text/plain", "text/plain"), "body": ("17", "17"),
    "nan_reward": ("0", 0), "cut_after_line": ("1", 1), "cut_in_line": ("1", 1), "duplicate_line": ("2", 2),
    "swap_lines": ("1", 1), "error_line": ("1", 1), "row_count": ("-1", -1), "stall_after_line": ("1", 1),
    "fail_item": ("abc", "abc"), "reverse_results": ("", True), "drop_result": ("2", 2),
}  # fmt: skip
"""For each kind what is typed, and what it stands for."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_added(kind: str) -> None:
    """What is typed becomes the value that the plan would have: numbers, words, texts that look like numbers, and nothing."""
    typed, value = GOOD[kind]
    entry, mistakes = fault_of({KIND: kind, VALUE: typed})
    assert (entry, mistakes) == (FaultEntry.model_validate({kind: value}), {})


@pytest.mark.parametrize("rule", WHEN)
def test_every_rule_can_be_chosen(rule: str) -> None:
    """With its number."""
    entry, _ = fault_of({KIND: "close", VALUE: "", RULE: rule, NUMBER: "1"})
    assert entry == FaultEntry.model_validate({"close": True, rule: 1})


def test_the_form_has_every_field_of_the_model(server: Live) -> None:
    """Filters and what stands beside a kind as fields, kinds and rules as choices."""
    page = server.client.get(UI).text
    names = set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page))
    assert names == {*form_fields(), KIND, VALUE, RULE, NUMBER} - {*KINDS, *WHEN}
    assert set(re.findall(r'<option value="(\w+)"', page)) == {*KINDS, *WHEN}
    assert names >= set(BESIDE)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({}, KIND),
        ({KIND: "status", VALUE: "200"}, VALUE),
        ({KIND: "status", VALUE: "many"}, VALUE),
        ({KIND: "delay", VALUE: '{"low": 5, "high": 1}'}, VALUE),
        ({KIND: "status", VALUE: ""}, VALUE),
        ({KIND: "close", "message": "x"}, "message"),
        ({KIND: "close", "path": "api"}, "path"),
        ({KIND: "close", "path": "/a?b"}, "path"),
        ({KIND: "close", "key": "none"}, "key"),
        ({KIND: "close", RULE: "share", NUMBER: "2"}, NUMBER),
        ({KIND: "close", RULE: "nth", NUMBER: ""}, NUMBER),
        ({KIND: "close", "organisation": "A B"}, "organisation"),
        ({KIND: "nonsense", VALUE: "1"}, "nonsense"),
    ],
)
def test_mistakes_are_shown_at_their_fields(server: Live, form: dict[str, Any], wrong: str) -> None:
    """The model of plans checks the form; each message is at the field that it is about, and nothing is added."""
    response = server.client.post(UI, json=form)
    assert response.status_code == 400
    assert response.json()["mistakes"][wrong]
    assert server.client.get("/_mock/faults").json()["faults"] == []


def test_the_plan_is_shown_with_its_counters(server: Live) -> None:
    """What happens, which requests, when, how many matched and triggered it, warnings; never a key."""
    server.client.post(UI, json={KIND: "status", VALUE: "503", "path": "/api/v1/cat*", RULE: "first", NUMBER: "1"})
    server.client.post(UI, json={KIND: "close", "path": "/nowhere", "key": "lab_local", "id": "gone"})
    for _ in range(2):
        server.client.get("/api/v1/catalog")
    page = server.client.get(UI).text
    words = text_of(page)
    assert "fault-1 status: 503 path: /api/v1/cat* first: 1 2 1 Remove" in words
    assert "gone path: no operation of the API has a path like this close: True" in words
    assert 'href="/_mock/ui/requests?fault=fault-1">1</a>' in page
    assert "lab_local" not in page


def test_a_page_of_another_origin_changes_nothing(server: Live) -> None:
    """Neither by the form nor under the control plane: an `Origin` must be this server's (and a form cannot send JSON)."""
    form, own = {KIND: "close"}, server.url.removeprefix("http://")
    for origin in ("https://evil.example", "null", f"http://{own}.evil.example", "", f"http://evil.example@{own}"):
        assert server.client.post(UI, json=form, headers={"origin": origin}).status_code == 403, origin
        assert (
            server.client.post("/_mock/clock/advance", json={"seconds": 1}, headers={"origin": origin}).status_code
            == 403
        )
    assert (
        server.client.post(UI, content=b'{"kind": "close"}', headers={"content-type": "text/plain"}).status_code == 400
    )
    assert server.client.get("/_mock/faults").json()["faults"] == []
    assert server.client.post(UI, json=form, headers={"origin": server.url}).status_code == 200
