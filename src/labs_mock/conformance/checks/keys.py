"""Who may ask, what a key may see, and what it is (AUTH, KEY)."""

from contextlib import suppress
from itertools import product
from typing import Any

from labs_mock.clock import parse_instant
from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.client import OWN
from labs_mock.conformance.exchanges import HIDDEN, Sent
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, operator
from labs_mock.contract.limits import WINDOW
from labs_mock.contract.operations import OPERATIONS
from labs_mock.contract.wording import UNAUTHORIZED

NO_KEY = (
    None,
    "",
    "Bearer",
    HIDDEN,
    f"Basic {HIDDEN}",
    f"Token {HIDDEN}",
    f"Bearer{HIDDEN}",
    f"Bearer {HIDDEN}x",
    f"Bearer x{HIDDEN}",
    f"Bearer {HIDDEN} {HIDDEN}",
    f"Bearer  {HIDDEN}",
    f"Bearer\t{HIDDEN}",
    "Bearer lab_no_such_key",
)
NOBODY = "00000000-0000-4000-8000-000000000000"
SCORES = ("scores", "score_breakdown")
LIMIT = ("limit", "remaining", "reset")
ATTEMPTS = 4  # for two requests within one window


@check("AUTH-1")
def without_a_valid_key_everything_is_a_401(lab: Lab) -> None:
    """Whatever is wrong with the key, and whatever else is wrong with the request (RL-1)."""
    for authorization, operation in lab.each(product(NO_KEY, OPERATIONS)):
        sent = lab.ask(operation.name, {}, id=NOBODY, authorization=authorization)
        why = "no authorization" if authorization is None else f"the authorization {quoted(authorization)}"
        lab.refused(sent, 401, "AUTH-1", inferred=False, message=UNAUTHORIZED, why=why)


@check("AUTH-1")
def a_key_is_in_the_authorization_header_alone(lab: Lab) -> None:
    """In another header or in the query it does not count."""
    for headers in lab.each(({"x-api-key": HIDDEN}, {"api-key": HIDDEN}, {"cookie": f"Authorization=Bearer {HIDDEN}"})):
        sent = lab.ask("list_catalog", headers=headers, authorization=None)
        lab.refused(sent, 401, "AUTH-1", inferred=False, message=UNAUTHORIZED, why=f"a key in {', '.join(headers)}")


@check("AUTH-1")
def the_scheme_is_in_any_case(lab: Lab) -> None:
    """As HTTP has it."""
    for scheme in lab.each(("bearer", "BEARER")):
        sent = lab.ask("list_catalog", authorization=f"{scheme} {HIDDEN}")
        lab.refused(sent, 200, "AUTH-1", inferred=True, why=f"the scheme {scheme}")


@check("AUTH-1")
def two_authorization_headers_are_a_401(lab: Lab) -> None:
    """Equal ones, and the right one before or behind another."""
    other = "Bearer lab_no_such_key"
    for first, second in lab.each(((OWN, OWN), (OWN, other), (other, OWN))):
        sent = lab.ask("list_catalog", authorization=first, headers={"Authorization": second})
        lab.refused(sent, 401, "AUTH-1", inferred=True, why="two Authorization headers")


@check("AUTH-3")
def a_key_sees_the_same_everywhere(lab: Lab, data: DrawExample) -> None:
    """What it may see of scores is in evaluations, batches and scored turns, or in none of them."""
    scenario = data(lab.scenarios)
    conversation = data(conversations(scenario))
    episode = lab.create(scenario, score_turns=True)["episode_id"]
    answers = {
        "/evaluate": lab.evaluate(scenario, conversation),
        "/batch/evaluate": lab.batch([item(scenario, conversation)])["results"][0],
        "a scored turn": lab.turn(episode, [operator("Hello.")]),
    }
    seen = {where: [name for name in SCORES if name in answer] for where, answer in answers.items()}
    for where, answer in answers.items():
        lab.expect(
            "AUTH-3", seen[where] == seen["/evaluate"], f"the same everywhere, {shown(seen)}", where, inferred=True
        )
        if "score_breakdown" in answer:
            held = list(answer["score_breakdown"]) == list(answer.get("scores", ()))
            lab.expect("AUTH-3", held, f"a sentence for each score in {where}", answer, inferred=False)


@check("KEY-1")
def a_key_describes_itself(lab: Lab) -> None:
    """Its id is always the same and does not hold the key; it has not expired."""
    sents = [lab.ask("describe_key") for _ in range(2)]
    lab.refused(sents[0], 200, "KEY-1", inferred=False, why="a valid key")
    one, other = (sent.json for sent in sents)
    lab.expect("KEY-1", isinstance(one["key_id"], str), "a key_id that is text", one, inferred=False)
    lab.expect("KEY-1", one["key_id"] == other["key_id"], f"the id {one['key_id']} again", other, inferred=True)
    leaks = HIDDEN.encode() in sents[0].answer
    lab.expect("KEY-1", not leaks, "no key in what it says of itself", sents[0].answer, inferred=True)
    end = one["expires_at"]
    if end is not None:
        instant = _instant(end)
        lab.expect("KEY-1", instant is not None, "an expires_at in ISO 8601", end, inferred=False)
        now = int(sents[0].headers["x-ratelimit-reset"]) - WINDOW
        lab.expect("KEY-1", instant is None or instant > now, f"an end after {now}", end, inferred=True)


@check("KEY-1")
def a_key_says_what_is_left(lab: Lab) -> None:
    """Its one limit is what the headers of the same answer say, and the call has used one of it."""
    left = []
    for _ in range(ATTEMPTS):
        sents = [lab.ask("describe_key") for _ in range(2)]
        for sent in sents:
            limits = sent.json["rate_limits"]
            headers = [int(sent.headers[f"x-ratelimit-{name}"]) for name in LIMIT]
            held = isinstance(limits, list) and [[one.get(name) for name in LIMIT] for one in limits] == [headers]
            lab.expect("KEY-1", held, f"one limit, {headers} as in the headers", limits, inferred=True)
        if len({sent.headers["x-ratelimit-reset"] for sent in sents}) == 1:
            left.append(_remaining(sents[0]) - _remaining(sents[1]))
    lab.expect("KEY-1", not left or 1 in left, "one of the quota used by each call", left, inferred=True)


def _remaining(sent: Sent) -> int:
    return int(sent.headers["x-ratelimit-remaining"])


def _instant(text: Any) -> float | None:
    """Unix seconds of an ISO 8601 time; None for anything else."""
    with suppress(TypeError, ValueError):
        return parse_instant(text)
    return None
