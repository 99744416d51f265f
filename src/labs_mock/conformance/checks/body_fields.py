"""What stands in the body of a request: unknown fields, null, odd JSON, and how messages name what is wrong (GEN-4 to GEN-6, ERR-2)."""

from collections.abc import Callable
from itertools import product
from typing import Any

import orjson
from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.http_response import KEY_PLACEHOLDER, SECOND_KEY_PLACEHOLDER, Response
from labs_mock.conformance.offered import Json
from labs_mock.conformance.strategies import comparable, conversations, operator, persona, texts
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.contract.limits import MAX_MESSAGES, MAX_NESTING, MAX_QUOTE, MAX_TOOL_CALLS


@check("GEN-4")
def unknown_fields_change_nothing(target: Target, draw: Draw) -> None:
    """Fields that are not documented are ignored, wherever they stand."""
    plain = evaluation(target, draw)
    name = draw(st.sampled_from(["temperature", "Messages", "reward_configs", "", "x" * 100]))
    value: Any = draw(st.sampled_from([None, 0, "text", [], {"a": [1]}]))
    place = draw(st.sampled_from([lambda body: body, lambda body: body["messages"][0]]))
    more = with_change(plain, lambda body: place(body).update({name: value}))
    _same(target, "GEN-4", plain, more, inferred=True)


@check("GEN-5")
def null_equals_absence(target: Target, draw: Draw) -> None:
    """`null` for an optional field is as if it were not there; the documentation does so with `reward_config`."""
    plain = evaluation(target, draw)
    _same(target, "GEN-5", plain, {**plain, "reward_config": None}, inferred=False)
    nulls: list[Json] = [
        {"normalization_key": None, "normalization_windows": None},
        {"normalization_windows": None},
        {"reward_config": {"quality_weights": None, "skip_safety_gate": None}},
        {"messages": [{**message, "tool_calls": message.get("tool_calls")} for message in plain["messages"]]},
    ]
    _same(target, "GEN-5", plain, {**plain, **draw(st.sampled_from(nulls))}, inferred=True)


@check("GEN-5")
def null_equals_absence_for_episodes(target: Target) -> None:
    """An episode begins and goes on with nulls for all that is optional."""
    scenario = target.every_scenario[0]
    episode = target.request("create_episode", {**scenario.slugs, "score_turns": None, "config": None})
    target.expect_status(episode, 200, "GEN-5", inferred=True, why="null for score_turns and config")
    name = episode.json["episode_id"]
    body = {"id": None, "messages": [operator("Hello.")], "reward_config": None}
    target.expect_status(
        target.request("take_turn", body, id=name), 200, "GEN-5", inferred=True, why="null for id and reward_config"
    )


@check("GEN-6")
def odd_json_is_refused(target: Target) -> None:
    """Numbers beyond a double, lone surrogates and 65 levels are a 400, 64 levels are not."""
    plain = hello(target)
    deep = {levels: b"[" * (levels - 1) + b"]" * (levels - 1) for levels in (MAX_NESTING, MAX_NESTING + 1)}
    objects = b'{"a":' * MAX_NESTING + b"1" + b"}" * MAX_NESTING
    odd = (
        objects,
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        rb'"\ud800"',
        rb'"\udc00x"',
        deep[MAX_NESTING + 1],
    )
    for value in target.each(odd):
        response = target.request("evaluate", content=with_field(plain, value), limited=False)
        target.expect_status(response, 400, "GEN-6", why=f"a value of {shown(value[:20])}")
    response = target.request("evaluate", content=with_field(plain, deep[MAX_NESTING]))
    target.expect_status(response, 200, "GEN-6", why=f"{MAX_NESTING} levels")


@check("GEN-6")
def long_lists_are_refused(target: Target) -> None:
    """1,000 messages and 100 tool calls are accepted, one more is a 400."""
    plain = hello(target)
    call = {"type": "artifact", "name": "no_such_tool", "input": {}}
    for many, status in target.each(((0, 200), (1, 400))):
        several = [operator("Hello."), *[persona("Yes.")] * (MAX_MESSAGES - 1 + many)]
        response = target.request("evaluate", {**plain, "messages": several}, limited=not many)
        target.expect_status(response, status, "GEN-6", why=f"{len(several)} messages")
        calls = [call] * (MAX_TOOL_CALLS + many)
        response = target.request("evaluate", {**plain, "messages": [operator("Hello.", *calls)]}, limited=not many)
        target.expect_status(response, status, "GEN-6", why=f"{len(calls)} tool calls")


@check("GEN-6")
def the_last_of_equal_keys_counts(target: Target, draw: Draw) -> None:
    """A key that comes again replaces the one before, even if that was wrong."""
    plain = evaluation(target, draw)
    wrong = draw(st.sampled_from([b'"messages":7,', b'"scenario_slug":"no-such-scenario",', b'"messages":[],']))
    response = target.request("evaluate", content=b"{" + wrong + orjson.dumps(plain)[1:])
    wanted, seen = status_and_body(target.request("evaluate", plain)), status_and_body(response)
    target.expect("GEN-6", seen == wanted, f"the response without {wrong.decode()}, {shown(wanted)}", seen)


@check("GEN-1")
def any_text_is_accepted(target: Target, draw: Draw) -> None:
    """Bodies are UTF-8: a message may have whatever characters JSON can hold."""
    scenario = draw(target.scenarios)
    text = draw(texts())
    response = target.request("evaluate", {**scenario.slugs, "messages": [operator(text)]})
    target.expect_status(response, 200, "GEN-1", why=f"the text {quoted(text)}")


PLACES: tuple[
    tuple[str, Callable[[Json], Any]], ...
] = (  # what is wrong with an evaluation, and what the message names
    ("collection_slug", lambda body: body.pop("collection_slug")),
    ("scenario_slug", lambda body: body.update(scenario_slug=7)),
    ("messages", lambda body: body.update(messages="Hello.")),
    ("messages.0.content", lambda body: body["messages"][0].update(content=7)),
    ("messages.0.content", lambda body: body["messages"][0].pop("content")),
    ("messages.0.role", lambda body: body["messages"][0].update(role="robot")),
    ("messages.0.tool_calls.0.name", lambda body: body["messages"][0].update(tool_calls=[{"type": "a", "input": 1}])),
    ("reward_config", lambda body: body.update(reward_config=[])),
    ("reward_config.quality_weights.rubrics", lambda body: body.update(reward_config=_weights(rubrics=2))),
    ("reward_config.skip_safety_gate", lambda body: body.update(reward_config={"skip_safety_gate": 1})),
    ("normalization_key", lambda body: body.update(normalization_key=7)),
)


@check("ERR-2")
def a_message_names_the_field(target: Target) -> None:
    """It has the path of what is wrong, in an evaluation and in an item of a batch."""
    for place, spoil in target.each(PLACES):
        body = with_change(hello(target), spoil)
        response = target.request("evaluate", body, limited=False)
        target.expect_status(response, 400, "ERR-2", why=f"a wrong {place}")
        target.expect("ERR-2", place in response.message, f"a message that names {place}", response.message)
        if not place.startswith("reward_config"):
            [result] = target.batch([{**body, "id": "item"}])["results"]
            holds = f"items.0.{place}" in result.get("error", "")
            target.expect("ERR-2", holds, f"an error that names items.0.{place}", result)


@check("ERR-2")
def a_message_quotes_little_and_no_key(target: Target) -> None:
    """At most 80 characters of input, and never a key, come back in an error."""
    keys = [KEY_PLACEHOLDER, *[SECOND_KEY_PLACEHOLDER] * target.client.has_second_key]
    for spoil, text in target.each(product(QUOTING, ["".join(f"q{number:03}" for number in range(60)), *keys])):
        body = hello(target)
        spoil(body, text)
        response = target.request("evaluate", body)
        parts = [text[start : start + MAX_QUOTE + 1] for start in range(max(1, len(text) - MAX_QUOTE))]
        text_back = response.content.decode("utf-8", "replace")
        quoted = [part for part in parts if part in text_back]
        target.expect("ERR-2", not quoted, f"no key, and at most {MAX_QUOTE} characters of the request", text_back)


QUOTING: tuple[Callable[[Json, str], Any], ...] = (
    lambda body, text: body.update(scenario_slug=text),
    lambda body, text: body.update(collection_slug=text),
    lambda body, text: body.update(messages=text),
    lambda body, text: body["messages"][0].update(role=text),
    lambda body, text: body["messages"][0].update(content=[text]),
    lambda body, text: body.update(reward_config=_weights(**{text: 1})),
    lambda body, text: body.update(reward_config=_weights(rubrics=text)),
    lambda body, text: body.update(normalization_key="key", normalization_windows=[text]),
)


def evaluation(target: Target, draw: Draw) -> Json:
    """The body of an evaluation of any conversation."""
    scenario = draw(target.scenarios)
    return {**scenario.slugs, "messages": draw(conversations(scenario))}


def hello(target: Target) -> Json:
    """The body of an evaluation of the shortest conversation."""
    return {**target.every_scenario[0].slugs, "messages": [operator("Hello.")]}


def with_change(body: Json, change: Callable[[Json], Any]) -> Json:
    """A copy of a body with a change."""
    copy: Json = orjson.loads(orjson.dumps(body))
    change(copy)
    return copy


def with_field(body: Json, value: bytes) -> bytes:
    """The bytes of a body with one more field."""
    return orjson.dumps(body)[:-1] + b',"extra":' + value + b"}"


def _weights(**weights: Any) -> Json:
    return {"quality_weights": weights}


def status_and_body(response: Response) -> Json:
    """Status and body, without what differs from request to request."""
    return {"status": response.status, **comparable(response.json)}


def _same(target: Target, clause: str, plain: Json, changed: Json, *, inferred: bool) -> None:
    one, other = (status_and_body(target.request("evaluate", body)) for body in (plain, changed))
    target.expect(clause, one == other, f"the response to the plain request, {shown(one)}", other, inferred=inferred)
