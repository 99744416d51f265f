import gc
import re
import socket
from typing import Any

import httpx
import pytest

from labs_mock.contract.responses import ErrorBody
from labs_mock.http.exchange import Exchange
from labs_mock.state import World
from tests.support import KEY, Live, live, result_of, world

JSON = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
EVALUATE = "/api/v1/evaluate"
VALID = '"collection_slug": "case-management", "scenario_slug": "back-claim"'
MESSAGES = '"messages": [{"role": "assistant", "content": "x"}]'
LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def check_envelope(response: httpx.Response, status: int) -> str:
    """The message of an error response, whose form is checked (ERR-1, ID-1, ID-2)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = ErrorBody.model_validate_json(response.content)
    assert body.data.request_id == response.headers["x-request-id"]
    assert re.fullmatch(r"req_[0-9a-hjkmnp-tv-z]{26}", body.data.request_id)
    assert "Traceback" not in response.text
    assert "date" not in response.headers
    assert "server" not in response.headers
    return body.message


BEFORE_THE_LIMITER: list[tuple[str, str, dict[str, str], str, int, str]] = [
    ("GET", "/nowhere", JSON, "", 404, "no such path"),
    ("POST", "/", JSON, "{}", 405, "use GET, HEAD"),
    ("POST", f"{EVALUATE}/", JSON, "{}", 404, "no such path"),
    ("POST", "/api/v1/episodes//turns", JSON, "{}", 404, "no such path"),
    ("POST", "/api/v1/episodes/a/b/turns", JSON, "{}", 404, "no such path"),
    ("GET", "/_mock", JSON, "", 404, "no such path"),
    ("GET", "/_mock/nothing", JSON, "", 404, "no such path"),
    ("GET", "/_mock/health/", JSON, "", 404, "no such path"),
    ("POST", "/_mock/health", JSON, "{}", 405, "GET"),
    ("GET", EVALUATE, {}, "", 405, "use POST"),
    ("HEAD", EVALUATE, {}, "", 405, ""),
    ("OPTIONS", EVALUATE, {}, "", 405, "use POST"),
    ("DELETE", "/api/v1/episodes/ep_x/turns", {}, "", 405, "use POST"),
    ("POST", EVALUATE, {"content-type": "application/json"}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "authorization": "Bearer lab_wrong"}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "authorization": f"Basic {KEY}"}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "authorization": KEY}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "authorization": "Bearer"}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "authorization": f"Bearer {KEY} {KEY}"}, "{}", 401, "Invalid or missing API key"),
    ("POST", EVALUATE, {**JSON, "content-type": "text/plain"}, "{}", 400, "Content-Type: expected application/json"),
    ("POST", EVALUATE, {**JSON, "content-type": "application/json; charset=latin-1"}, "{}", 400, "Content-Type"),
    ("POST", EVALUATE, {"authorization": JSON["authorization"]}, "{}", 400, "Content-Type"),
    ("POST", EVALUATE, JSON, "", 400, "expected JSON"),
    ("POST", EVALUATE, JSON, "{", 400, "expected JSON"),
    ("POST", EVALUATE, JSON, "[]", 400, "expected a JSON object, got a list"),
    ("POST", EVALUATE, JSON, "null", 400, "expected a JSON object, got null"),
    ("POST", EVALUATE, JSON, '"x"', 400, "expected a JSON object, got text"),
    ("POST", EVALUATE, JSON, '{"a": NaN}', 400, "expected JSON"),
    ("POST", EVALUATE, JSON, '{"a": -Infinity}', 400, "expected JSON"),
    ("POST", EVALUATE, JSON, '{"a": 1e400}', 400, "expected JSON"),
    ("POST", EVALUATE, JSON, '{"a": "\\ud800"}', 400, "expected JSON"),
    ("POST", EVALUATE, JSON, '{"a": ' + "[" * 64 + "]" * 64 + "}", 400, "at most 64 levels"),
    ("POST", EVALUATE, JSON, '{"a": ' * 5_000 + "1" + "}" * 5_000, 400, "expected JSON"),
    ("POST", EVALUATE, JSON, "{}", 400, "collection_slug: is required"),
    ("POST", EVALUATE, JSON, f"{{{VALID}}}", 400, "messages: is required"),
    ("POST", EVALUATE, JSON, f'{{{VALID}, "messages": null}}', 400, "messages: expected a list, got null"),
    ("POST", EVALUATE, JSON, f'{{{VALID}, "messages": []}}', 400, "at least one new assistant message"),
    ("POST", EVALUATE, JSON, f'{{{VALID}, "messages": [1]}}', 400, "messages.0: expected an object"),
    ("POST", EVALUATE, JSON, f'{{{VALID}, "messages": [{{"role": "tool", "content": ""}}]}}', 400, "messages.0.role"),
    ("POST", EVALUATE, JSON, f'{{{VALID}, "messages": [{{"role": "user"}}]}}', 400, "messages.0.content: is required"),
    (
        "POST",
        EVALUATE,
        JSON,
        f'{{{VALID}, "messages": [{{"role": "user", "content": "{"x" * 10_001}"}}]}}',
        400,
        "messages.0.content: expected at most 10,000 characters, got 10,001",
    ),
    (
        "POST",
        EVALUATE,
        JSON,
        f'{{{VALID}, "messages": [{",".join(["1"] * 1_001)}]}}',
        400,
        "messages",
    ),
    (
        "POST",
        EVALUATE,
        JSON,
        f'{{{VALID}, {MESSAGES}, "reward_config": {{"quality_weights": {{"kindness": 1}}}}}}',
        400,
        "reward_config.quality_weights.kindness: is not a known name",
    ),
    (
        "POST",
        EVALUATE,
        JSON,
        f'{{{VALID}, {MESSAGES}, "reward_config": {{"quality_weights": {{"rubrics": 1.5}}}}}}',
        400,
        "reward_config.quality_weights.rubrics: expected a number of at most 1, got 1.5",
    ),
    (
        "POST",
        EVALUATE,
        JSON,
        f'{{{VALID}, {MESSAGES}, "reward_config": {{"skip_safety_gate": "yes"}}}}',
        400,
        "reward_config.skip_safety_gate: expected true or false, got 'yes'",
    ),
    (
        "POST",
        "/api/v1/episodes/ep_a/turns",
        JSON,
        f'{{"id": "ep_b", {MESSAGES}}}',
        400,
        "id: expected the id in the path, got 'ep_b'",
    ),
]


@pytest.mark.parametrize(("method", "path", "headers", "body", "status", "message"), BEFORE_THE_LIMITER)
def test_errors_before_the_limiter(
    server: Live, method: str, path: str, headers: dict[str, str], body: str, status: int, message: str
) -> None:
    """Every early error has the envelope, says what is wrong, and uses no quota (ERR-1, ERR-2, GEN-3, GEN-6, RL-1)."""
    response = server.client.request(method, path, headers=headers, content=body.encode())
    if method == "HEAD":
        assert response.status_code == status
        assert response.headers["allow"] == "POST"
    else:
        assert message in check_envelope(response, status)
    assert not set(LIMITS) & set(response.headers)
    if status == 405 and path.startswith("/api"):
        assert response.headers["allow"] == "POST"


AFTER_THE_LIMITER: list[tuple[str, dict[str, Any], int, str]] = [
    ("/episodes", {"collection_slug": "nope", "scenario_slug": "x"}, 404, "Collection not found: 'nope'"),
    (
        "/episodes",
        {"collection_slug": "case-management", "scenario_slug": "nope"},
        404,
        "Scenario not found: 'nope' in collection 'case-management'",
    ),
    ("/episodes/ep_x/turns", {"messages": [{"role": "assistant", "content": "x"}]}, 404, "Episode not found"),
    (
        "/evaluate",
        {
            "collection_slug": "case-management",
            "scenario_slug": "back-claim",
            "messages": [{"role": "assistant", "content": "Hello, I'm calling about my claim."}],
        },
        400,
        "at least one new assistant message",
    ),
]


@pytest.mark.parametrize(("path", "body", "status", "message"), AFTER_THE_LIMITER)
def test_errors_after_the_limiter(server: Live, path: str, body: dict[str, Any], status: int, message: str) -> None:
    """Errors that need state have the envelope too, and carry the quota's headers (RL-1)."""
    response = server.post(path, body)
    assert message in check_envelope(response, status)
    assert [response.headers[name] for name in LIMITS] == ["1000000", "999999", "1767225660"]


def test_input_is_quoted_shortly_and_keys_never(server: Live) -> None:
    """A message quotes at most 80 characters of input, and no key (ERR-2)."""
    long = server.post("/episodes", {"collection_slug": "case-management", "scenario_slug": "z" * 5_000})
    assert check_envelope(long, 404).count("z") <= 80
    many = [{"role": "z" * 24, "content": 1}] * 3
    several = server.post("/evaluate", {"collection_slug": "q", "scenario_slug": "q", "messages": many})
    assert check_envelope(several, 400).count("z") <= 80
    secret = server.post("/episodes", {"collection_slug": f"x {KEY}", "scenario_slug": "x"})
    assert KEY not in check_envelope(secret, 404)
    control = server.post("/episodes", {"collection_slug": "a\u0000\n\u2028b", "scenario_slug": "x"})
    assert "a\ufffd\ufffd\ufffdb" in check_envelope(control, 404)


def test_no_answer_quotes_what_a_request_proves_itself_with(server: Live) -> None:
    """Valid or not, of any shape, whole or cut; what only looks like a key is quoted (ERR-2)."""
    for key in ("sk-proj.a/b==", "lab_" + "n0body" * 10):
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        for method, path in (("GET", "requests"), ("POST", "reset")):
            refused = server.client.request(method, f"/_mock/{path}?{key}=1", headers=headers)
            assert key[:14] not in check_envelope(refused, 400)
    for body in ({"key": "sk-proj", "organisation": "acme"}, {"key": "lab_n0 body", "organisation": "acme"}):
        assert body["key"] not in check_envelope(server.client.post("/_mock/keys", json=body), 400)
    fault = server.client.post("/_mock/faults", json={"key": "sk-proj", "close": True})
    assert "sk-proj" not in check_envelope(fault, 400)
    results = server.post(
        "/batch/evaluate", {"items": [{"id": "a", "collection_slug": KEY, "scenario_slug": "x"}]}
    ).json()
    assert results["results"][0]["status"] == "error"
    assert KEY not in results["results"][0]["error"]
    odd = server.post(
        "/evaluate", {"collection_slug": "lab_results", "scenario_slug": "x", "messages": 1, "lab_results": 1}
    )
    assert 'place="lab_results"' in odd.headers["x-mock-findings"]
    unknown = server.post("/episodes", {"collection_slug": "lab_results", "scenario_slug": "x"})
    assert "lab_results" in check_envelope(unknown, 404)


def test_a_body_above_the_limit_is_413() -> None:
    """A larger body is refused, whether it declares its length or comes in chunks (GEN-3)."""
    with live(world(max_body=2_000)) as server:
        declared = server.client.post(EVALUATE, headers=JSON, content=b" " * 2_001)
        assert "at most 2,000 bytes" in check_envelope(declared, 413)
        chunks = server.client.post(EVALUATE, headers=JSON, content=iter([b" " * 1_500] * 2))
        assert "at most 2,000 bytes" in check_envelope(chunks, 413)
        exact = server.client.post(EVALUATE, headers=JSON, content=b" " * 2_000)
        assert "expected JSON" in check_envelope(exact, 400)
        assert check_envelope(server.client.post(EVALUATE, content=b" " * 2_001), 401)


def test_the_limit_is_429_with_headers() -> None:
    """Over the limit: 429 with `Remaining: 0`; the next whole minute opens a new window (RL-1, RL-2)."""
    with live(world(plan="standard", clock="frozen:2026-01-01T00:00:30Z")) as server:
        responses = [server.post("/episodes", {"collection_slug": "x", "scenario_slug": "x"}) for _ in range(61)]
        assert [response.status_code for response in responses] == [404] * 60 + [429]
        assert [response.headers["x-ratelimit-remaining"] for response in responses] == [
            *map(str, range(59, -1, -1)),
            "0",
        ]
        assert {response.headers["x-ratelimit-reset"] for response in responses} == {"1767225660"}
        assert check_envelope(responses[-1], 429) == "Rate limit exceeded"
        assert "retry-after" not in responses[-1].headers
        assert server.post("/nowhere", {}).status_code == 404
        server.advance(29)
        assert server.post("/episodes", {"collection_slug": "x", "scenario_slug": "x"}).status_code == 429
        server.advance(1)
        assert server.post("/episodes", {"collection_slug": "x", "scenario_slug": "x"}).status_code == 404


def test_a_defect_of_the_mock_is_a_500_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """A 500 says whose fault it is and names the request; the traceback is in the log alone."""
    broken = world()
    del broken.caches
    with live(broken) as server:
        response = server.post("/episodes", {"collection_slug": "case-management", "scenario_slug": "back-claim"})
    message = check_envelope(response, 500)
    assert "mock server" in message
    assert "caches" not in message
    assert response.headers["x-request-id"] in caplog.text
    assert "AttributeError" in caplog.text


REFUSED: list[tuple[str, str, int, str]] = [
    (
        "/evaluate",
        '{"collection_slugg": "x", "messages": 1}',
        400,
        'unknown_field;severity=warning;place="collection_slugg"',
    ),
    (
        "/evaluate",
        f'{{{VALID}, {VALID}, "messages": []}}',
        400,
        'duplicate_key;severity=warning;place="collection_slug"',
    ),
    (
        "/evaluate",
        f'{{{VALID}, "scenario_slug": "nope", {MESSAGES}}}',
        404,
        'duplicate_key;severity=warning;place="scenario',
    ),
    ("/episodes/ep_x/turns", f'{{"x": 1, {MESSAGES}}}', 404, 'unknown_field;severity=warning;place="x"'),
]


@pytest.mark.parametrize(("path", "body", "status", "finding"), REFUSED)
def test_what_is_noticed_is_told_of_refused_requests_too(
    server: Live, path: str, body: str, status: int, finding: str
) -> None:
    """The finding may well name the cause of the refusal; it is no part of the envelope (GEN-4, GEN-6, ERR-1)."""
    response = server.client.post(f"/api/v1{path}", headers=JSON, content=body)
    check_envelope(response, status)
    assert response.headers["x-mock-findings"].startswith(finding)


def test_a_refused_request_is_forgotten_at_once(server: Live) -> None:
    """Nothing of it waits for the garbage collector: an error does not keep the request that caused it."""
    gc.collect()
    gc.disable()
    try:
        for body in ('{"a": NaN}', "{}", f'{{{VALID}, "messages": []}}'):
            check_envelope(server.client.post(EVALUATE, headers=JSON, content=body), 400)
        server.client.get("/nowhere")
        left = [thing for thing in gc.get_objects() if isinstance(thing, Exchange)]
    finally:
        gc.enable()
    assert not left


def test_without_the_control_plane_only_health_is_left() -> None:
    """The control plane's health responds to a GET; everything else under `/_mock` is a 404 in the envelope."""
    with live(world(control=False)) as server:
        health = server.client.get("/_mock/health").json()
        assert health["status"] == "ok"
        assert health["scenarios"] == 1
        assert health["instance"] == server.world.instance
        check_envelope(server.client.get("/_mock/requests"), 404)


def raw(served: World, *parts: bytes, leave: bool = True) -> bytes:
    """Send bytes over a socket, close its writing side unless the server is to close it all, and read what comes back."""
    with live(served) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            for part in parts:
                connection.sendall(part)
            if leave:
                connection.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := connection.recv(65_536):
                received += chunk
    return received


def test_a_request_that_breaks_off_changes_nothing() -> None:
    """A client that leaves in the middle of its body is not answered, and no episode is made."""
    served = world()
    head = f"POST /api/v1/episodes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
    body = b'{"collection_slug": "case-management", "scenario_slug": "back-claim"}'
    broken = head.encode() + b"content-length: 500\r\n\r\n" + body
    assert raw(served, broken) == b""
    assert result_of(served.store.episodes(10)) == []
    whole = head.encode() + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    assert raw(served, whole, leave=False).startswith(b"HTTP/1.1 200")
    assert len(result_of(served.store.episodes(10))) == 1
