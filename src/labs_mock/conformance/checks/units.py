"""Values of the right shape in the wrong unit, on the wrong scale or from the wrong origin (RL-1, RL-2, EV-1, BAT-1, GEN-3).

What the other sections compare, such as counts, turns and rewards, they judge themselves.
"""

from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import SENTENCES, behind_talk, chat, operator
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.conformance.violations import Skip
from labs_mock.contract.limits import WINDOW

BODY_LIMIT = 16 * 1024 * 1024  # bytes, where nothing else is configured (GEN-3)
YEAR = 366 * 24 * 60 * 60  # seconds
NETWORK = 2.0  # seconds between a `Date`, which is whole, and what the server does then
SKEW = 60.0  # seconds between our clock and another
REPEATS = 3
SLOW = 0.5  # seconds by which an evaluation must be slower than a refusal, so that its time tells its unit


@check("RL-1", "RL-2")
def a_window_ends_within_a_minute(lab: Lab) -> None:
    """`X-RateLimit-Reset` is in unix seconds, after the present and at most 60 s ahead, by the server's own clock where it has one."""
    for name, body in lab.each((("list_catalog", None), ("describe_key", None), ("evaluate", _evaluation(lab)))):
        before = lab.clock()
        sent = lab.ask(name, body)
        after = lab.clock()
        earliest, latest = (before.now, after.now) if before and after else _about(lab, sent)
        with suppress(KeyError, ValueError):
            reset = int(sent.headers["x-ratelimit-reset"])
            near = abs(reset - latest) <= YEAR
            lab.expect("RL-1", near, f"unix seconds, about {latest:.0f}", reset, inferred=False)
            held = earliest < reset <= latest + WINDOW
            span = f"the end of a window, after {earliest:.0f} and until {latest + WINDOW:.0f}"
            lab.expect("RL-2", held, span, reset, inferred=True)


@check("EV-1", "BAT-1")
def a_time_is_in_milliseconds(lab: Lab) -> None:
    """No evaluation takes longer than its exchange; and what took half a second was no single millisecond."""
    clock = lab.clock()
    if clock and clock.mode.startswith("x"):
        raise Skip("the server's clock runs faster or slower than ours")
    scenario = lab.every_scenario[0]
    messages = chat(scenario, behind_talk(scenario, operator(" ".join(SENTENCES))))
    idle = max(lab.ask("evaluate", {}, limited=False).seconds for _ in range(REPEATS))
    cases: tuple[tuple[str, str, Json], ...] = (
        ("EV-1", "evaluate", {**scenario.where, "messages": messages}),
        ("BAT-1", "batch_evaluate", {"items": [item(scenario, messages)]}),
    )
    for clause, name, body in lab.each(cases):
        for _ in range(REPEATS):
            sent = lab.ask(name, body)
            told = sent.json["metadata"]["evaluation_time_ms"] if name == "evaluate" else sent.json["total_time_ms"]
            _judge_time(lab, clause, sent, told, idle)


@check("GEN-3")
def a_body_of_the_limit_is_accepted(lab: Lab) -> None:
    """16 MiB are 16,777,216 bytes."""
    plain = orjson.dumps(_evaluation(lab))[:-1] + b',"extra":"'
    sent = lab.ask("evaluate", content=plain + b"x" * (BODY_LIMIT - len(plain) - 2) + b'"}')
    lab.refused(sent, 200, "GEN-3", why="a body of 16 MiB")


def _judge_time(lab: Lab, clause: str, sent: Sent, told: float, idle: float) -> None:
    took = sent.seconds * 1000
    lab.expect(clause, told <= took + 1, f"at most the {took:.0f} ms of the exchange", told)
    extra = took - idle * 1000
    seconds = told > 0 and extra > SLOW * 1000 and extra / 2 <= told * 1000 <= took + 1000
    lab.expect(clause, not seconds, f"milliseconds, of {took:.0f} ms that the exchange took", shown(told))


def _about(lab: Lab, sent: Sent) -> tuple[float, float]:
    """Between which times an answer was made: by its `Date`, or by our clock."""
    try:
        date = parsedate_to_datetime(sent.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = lab.client.now()
        return now - SKEW, now + SKEW
    return date - NETWORK, date + NETWORK


def _evaluation(lab: Lab) -> dict[str, Any]:
    scenario: TargetScenario = lab.every_scenario[0]
    return {**scenario.where, "messages": [operator("Hello.")]}
