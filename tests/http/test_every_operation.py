import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_type_hints

import httpx
import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.contract.openapi import examples
from labs_mock.contract.operations import OPERATIONS, Operation
from labs_mock.contract.requests import Message, WireModel
from labs_mock.state import World
from tests.http.test_envelope import LIMITS, check_envelope
from tests.support import KEY, Live, live, world

CREATE = next(operation for operation in OPERATIONS if operation.name == "create_episode")
WITH_BODY = [operation for operation in OPERATIONS if operation.request is not None]
named = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
with_body = pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library."""
    with live(World(world().settings, load_library(shipped_library()))) as running:
        yield running


@pytest.fixture
def server(shipped: Live) -> Live:
    """The same with its world as new, but for the episode of the examples."""
    shipped.reset()
    send(shipped, CREATE)
    return shipped


def example(operation: Operation) -> dict[str, Any]:
    """A copy of an operation's example request."""
    request: dict[str, Any] = deepcopy(examples()[operation.name].get("request", {}))
    return request


def send(server: Live, operation: Operation, body: Any = None, key: str | None = KEY, **headers: str) -> httpx.Response:
    """An operation's example, or another body, sent as its clients would."""
    path = operation.full_path.format(id=examples()[operation.name].get("id"))
    authorization = {"authorization": f"Bearer {key}"} if key else {}
    content = (example(operation) if body is None else body) if operation.request else None
    return server.client.request(operation.method, path, json=content, headers={**authorization, **headers})


def without_id(response: httpx.Response) -> dict[str, Any]:
    """A body without what names the request or an episode."""
    body: dict[str, Any] = response.json()
    assert response.status_code == 200, body
    return {key: value for key, value in body.items() if key not in ("request_id", "episode_id")}


@named
def test_an_answer_carries_its_request_id_twice(server: Live, operation: Operation) -> None:
    """Header and body have the same id, whatever id the client sends along (ID-1, ID-2, GEN-1); rows have none."""
    own = send(server, operation, **{"x-request-id": "req_mine"})
    assert re.fullmatch(r"req_[0-9a-z]{26}", own.headers["x-request-id"])
    if operation.streams:
        assert "request_id" not in own.text
        assert all(operation.response.model_validate_json(line) for line in own.content.splitlines())
    else:
        assert own.headers["content-type"] == "application/json"
        body = operation.response.model_validate_json(own.content).model_dump()
        assert body["request_id"] == own.headers["x-request-id"]
    again = send(server, operation, **{"x-request-id": "req_other"})
    assert again.headers["x-request-id"] not in ("req_other", own.headers["x-request-id"])


@named
def test_a_key_is_wanted_before_anything_is_read(server: Live, operation: Operation) -> None:
    """Without a valid key it is 401, however bad the body is, and no quota is used (AUTH-1, RL-1, ID-2)."""
    for key in (None, "lab_nobody", "sk_local"):
        response = send(server, operation, {"nonsense": True}, key)
        assert check_envelope(response, 401) == "Invalid or missing API key"
        assert not set(LIMITS) & set(response.headers)


@named
def test_another_method_is_a_405_that_names_the_right_one(server: Live, operation: Operation) -> None:
    """The path is looked at before the key; HEAD, too, is another method (GEN-3, RL-1)."""
    path = operation.full_path.format(id="ep_x")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        if method == operation.method:
            continue
        response = server.client.request(method, path)
        assert check_envelope(response, 405) == f"Method not allowed; use {operation.method}"
        assert response.headers["allow"] == operation.method
    assert check_envelope(server.client.request(operation.method, f"{path}/"), 404)


@with_body
def test_bodies_that_are_no_json_object_are_refused(server: Live, operation: Operation) -> None:
    """Another content type, broken JSON and a list are a 400 that names the place (GEN-3, ERR-2)."""
    path = operation.full_path.format(id=example(operation).get("id"))
    headers = {"authorization": f"Bearer {KEY}"}
    plain = server.client.post(path, content=b"{}", headers={**headers, "content-type": "text/plain"})
    assert check_envelope(plain, 400) == "Content-Type: expected application/json"
    for content in (b"", b"{", b"[]", b"\xff{}", b"null", b'{"a": NaN}'):
        response = server.client.post(path, content=content, headers={**headers, "content-type": "application/json"})
        assert check_envelope(response, 400).startswith("body: expected ")


def objects(model: Any, value: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """All objects in a request that have a model, or are messages, outermost first."""
    yield model, value
    for name, annotation in get_type_hints(model).items():
        children = value.get(name) if isinstance(value.get(name), list) else [value.get(name)]
        for child in children or ():
            inner = next((part for part in _models(annotation) if isinstance(child, dict)), None)
            if inner is not None and isinstance(child, dict):
                yield from objects(inner, child)


def _models(annotation: Any) -> Iterator[Any]:
    if annotation is Message or (isinstance(annotation, type) and issubclass(annotation, WireModel)):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def optional_fields(model: Any) -> list[str]:
    """The names of the fields that a model, or a message, can do without."""
    if model is Message:
        return sorted(Message.__optional_keys__)
    return [name for name, field in model.model_fields.items() if not field.is_required()]


@with_body
def test_null_equals_absence(server: Live, operation: Operation) -> None:
    """Of every optional field, at any depth: the response is the same with null as without (GEN-5)."""
    assert operation.request is not None
    absent, null = example(operation), example(operation)
    for request, fill in ((absent, False), (null, True)):
        for model, value in list(objects(operation.request, request)):
            for name in optional_fields(model):
                value.pop(name, None)
                value.update({name: None} if fill else {})
    assert absent != null or operation.name == "batch_evaluate"  # its items have no model of their own
    first = without_id(send(server, operation, absent))
    server.reset()
    send(server, CREATE)
    assert without_id(send(server, operation, null)) == first


@with_body
def test_unknown_fields_change_nothing_and_are_noticed(server: Live, operation: Operation) -> None:
    """In any object of a request, but for the closed one of the weights (GEN-4)."""
    assert operation.request is not None
    first = without_id(send(server, operation))
    server.reset()
    send(server, CREATE)
    request = example(operation)
    added = 0
    for model, value in list(objects(operation.request, request)):
        if model is Message or model.model_config["extra"] == "ignore":
            value["surprise"] = {"nested": [1]}
            added += 1
    response = send(server, operation, request)
    assert without_id(response) == first
    assert response.headers["x-mock-findings"].count('surprise"') == added > 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", ""), ("POST", "/terminate"), ("POST", "/end"), ("GET", ""), ("PATCH", ""), ("POST", "/close")],
)
def test_no_call_ends_an_episode_early(server: Live, method: str, path: str) -> None:
    """None is documented, so none exists under `/api/v1`; the episode goes on (EP-14)."""
    turn = next(operation for operation in OPERATIONS if operation.name == "take_turn")
    episode = example(turn)["id"]
    response = server.client.request(
        method, f"/api/v1/episodes/{episode}{path}", headers={"authorization": f"Bearer {KEY}"}
    )
    check_envelope(response, 404)
    assert send(server, turn).json()["episode_complete"] is False
