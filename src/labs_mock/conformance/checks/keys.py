"""Which keys are accepted, what a key may see, and what it is (AUTH, KEY)."""

from contextlib import suppress
from itertools import product
from typing import Any

from labs_mock.clock import parse_instant
from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.client import WITH_OWN_KEY
from labs_mock.conformance.http_response import KEY_PLACEHOLDER, Response
from labs_mock.conformance.strategies import conversations, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.contract.limits import WINDOW
from labs_mock.contract.operations import OPERATIONS
from labs_mock.contract.wording import UNAUTHORIZED

NO_KEY = (
    None,
    "",
    "Bearer",
    KEY_PLACEHOLDER,
    f"Basic {KEY_PLACEHOLDER}",
    f"Token {KEY_PLACEHOLDER}",
    f"Bearer{KEY_PLACEHOLDER}",
    f"Bearer {KEY_PLACEHOLDER}x",
    f"Bearer x{KEY_PLACEHOLDER}",
    f"Bearer {KEY_PLACEHOLDER} {KEY_PLACEHOLDER}",
    f"Bearer  {KEY_PLACEHOLDER}",
    f"Bearer\t{KEY_PLACEHOLDER}",
    "Bearer lab_no_such_key",
)
NOBODY = "00000000-0000-4000-8000-000000000000"
SCORES = ("scores", "score_breakdown")
LIMIT = ("limit", "remaining", "reset")
ATTEMPTS = 4  # for two requests within one window


@check("AUTH-1")
def without_a_valid_key_everything_is_a_401(target: Target) -> None:
    """Whatever is wrong with the key, and whatever else is wrong with the request (RL-1)."""
    for authorization, operation in target.each(product(NO_KEY, OPERATIONS)):
        response = target.request(operation.name, {}, id=NOBODY, authorization=authorization)
        why = "no authorization" if authorization is None else f"the authorization {quoted(authorization)}"
        target.expect_status(response, 401, "AUTH-1", inferred=False, message=UNAUTHORIZED, why=why)


@check("AUTH-1")
def a_key_is_in_the_authorization_header_alone(target: Target) -> None:
    """In another header or in the query it does not count."""
    for headers in target.each(
        (
            {"x-api-key": KEY_PLACEHOLDER},
            {"api-key": KEY_PLACEHOLDER},
            {"cookie": f"Authorization=Bearer {KEY_PLACEHOLDER}"},
        )
    ):
        response = target.request("list_catalog", headers=headers, authorization=None)
        target.expect_status(
            response, 401, "AUTH-1", inferred=False, message=UNAUTHORIZED, why=f"a key in {', '.join(headers)}"
        )


@check("AUTH-1")
def the_scheme_is_in_any_case(target: Target) -> None:
    """As HTTP has it."""
    for scheme in target.each(("bearer", "BEARER")):
        response = target.request("list_catalog", authorization=f"{scheme} {KEY_PLACEHOLDER}")
        target.expect_status(response, 200, "AUTH-1", inferred=True, why=f"the scheme {scheme}")


@check("AUTH-1")
def two_authorization_headers_are_a_401(target: Target) -> None:
    """Equal ones, and the right one before or behind another."""
    other = "Bearer lab_no_such_key"
    for first, second in target.each(((WITH_OWN_KEY, WITH_OWN_KEY), (WITH_OWN_KEY, other), (other, WITH_OWN_KEY))):
        response = target.request("list_catalog", authorization=first, headers={"Authorization": second})
        target.expect_status(response, 401, "AUTH-1", inferred=True, why="two Authorization headers")


@check("AUTH-3")
def a_key_sees_the_same_everywhere(target: Target, draw: Draw) -> None:
    """What it may see of scores is in evaluations, batches and scored turns, or in none of them."""
    scenario = draw(target.scenarios)
    conversation = draw(conversations(scenario))
    episode = target.create(scenario, score_turns=True)["episode_id"]
    results = {
        "/evaluate": target.evaluate(scenario, conversation),
        "/batch/evaluate": target.batch([item(scenario, conversation)])["results"][0],
        "a scored turn": target.turn(episode, [operator("Hello.")]),
    }
    seen = {where: [name for name in SCORES if name in result] for where, result in results.items()}
    for where, result in results.items():
        target.expect(
            "AUTH-3", seen[where] == seen["/evaluate"], f"the same everywhere, {shown(seen)}", where, inferred=True
        )
        if "score_breakdown" in result:
            holds = list(result["score_breakdown"]) == list(result.get("scores", ()))
            target.expect("AUTH-3", holds, f"a sentence for each score in {where}", result, inferred=False)


@check("KEY-1")
def a_key_describes_itself(target: Target) -> None:
    """Its id is always the same and does not hold the key; it has not expired."""
    responses = [target.request("describe_key") for _ in range(2)]
    target.expect_status(responses[0], 200, "KEY-1", inferred=False, why="a valid key")
    one, other = (response.json for response in responses)
    target.expect("KEY-1", isinstance(one["key_id"], str), "a key_id that is text", one, inferred=False)
    target.expect("KEY-1", one["key_id"] == other["key_id"], f"the id {one['key_id']} again", other, inferred=True)
    leaks = KEY_PLACEHOLDER.encode() in responses[0].content
    target.expect("KEY-1", not leaks, "no key in its description", responses[0].content, inferred=True)
    end = one["expires_at"]
    if end is not None:
        instant = _instant(end)
        target.expect("KEY-1", instant is not None, "an expires_at in ISO 8601", end, inferred=False)
        now = int(responses[0].headers["x-ratelimit-reset"]) - WINDOW
        target.expect("KEY-1", instant is None or instant > now, f"an end after {now}", end, inferred=True)


@check("KEY-1")
def a_key_reports_what_is_left(target: Target) -> None:
    """Its one limit is that of the headers of the same response, and the call has used one of it."""
    left = []
    for _ in range(ATTEMPTS):
        responses = [target.request("describe_key") for _ in range(2)]
        for response in responses:
            limits = response.json["rate_limits"]
            headers = [int(response.headers[f"x-ratelimit-{name}"]) for name in LIMIT]
            holds = isinstance(limits, list) and [[one.get(name) for name in LIMIT] for one in limits] == [headers]
            target.expect("KEY-1", holds, f"one limit, {headers} as in the headers", limits, inferred=True)
        if len({response.headers["x-ratelimit-reset"] for response in responses}) == 1:
            left.append(_remaining(responses[0]) - _remaining(responses[1]))
    target.expect("KEY-1", not left or 1 in left, "one of the quota used by each call", left, inferred=True)


def _remaining(response: Response) -> int:
    return int(response.headers["x-ratelimit-remaining"])


def _instant(text: Any) -> float | None:
    """Unix seconds of an ISO 8601 time; None for anything else."""
    with suppress(TypeError, ValueError):
        return parse_instant(text)
    return None
