import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Route

from labs_mock.http.control import PREFIX, control_routes, operation_routes
from labs_mock.http.control.openapi import control_openapi_text
from labs_mock.http.control.operations import CONTROL_OPERATIONS
from tests.support import CLAIM, KEY, Live

DOCUMENT = json.loads(control_openapi_text(PREFIX))
JSON = {"content-type": "application/json"}
ID = "0c1d2e3f-4a5b-4c6d-8e7f-901234567890"
DATASET = {"id": ID, "name": "Cancelled", "lifecycle": [{"status": "pending", "polls": 1}, {"status": "cancelled"}]}
SCENARIO = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
MESSAGES = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Tell me what happened."}]
BODIES: dict[str, Any] = {
    "change_clock": {"now": "2026-01-01T01:00:00Z"},
    "advance_clock": {"seconds": 1},
    "add_key": {"key": "lab_another", "organisation": "others"},
    "change_key": {"revoked": True},
    "add_dataset": DATASET,
    "force_dataset": {"status": "running"},
    "verify_requests": {"method": "POST", "path": "/api/v1/evaluate", "times": 3},
    "expect_rewards": {"conversations": [{**SCENARIO, "messages": MESSAGES}, {**SCENARIO, "messages": []}]},
    "add_verdict": {"label": "swapped(0, 1)", "text": "Two rewards changed places."},
    "explain": {**SCENARIO, "messages": MESSAGES, "unknown": 1},
    "add_scenario": {"collection_slug": "tests", "scenario_slug": "new", "scenario": CLAIM},
    "add_fault": {"id": "one", "path": "/api/v1/nothing", "delay": {"low": 1, "high": 2}},
}


def test_the_document_is_valid() -> None:
    """The document of the control plane is OpenAPI 3.1."""
    validate(DOCUMENT)


def test_every_route_is_described() -> None:
    """The table of the control plane's operations has all of its routes, and no other."""
    routes = {
        (route.path, method)
        for route in (*control_routes(), *operation_routes())
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    described = {(PREFIX + operation.path, operation.method) for operation in CONTROL_OPERATIONS}
    assert described == routes - {(path, "HEAD") for path, _ in routes}


def test_the_server_offers_the_document(server: Live) -> None:
    """`GET /_mock/openapi.json` is the document."""
    assert server.client.get("/_mock/openapi.json").json() == DOCUMENT


def test_responses_are_as_described(server: Live) -> None:
    """What each operation accepts and responds with has the schema of the document."""
    server.post("/evaluate", {**SCENARIO, "messages": MESSAGES, "unknown": 1})
    server.post("/evaluate", {**SCENARIO, "messages": MESSAGES}, key="lab_wrong")
    names = {"key": "lab_another", "episodes": server.episode(), "datasets": ID, "faults": "one"}
    server.turn(names["episodes"], *MESSAGES)
    for operation in sorted(
        CONTROL_OPERATIONS, key=lambda one: one.name in ("forget_requests", "remove_faults", "reset")
    ):  # these last
        if operation.media != "application/json":
            continue
        path = (
            operation.path.replace("{key}", names["key"])
            .replace("{number}", "1")
            .replace("{id}", names.get(operation.path.split("/")[1], ""))
        )
        body = BODIES.get(operation.name)
        response = server.client.request(operation.method, PREFIX + path, json=body, headers=JSON)
        assert response.status_code == 200, f"{operation.name}: {response.text}"
        described = DOCUMENT["paths"][PREFIX + operation.path][operation.method.lower()]
        check(described["responses"]["200"]["content"], response.json())
        if body is not None:
            check(described["requestBody"]["content"], body)
        if operation.name == "end_episode":
            error = server.client.post(PREFIX + path, headers=JSON)
            assert error.status_code == 400
            check(described["responses"]["400"]["content"], error.json())


def check(content: dict[str, Any], value: Any) -> None:
    """That a value has the schema of a content."""
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(value)


@pytest.mark.parametrize("schema", ["RecordInfo", "EpisodeInfo", "KeyInfo", "DatasetInfo"])
def test_a_schema_refuses_what_lacks_a_field(schema: str) -> None:
    """Every field of a response is required, so that the comparison above finds one that is gone."""
    assert DOCUMENT["components"]["schemas"][schema]["required"] == list(
        DOCUMENT["components"]["schemas"][schema]["properties"]
    )


def test_keys_are_not_in_the_document() -> None:
    """The document holds nothing of a server."""
    assert KEY not in control_openapi_text(PREFIX)
