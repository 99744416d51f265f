"""Values of the right shape in the wrong unit, on the wrong scale or from the wrong origin (RL-1, RL-2, EV-1, BAT-1, GEN-3).

What the other sections compare, such as counts, turns and rewards, they check themselves.
"""

from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import SENTENCES, after_earning, as_conversation, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import Skip
from labs_mock.contract.limits import WINDOW

BODY_LIMIT = 16 * 1024 * 1024  # bytes, where nothing else is configured (GEN-3)
YEAR = 366 * 24 * 60 * 60  # seconds
NETWORK = 2.0  # seconds between a `Date`, which is whole, and what the server does then
SKEW = 60.0  # seconds between our clock and another
REPEATS = 3
SLOW = 0.5  # seconds by which an evaluation must be slower than a refusal, so that its time shows its unit


@check("RL-1", "RL-2")
def a_window_ends_within_a_minute(target: Target) -> None:
    """`X-RateLimit-Reset` is in unix seconds, after the present and at most 60 s ahead, by the server's own clock where it has one."""
    for name, body in target.each((("list_catalog", None), ("describe_key", None), ("evaluate", _evaluation(target)))):
        before = target.clock()
        response = target.request(name, body)
        after = target.clock()
        earliest, latest = (before.now, after.now) if before and after else _about(target, response)
        with suppress(KeyError, ValueError):
            reset = int(response.headers["x-ratelimit-reset"])
            near = abs(reset - latest) <= YEAR
            target.expect("RL-1", near, f"unix seconds, about {latest:.0f}", reset, inferred=False)
            holds = earliest < reset <= latest + WINDOW
            span = f"the end of a window, after {earliest:.0f} and until {latest + WINDOW:.0f}"
            target.expect("RL-2", holds, span, reset, inferred=True)


@check("EV-1", "BAT-1")
def a_time_is_in_milliseconds(target: Target) -> None:
    """No evaluation takes longer than its request and response together; and what took half a second was no single millisecond."""
    clock = target.clock()
    if clock and clock.mode.startswith("x"):
        raise Skip("the server's clock runs faster or slower than ours")
    scenario = target.every_scenario[0]
    messages = as_conversation(scenario, after_earning(scenario, operator(" ".join(SENTENCES))))
    idle = max(target.request("evaluate", {}, limited=False).seconds for _ in range(REPEATS))
    cases: tuple[tuple[str, str, Json], ...] = (
        ("EV-1", "evaluate", {**scenario.slugs, "messages": messages}),
        ("BAT-1", "batch_evaluate", {"items": [item(scenario, messages)]}),
    )
    for clause, name, body in target.each(cases):
        for _ in range(REPEATS):
            response = target.request(name, body)
            milliseconds = (
                response.json["metadata"]["evaluation_time_ms"]
                if name == "evaluate"
                else response.json["total_time_ms"]
            )
            _check_time(target, clause, response, milliseconds, idle)


@check("GEN-3")
def a_body_of_the_limit_is_accepted(target: Target) -> None:
    """16 MiB are 16,777,216 bytes."""
    plain = orjson.dumps(_evaluation(target))[:-1] + b',"extra":"'
    response = target.request("evaluate", content=plain + b"x" * (BODY_LIMIT - len(plain) - 2) + b'"}')
    target.expect_status(response, 200, "GEN-3", why="a body of 16 MiB")


def _check_time(target: Target, clause: str, response: Response, milliseconds: float, idle: float) -> None:
    took = response.seconds * 1000
    target.expect(
        clause, milliseconds <= took + 1, f"at most the {took:.0f} ms between request and response", milliseconds
    )
    extra = took - idle * 1000
    seconds = milliseconds > 0 and extra > SLOW * 1000 and extra / 2 <= milliseconds * 1000 <= took + 1000
    target.expect(
        clause, not seconds, f"milliseconds, of {took:.0f} ms that request and response took", shown(milliseconds)
    )


def _about(target: Target, response: Response) -> tuple[float, float]:
    """Between which times a response was made: by its `Date`, or by our clock."""
    try:
        date = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = target.client.now()
        return now - SKEW, now + SKEW
    return date - NETWORK, date + NETWORK


def _evaluation(target: Target) -> dict[str, Any]:
    scenario: OfferedScenario = target.every_scenario[0]
    return {**scenario.slugs, "messages": [operator("Hello.")]}
