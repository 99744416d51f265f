"""What holds for the API as a whole (GEN, ID, ERR, RL); the envelope judges the rest with every answer."""

from collections.abc import Callable
from itertools import product
from typing import Any

import orjson
from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.exchanges import HIDDEN, SECOND_HIDDEN, Sent
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, operator, persona, texts, without
from labs_mock.conformance.target import Json
from labs_mock.contract.limits import MAX_FIELDS, MAX_HEAD, MAX_MESSAGES, MAX_NESTING, MAX_QUOTE, MAX_TOOL_CALLS, WINDOW
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
def a_body_that_is_no_json_is_refused(lab: Lab) -> None:
    """So is JSON that is no object, by every operation that has a body."""
    for operation in POSTS:
        for content in lab.each(NO_JSON + NO_OBJECT):
            sent = lab.ask(operation.name, content=content, id=NOBODY, limited=False)
            lab.refused(sent, 400, "GEN-3", why=f"the body {quoted(content)}")


@check("GEN-3")
def another_content_type_is_refused(lab: Lab) -> None:
    """Even where the body is as it should be; none at all is another one, too."""
    hello = _hello(lab)
    where, said = {name: hello[name] for name in hello if name != "messages"}, {"messages": hello["messages"]}
    episode = lab.wanted("create_episode", where)["episode_id"]
    bodies = {
        "create_episode": where,
        "take_turn": said,
        "evaluate": hello,
        "batch_evaluate": {"items": [{"id": "item", **hello}]},
        "compare": {**where, "response_a": said, "response_b": said},
    }
    for operation in POSTS:
        path, content = operation.path.replace("{id}", episode), orjson.dumps(bodies[operation.name])
        for kind in TYPES:
            headers = {} if kind is None else {"content-type": kind}
            sent = lab.send("POST", path, content=content, headers=headers, operation=operation.name, limited=False)
            lab.refused(
                sent, 400, "GEN-3", why=f"{'no content type' if kind is None else f'the content type {quoted(kind)}'}"
            )


@check("GEN-1")
def json_may_name_its_charset(lab: Lab) -> None:
    """`application/json` is accepted with `charset=utf-8`, too."""
    for kind in lab.each(("application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8")):
        sent = lab.ask("evaluate", _hello(lab), headers={"content-type": kind})
        lab.refused(sent, 200, "GEN-1", why=f"the content type {kind}")


@check("GEN-3")
def a_body_above_the_limit_is_refused(lab: Lab) -> None:
    """More than 16 MiB is a 413."""
    sent = lab.ask("evaluate", content=b'{"a":"' + b"x" * BODY_LIMIT + b'"}')
    lab.refused(sent, 413, "GEN-3", why="a body of more than 16 MiB")


@check("GEN-3")
def a_head_above_the_limits_is_refused(lab: Lab) -> None:
    """More than 64 KiB, or more than 100 fields, is a 431, and the connection ends."""
    for why, fields in (
        ("more than 64 KiB", {"x-filler": "x" * MAX_HEAD}),
        ("more than 100 fields", {f"x-{number}": "x" for number in range(MAX_FIELDS + 1)}),
    ):
        sent = lab.send("GET", "/catalog", headers=fields, operation="list_catalog", limited=False)
        lab.refused(sent, 431, "GEN-3", why=f"a head of {why}")
        connection = sent.headers.get("connection", "none")
        lab.expect("GEN-3", connection.lower() == "close", "Connection: close with a 431", f"Connection: {connection}")


@check("GEN-3")
def an_unknown_path_is_a_404_without_a_key_too(lab: Lab) -> None:
    """The path is looked at before the key, and a trailing slash is another path."""
    slashed = [operation.path.replace("{id}", NOBODY) + "/" for operation in OPERATIONS]
    for path in lab.each((*NO_PATH, *slashed)):
        for method in ("GET", "POST"):
            sent = lab.send(method, path, content=b"{}", headers=JSON_TYPE, authorization=None)
            lab.refused(sent, 404, "GEN-3", why=f"{method} {path}")


@check("GEN-3")
def another_method_is_a_405_without_a_key_too(lab: Lab) -> None:
    """It says in `Allow` which methods there are."""
    for operation in OPERATIONS:
        others = {"GET", "POST", "PUT", "PATCH", "DELETE"} - {operation.method}
        for method in lab.each(sorted(others)):
            path = operation.path.replace("{id}", NOBODY)
            sent = lab.send(method, path, content=b"{}", headers=JSON_TYPE, authorization=None)
            lab.refused(sent, 405, "GEN-3", why=f"{method} {path}")
            allowed = sent.headers.get("allow", "")
            held = operation.method in allowed.split(", ")
            lab.expect("GEN-3", held, f"Allow with {operation.method}", allowed or "no such header")


@check("GEN-4")
def unknown_fields_change_nothing(lab: Lab, data: DrawExample) -> None:
    """Fields that are not documented are ignored, wherever they stand."""
    plain = _evaluation(lab, data)
    name = data(st.sampled_from(["temperature", "Messages", "reward_configs", "", "x" * 100]))
    value: Any = data(st.sampled_from([None, 0, "text", [], {"a": [1]}]))
    place = data(st.sampled_from([lambda body: body, lambda body: body["messages"][0]]))
    more = _changed(plain, lambda body: place(body).update({name: value}))
    _same(lab, "GEN-4", plain, more, inferred=True)


@check("GEN-5")
def null_equals_absence(lab: Lab, data: DrawExample) -> None:
    """`null` for an optional field is as if it were not there; the documentation does so with `reward_config`."""
    plain = _evaluation(lab, data)
    _same(lab, "GEN-5", plain, {**plain, "reward_config": None}, inferred=False)
    nulls: list[Json] = [
        {"normalization_key": None, "normalization_windows": None},
        {"normalization_windows": None},
        {"reward_config": {"quality_weights": None, "skip_safety_gate": None}},
        {"messages": [{**message, "tool_calls": message.get("tool_calls")} for message in plain["messages"]]},
    ]
    _same(lab, "GEN-5", plain, {**plain, **data(st.sampled_from(nulls))}, inferred=True)


@check("GEN-5")
def null_equals_absence_for_episodes(lab: Lab) -> None:
    """An episode begins and goes on with nulls for all that is optional."""
    scenario = lab.every_scenario[0]
    episode = lab.ask("create_episode", {**scenario.where, "score_turns": None, "config": None})
    lab.refused(episode, 200, "GEN-5", inferred=True, why="null for score_turns and config")
    name = episode.json["episode_id"]
    body = {"id": None, "messages": [operator("Hello.")], "reward_config": None}
    lab.refused(lab.ask("take_turn", body, id=name), 200, "GEN-5", inferred=True, why="null for id and reward_config")


@check("GEN-6")
def odd_json_is_refused(lab: Lab) -> None:
    """Numbers beyond a double, lone surrogates and 65 levels are a 400, 64 levels are not."""
    plain = _hello(lab)
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
    for value in lab.each(odd):
        sent = lab.ask("evaluate", content=_with(plain, value), limited=False)
        lab.refused(sent, 400, "GEN-6", why=f"a value of {shown(value[:20])}")
    sent = lab.ask("evaluate", content=_with(plain, deep[MAX_NESTING]))
    lab.refused(sent, 200, "GEN-6", why=f"{MAX_NESTING} levels")


@check("GEN-6")
def long_lists_are_refused(lab: Lab) -> None:
    """1,000 messages and 100 tool calls are accepted, one more is a 400."""
    plain = _hello(lab)
    call = {"type": "artifact", "name": "no_such_tool", "input": {}}
    for many, status in lab.each(((0, 200), (1, 400))):
        said = [operator("Hello."), *[persona("Yes.")] * (MAX_MESSAGES - 1 + many)]
        sent = lab.ask("evaluate", {**plain, "messages": said}, limited=not many)
        lab.refused(sent, status, "GEN-6", why=f"{len(said)} messages")
        calls = [call] * (MAX_TOOL_CALLS + many)
        sent = lab.ask("evaluate", {**plain, "messages": [operator("Hello.", *calls)]}, limited=not many)
        lab.refused(sent, status, "GEN-6", why=f"{len(calls)} tool calls")


@check("GEN-6")
def the_last_of_equal_keys_counts(lab: Lab, data: DrawExample) -> None:
    """A key that comes again replaces what was said before, even if that was wrong."""
    plain = _evaluation(lab, data)
    wrong = data(st.sampled_from([b'"messages":7,', b'"scenario_slug":"no-such-scenario",', b'"messages":[],']))
    sent = lab.ask("evaluate", content=b"{" + wrong + orjson.dumps(plain)[1:])
    wanted, seen = _judged(lab.ask("evaluate", plain)), _judged(sent)
    lab.expect("GEN-6", seen == wanted, f"the answer without {wrong.decode()}, {shown(wanted)}", seen)


@check("ID-1")
def every_answer_has_an_id_of_its_own(lab: Lab, data: DrawExample) -> None:
    """Equal requests have ids of their own, and a client's own `X-Request-ID` changes nothing."""
    plain = _evaluation(lab, data)
    own = data(st.sampled_from(["mine", "req_" + "0" * 26, "req_0123456789abcdefghjkmnpqrs"]))
    sents = [lab.ask("evaluate", plain), lab.ask("evaluate", plain, headers={"x-request-id": own})]
    names = [sent.headers.get("x-request-id") for sent in sents]
    lab.expect("ID-1", len({*names, own}) == 3, f"two ids, neither of them {own}", names, inferred=True)
    one, other = map(_judged, sents)
    lab.expect("ID-1", one == other, f"the answer without the client's id, {shown(one)}", other, inferred=True)


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
def a_message_names_the_field(lab: Lab) -> None:
    """It has the path of what is wrong, in an evaluation and in an item of a batch."""
    for place, spoil in lab.each(PLACES):
        body = _changed(_hello(lab), spoil)
        sent = lab.ask("evaluate", body, limited=False)
        lab.refused(sent, 400, "ERR-2", why=f"a wrong {place}")
        lab.expect("ERR-2", place in sent.message, f"a message that names {place}", sent.message)
        if not place.startswith("reward_config"):
            [result] = lab.batch([{**body, "id": "item"}])["results"]
            held = f"items.0.{place}" in result.get("error", "")
            lab.expect("ERR-2", held, f"an error that names items.0.{place}", result)


@check("ERR-2")
def a_message_quotes_little_and_no_key(lab: Lab) -> None:
    """At most 80 characters of input, and never a key, come back in an error."""
    keys = [HIDDEN, *[SECOND_HIDDEN] * lab.client.has_second_key]
    for spoil, text in lab.each(product(QUOTING, ["".join(f"q{number:03}" for number in range(60)), *keys])):
        body = _hello(lab)
        spoil(body, text)
        sent = lab.ask("evaluate", body)
        parts = [text[start : start + MAX_QUOTE + 1] for start in range(max(1, len(text) - MAX_QUOTE))]
        said = sent.answer.decode("utf-8", "replace")
        quoted = [part for part in parts if part in said]
        lab.expect("ERR-2", not quoted, f"no key, and at most {MAX_QUOTE} characters of the request", said)


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


@check("RL-1", "RL-2")
def a_request_uses_one_of_the_quota(lab: Lab) -> None:
    """What comes from behind the limiter uses one, what is refused before uses none; windows are whole minutes."""
    plain = _hello(lab)
    others: tuple[tuple[str, int, Callable[[], Sent]], ...] = (
        ("a 200", 2, lambda: lab.ask("evaluate", plain)),
        ("a 404 for a scenario", 2, lambda: lab.ask("evaluate", {**plain, "scenario_slug": "no-such-scenario"})),
        ("a 400 for the request alone", 1, lambda: lab.ask("evaluate", {}, limited=False)),
        ("a 401", 1, lambda: lab.ask("evaluate", plain, authorization=None)),
        ("a 404 for a path", 1, lambda: lab.send("GET", "/nothing")),
        ("a 405", 1, lambda: lab.send("DELETE", "/evaluate")),
    )
    for why, wanted, ask in lab.each(others):
        used = [_used(lab, plain, ask) for _ in range(ATTEMPTS)]
        lab.expect("RL-1", wanted in used, f"{wanted - 1} of the quota used by {why}", used, inferred=True)


def _used(lab: Lab, plain: Json, ask: Callable[[], Sent]) -> int | None:
    """How much of the quota was used by something and an evaluation after it; None where a new window began."""
    before = lab.ask("evaluate", plain)
    ask()
    after = lab.ask("evaluate", plain)
    try:
        (start, left), (end, rest) = (
            (int(sent.headers["x-ratelimit-reset"]), int(sent.headers["x-ratelimit-remaining"]))
            for sent in (before, after)
        )
    except (KeyError, ValueError):
        return None
    lab.expect("RL-2", start % WINDOW == 0, "a reset on the whole minute", start, inferred=True)
    return left - rest if start == end else None


def _evaluation(lab: Lab, data: DrawExample) -> Json:
    scenario = data(lab.scenarios)
    return {**scenario.where, "messages": data(conversations(scenario))}


def _hello(lab: Lab) -> Json:
    return {**lab.every_scenario[0].where, "messages": [operator("Hello.")]}


def _changed(body: Json, change: Callable[[Json], Any]) -> Json:
    """A copy of a body with a change."""
    copy: Json = orjson.loads(orjson.dumps(body))
    change(copy)
    return copy


def _with(body: Json, value: bytes) -> bytes:
    """The bytes of a body with one more field."""
    return orjson.dumps(body)[:-1] + b',"extra":' + value + b"}"


def _weights(**weights: Any) -> Json:
    return {"quality_weights": weights}


def _judged(sent: Sent) -> Json:
    """Status and body, without what differs from request to request."""
    return {"status": sent.status, **without(sent.json)}


def _same(lab: Lab, clause: str, plain: Json, changed: Json, *, inferred: bool) -> None:
    one, other = (_judged(lab.ask("evaluate", body)) for body in (plain, changed))
    lab.expect(clause, one == other, f"the answer to the plain request, {shown(one)}", other, inferred=inferred)


@check("GEN-1")
def any_text_is_accepted(lab: Lab, data: DrawExample) -> None:
    """Bodies are UTF-8: whatever characters JSON can hold may be said."""
    scenario = data(lab.scenarios)
    text = data(texts())
    sent = lab.ask("evaluate", {**scenario.where, "messages": [operator(text)]})
    lab.refused(sent, 200, "GEN-1", why=f"the text {quoted(text)}")
