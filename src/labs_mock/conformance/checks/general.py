"""What holds for the API as a whole (GEN-1 to GEN-3, ID, RL); `every_response` checks the rest with every response."""

from collections.abc import Callable

import orjson
from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.body_fields import evaluation, hello, status_and_body
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.contract.limits import MAX_FIELDS, MAX_HEAD, WINDOW
from labs_mock.contract.operations import OPERATIONS

ATTEMPTS = 3  # to see quotas without a new window or another client between
BODY_LIMIT = 16 * 1024 * 1024  # bytes, where nothing else is configured (GEN-3)
NOBODY = "0" * 8
JSON_TYPE = {"content-type": "application/json"}

POSTS = [operation for operation in OPERATIONS if operation.request is not None]
NO_JSON = (b"", b"{", b"nothing", b"{'a': 1}", b'{"a": 1,}', b"\xff\xfe", b'{"a": "\xff"}', b"{} {}")
NO_OBJECT = (b"[]", b'"text"', b"7", b"null", b"true")
TYPES = ("text/plain", "application/x-www-form-urlencoded", "application/xml", "", None)
NO_PATH = ("/", "/nothing", "/episodes/nobody", "/evaluate/me", "/training-datasets", "/Evaluate")


@check("GEN-3")
def a_body_that_is_no_json_is_refused(target: Target) -> None:
    """So is JSON that is no object, by every operation that has a body."""
    for operation in POSTS:
        for content in target.each(NO_JSON + NO_OBJECT):
            response = target.request(operation.name, content=content, id=NOBODY, limited=False)
            target.expect_status(response, 400, "GEN-3", why=f"the body {quoted(content)}")


@check("GEN-3")
def another_content_type_is_refused(target: Target) -> None:
    """Even where the body is as it should be; none at all is another one, too."""
    whole = hello(target)
    slugs, plain = {name: whole[name] for name in whole if name != "messages"}, {"messages": whole["messages"]}
    episode = target.require("create_episode", slugs)["episode_id"]
    bodies = {
        "create_episode": slugs,
        "take_turn": plain,
        "evaluate": whole,
        "batch_evaluate": {"items": [{"id": "item", **whole}]},
        "compare": {**slugs, "response_a": plain, "response_b": plain},
    }
    for operation in POSTS:
        path, content = operation.path.replace("{id}", episode), orjson.dumps(bodies[operation.name])
        for kind in TYPES:
            headers = {} if kind is None else {"content-type": kind}
            response = target.send(
                "POST", path, content=content, headers=headers, operation=operation.name, limited=False
            )
            target.expect_status(
                response,
                400,
                "GEN-3",
                why=f"{'no content type' if kind is None else f'the content type {quoted(kind)}'}",
            )


@check("GEN-1")
def json_may_name_its_charset(target: Target) -> None:
    """`application/json` is accepted with `charset=utf-8`, too."""
    for kind in target.each(("application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8")):
        response = target.request("evaluate", hello(target), headers={"content-type": kind})
        target.expect_status(response, 200, "GEN-1", why=f"the content type {kind}")


@check("GEN-3")
def a_body_above_the_limit_is_refused(target: Target) -> None:
    """More than 16 MiB is a 413."""
    response = target.request("evaluate", content=b'{"a":"' + b"x" * BODY_LIMIT + b'"}')
    target.expect_status(response, 413, "GEN-3", why="a body of more than 16 MiB")


@check("GEN-3")
def a_head_above_the_limits_is_refused(target: Target) -> None:
    """More than 64 KiB, or more than 100 fields, is a 431, and the connection ends."""
    for why, fields in (
        ("more than 64 KiB", {"x-filler": "x" * MAX_HEAD}),
        ("more than 100 fields", {f"x-{number}": "x" for number in range(MAX_FIELDS + 1)}),
    ):
        response = target.send("GET", "/catalog", headers=fields, operation="list_catalog", limited=False)
        target.expect_status(response, 431, "GEN-3", why=f"a head of {why}")
        connection = response.headers.get("connection", "none")
        target.expect(
            "GEN-3", connection.lower() == "close", "Connection: close with a 431", f"Connection: {connection}"
        )


@check("GEN-3")
def an_unknown_path_is_a_404_without_a_key_too(target: Target) -> None:
    """The path is looked at before the key, and a trailing slash is another path."""
    slashed = [operation.path.replace("{id}", NOBODY) + "/" for operation in OPERATIONS]
    for path in target.each((*NO_PATH, *slashed)):
        for method in ("GET", "POST"):
            response = target.send(method, path, content=b"{}", headers=JSON_TYPE, authorization=None)
            target.expect_status(response, 404, "GEN-3", why=f"{method} {path}")


@check("GEN-3")
def another_method_is_a_405_without_a_key_too(target: Target) -> None:
    """It says in `Allow` which methods there are."""
    for operation in OPERATIONS:
        others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - {operation.method}
        for method in target.each(sorted(others)):
            path = operation.path.replace("{id}", NOBODY)
            response = target.send(method, path, content=b"{}", headers=JSON_TYPE, authorization=None)
            target.expect_status(response, 405, "GEN-3", why=f"{method} {path}")
            allowed = response.headers.get("allow", "")
            holds = operation.method in allowed.split(", ")
            target.expect("GEN-3", holds, f"Allow with {operation.method}", allowed or "no such header")


@check("ID-1")
def every_response_has_an_id_of_its_own(target: Target, draw: Draw) -> None:
    """Equal requests have ids of their own, and a client's own `X-Request-ID` changes nothing."""
    plain = evaluation(target, draw)
    own = draw(st.sampled_from(["mine", "req_" + "0" * 26, "req_0123456789abcdefghjkmnpqrs"]))
    responses = [target.request("evaluate", plain), target.request("evaluate", plain, headers={"x-request-id": own})]
    names = [response.headers.get("x-request-id") for response in responses]
    target.expect("ID-1", len({*names, own}) == 3, f"two ids, neither of them {own}", names, inferred=True)
    one, other = map(status_and_body, responses)
    target.expect("ID-1", one == other, f"the response without the client's id, {shown(one)}", other, inferred=True)


@check("RL-1", "RL-2")
def a_request_uses_one_of_the_quota(target: Target) -> None:
    """What comes from behind the limiter uses one, what is refused before uses none; windows are whole minutes."""
    plain = hello(target)
    others: tuple[tuple[str, int, Callable[[], Response]], ...] = (
        ("a 200", 2, lambda: target.request("evaluate", plain)),
        ("a 404 for a scenario", 2, lambda: target.request("evaluate", {**plain, "scenario_slug": "no-such-scenario"})),
        ("a 400 for the request alone", 1, lambda: target.request("evaluate", {}, limited=False)),
        ("a 401", 1, lambda: target.request("evaluate", plain, authorization=None)),
        ("a 404 for a path", 1, lambda: target.send("GET", "/nothing")),
        ("a 405", 1, lambda: target.send("DELETE", "/evaluate")),
    )
    for why, wanted, send in target.each(others):
        used = [_used(target, plain, send) for _ in range(ATTEMPTS)]
        target.expect("RL-1", wanted in used, f"{wanted - 1} of the quota used by {why}", used, inferred=True)


def _used(target: Target, plain: Json, send: Callable[[], Response]) -> int | None:
    """How much of the quota was used by something and an evaluation after it; None where a new window began."""
    before = target.request("evaluate", plain)
    send()
    after = target.request("evaluate", plain)
    try:
        (start, left), (end, rest) = (
            (int(response.headers["x-ratelimit-reset"]), int(response.headers["x-ratelimit-remaining"]))
            for response in (before, after)
        )
    except (KeyError, ValueError):
        return None
    target.expect("RL-2", start % WINDOW == 0, "a reset on the whole minute", start, inferred=True)
    return left - rest if start == end else None
