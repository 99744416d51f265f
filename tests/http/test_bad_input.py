import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from labs_mock.config.server_file import KeyEntry
from tests.http.test_batch import WHERE, conversation
from tests.http.test_envelope import JSON, LIMITS, check_envelope
from tests.serving.test_server import serving
from tests.support import KEY, Live, live, world

MIB = 1024 * 1024
MESSAGES = conversation("Tell me what happened.")
NOTHING = {"role": "user", "content": ""}
CALLS = b'{"messages": [{"role": "assistant", "content": "x", "tool_calls": ['
CALL = {"type": "artifact", "name": "order_imaging", "input": {"region": "back"}}

Ask = Callable[[str, list[Any]], tuple[str, dict[str, Any]]]
Send = Callable[[str], httpx.Response]


def item(name: str, messages: list[Any]) -> dict[str, Any]:
    """An item of a batch."""
    return {"id": name, **WHERE, "messages": messages}


REQUESTS: dict[str, Ask] = {
    "turn": lambda episode, messages: (f"/episodes/{episode}/turns", {"id": episode, "messages": messages}),
    "evaluate": lambda _, messages: ("/evaluate", {**WHERE, "messages": messages}),
    "compare": lambda _, messages: (
        "/compare",
        {**WHERE, "response_a": {"messages": MESSAGES}, "response_b": {"messages": messages}},
    ),
    "batch": lambda _, messages: ("/batch/evaluate", {"items": [item("a", MESSAGES), item("b", messages)]}),
    "create": lambda _, __: ("/episodes", WHERE),
}
"""For every operation with a body: path and body of a request about a conversation."""

PLACES = {"turn": "", "evaluate": "", "compare": "response_b.", "batch": "items.1."}


def post(server: Live, path: str, content: bytes | Iterable[bytes], key: str = KEY) -> httpx.Response:
    """POST bytes; an iterable goes in chunks, without a Content-Length."""
    headers = {**JSON, "authorization": f"Bearer {key}"}
    return server.client.post(f"/api/v1{path}", content=content, headers=headers, timeout=60)


def seen(response: httpx.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Every byte of a response."""
    return response.status_code, response.headers.raw, response.content


def story(server: Live, between: Callable[[str], object]) -> list[object]:
    """What a new world responds to good requests before and after something else, and how many episodes it has."""
    server.reset()
    episode = server.episode(score_turns=True)
    between(episode)
    after = [server.turn(episode, "Tell me."), server.post("/evaluate", {**WHERE, "messages": MESSAGES})]
    return [len(server.stored_episodes()), *map(seen, after)]


def refused(server: Live, status: int, send: Send) -> str:
    """The message of an early error; it uses no quota, and good requests are answered as if it had not been."""
    responses: list[httpx.Response] = []
    undisturbed = story(server, lambda _: None)
    assert story(server, lambda episode: responses.append(send(episode))) == undisturbed
    assert not set(LIMITS) & set(responses[0].headers)
    return check_envelope(responses[0], status)


def beside(value: bytes) -> Callable[[bytes], bytes]:
    """A good body with one field more."""
    return lambda good: b'{"x": ' + value + b", " + good[1:]


NOT_JSON: dict[str, Callable[[bytes], bytes]] = {
    "NaN": beside(b"NaN"),
    "infinity": beside(b"-Infinity"),
    "1e400": beside(b"1e400"),
    "-1e400": beside(b"[-1e400]"),
    "400 digits": beside(b"9" * 400),
    "lone surrogate": beside(rb'"\ud800"'),
    "lone surrogate in a key": beside(rb'{"\udfff": 1}'),
    "surrogate as bytes": beside(b'"\xed\xa0\x80"'),
    "null byte in text": beside(b'"a\x00b"'),
    "null byte at the end": lambda good: good + b"\x00",
    "BOM": lambda good: b"\xef\xbb\xbf" + good,
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "UTF-16 without BOM": lambda good: good.decode().encode("utf-16-le"),
    "nothing": lambda _: b"",
    "a million brackets": beside(b"[" * 1_000_000),
}


@pytest.mark.parametrize("operation", REQUESTS)
@pytest.mark.parametrize("bad", NOT_JSON)
def test_what_is_not_json_is_refused_by_every_operation(server: Live, bad: str, operation: str) -> None:
    """Whatever is wrong with the bytes is a 400 that leaves no trace (GEN-1, GEN-3, GEN-6, ERR-1)."""

    def send(episode: str) -> httpx.Response:
        path, body = REQUESTS[operation](episode, MESSAGES)
        return post(server, path, NOT_JSON[bad](orjson.dumps(body)))

    assert refused(server, 400, send).startswith("body: expected JSON")


BAD_CONVERSATIONS: dict[str, tuple[list[Any], str]] = {
    "5,001 astral": (
        [{"role": "assistant", "content": "\U0001f600" * 5_001}],
        "messages.0.content: expected at most 10,000 characters, got 10,002 UTF-16 code units",
    ),
    "10,001 characters": ([{"role": "assistant", "content": "x" * 10_001}], "messages.0.content: expected at most 10,000"),
    "10,001 astral": ([*MESSAGES, {"role": "user", "content": "\U0001f600" * 10_001}], "messages.2.content: expected at most"),
    "1,001 messages": ([NOTHING] * 1_000 + MESSAGES[1:], "messages: expected at most 1,000 entries"),
    "101 calls": ([{**MESSAGES[1], "tool_calls": [CALL] * 101}], "messages.0.tool_calls: expected at most 100 entries"),
    "a number": ([*MESSAGES, 5], "messages.2: expected an object"),
    "a number as call": ([{**MESSAGES[1], "tool_calls": [CALL, 5]}], "messages.0.tool_calls.1: expected an object"),
    "no content": ([{"role": "assistant", "content": None}], "messages.0.content: expected text, got null"),
}  # fmt: skip


@pytest.mark.parametrize("operation", PLACES)
@pytest.mark.parametrize("bad", BAD_CONVERSATIONS)
def test_a_conversation_beyond_the_limits_is_refused(server: Live, bad: str, operation: str) -> None:
    """The message names the place; in a batch it is that of an error item, beside a good one (GEN-6, EP-9, BAT-2)."""
    messages, expected = BAD_CONVERSATIONS[bad]
    if operation == "batch":
        good, failed = server.post(*REQUESTS[operation]("", messages)).json()["results"]
        assert (good["status"], set(failed)) == ("success", {"id", "status", "error"})
        message = failed["error"]
    else:
        message = refused(server, 400, lambda episode: server.post(*REQUESTS[operation](episode, messages)))
    assert message.startswith(PLACES[operation] + expected)


@pytest.mark.parametrize("operation", PLACES)
@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "assistant", "content": "\U0001f600" * 5_000}],
        [NOTHING] * 999 + [{"role": "assistant", "content": ""}],
        [{**MESSAGES[1], "tool_calls": [CALL] * 100}],
        [{"role": "assistant", "content": "a\x00b\ufeff\uffff"}],
    ],
    ids=["5,000 astral", "1,000 messages", "100 calls", "odd characters"],
)
def test_a_conversation_at_the_limits_is_evaluated(server: Live, messages: list[Any], operation: str) -> None:
    """10,000 UTF-16 code units, 1,000 messages, 100 tool calls and any character are within the contract (GEN-6, EP-9)."""
    response = server.post(*REQUESTS[operation](server.episode(score_turns=True), messages))
    assert response.status_code == 200
    assert "error" not in response.text


HOLDERS = {
    "config": (1, "/episodes", b'{"config": %b, ' + orjson.dumps(WHERE)[1:]),
    "replaced": (1, "/episodes", b'{"config": %b, "config": {}, ' + orjson.dumps(WHERE)[1:]),
    "input": (5, "/episodes/{}/turns", CALLS + b'{"type": "a", "name": "b", "input": %b}]}]}'),
}
"""Where deep values may stand: the levels around them, path and body; a value that a duplicate key replaces counts too."""


@pytest.mark.parametrize(("levels", "status"), [(64, 200), (65, 400), (100, 400), (1_000, 400)])
@pytest.mark.parametrize("holder", HOLDERS)
def test_64_levels_are_read_and_65_refused(server: Live, holder: str, levels: int, status: int) -> None:
    """The body is the first level; `config` is the second, a tool call's input the sixth (GEN-6)."""
    around, path, template = HOLDERS[holder]
    inner = levels - around - 1
    body = template % (b'{"k":' * inner + b"{}" + b"}" * inner)
    if status == 200:
        assert post(server, path.format(server.episode()), body).status_code == 200
    else:
        message = refused(server, 400, lambda episode: post(server, path.format(episode), body))
        assert message == "body: expected at most 64 levels of nesting"


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], "items: expected entries, at least 1"),
        ([item("a", MESSAGES)] * 101, "items: expected at most 100 entries"),
        ([item("a", MESSAGES), 5], "items.1: expected an object, got 5"),
    ],
)
def test_a_batch_that_is_no_batch_is_refused(server: Live, items: list[Any], expected: str) -> None:
    """None of its items is evaluated, and no quota is used (BAT-1, BAT-2)."""
    assert refused(server, 400, lambda _: server.post("/batch/evaluate", {"items": items})).startswith(expected)


def bulk(head: bytes, unit: bytes, tail: bytes, number: int = 16 * MIB) -> bytes:
    """So many units in a list, or as many as a body of 16 MiB holds."""
    room = (16 * MIB - len(head) - len(tail) + 1) // (len(unit) + 1)
    return head + b",".join([unit] * min(number, room)) + tail


FLOODS: dict[str, tuple[bytes, bytes, bytes, int]] = {
    "a million calls": (CALLS, b"{}", b"]}]}", 1_000_000),
    "a million numbers": (CALLS, b"1", b"]}]}", 1_000_000),
    "real calls": (CALLS, b'{"type":"","name":"","input":1}', b"]}]}", 500_000),
    "beside a duplicate key": (b'{"a": 1, "a": 2, "messages": [', b"{}", b"]}", 2_000_000),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_is_refused_quickly(server: Live, flood: str) -> None:
    """Its length is no reason to look at it all: a moment, and one short message (GEN-6, ERR-2)."""
    body, begun = bulk(*FLOODS[flood]), time.monotonic()
    message = refused(server, 400, lambda episode: post(server, f"/episodes/{episode}/turns", body))
    assert time.monotonic() - begun < 5
    assert message.startswith("messages.0")
    assert len(message) < 400


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc for the memory of a process")
def test_the_worst_bodies_leave_no_memory_behind() -> None:
    """After several of each the process is hardly larger than before them, and after as many again no larger (GEN-3, GEN-6).

    Without what the journal keeps, whose bytes are bounded. Something is left once: the JSON parser remembers the last 2,048 keys, wherever in memory they lie,
    and a page is given back only when nothing on it is in use: with pages of 2 MiB a round leaves 50 to 100 MiB, now more, now less. To keep one of
    the bodies would be 16 MiB a request, 256 a round.
    """
    worst = {name: bulk(*flood) for name, flood in FLOODS.items()}
    worst["lists"] = bulk(b'{"a": [', b"[]", b"]}")
    worst["objects"] = bulk(b'{"a": [', b'{"a":{}}', b"]}")
    worst["names"] = b"{%b}" % b",".join(b'"%d":{}' % number for number in range(1_300_000))
    worst["too large"] = b" " * (16 * MIB + 1)
    with serving("--json") as (process, line), httpx.Client(headers=JSON, timeout=60) as client:
        server = orjson.loads(line)["url"]
        url = f"{server}/api/v1/evaluate"

        def resident() -> int:
            client.delete(f"{server}/_mock/requests").raise_for_status()
            for _ in range(5):
                check_envelope(client.post(url, content=b"{}"), 400)
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) // 1024

        def after_all() -> int:
            for name, body in worst.items():
                for _ in range(2):
                    check_envelope(client.post(url, content=body), 413 if name == "too large" else 400)
            return resident()

        sizes = [resident(), *(after_all() for _ in range(4))]  # what is left once may come with the second round
    assert max(sizes[1:]) - sizes[0] < 160, f"MiB before and after: {sizes}"
    assert max(sizes[3:]) - max(sizes[1:3]) < 32, f"MiB before and after: {sizes}"


@pytest.mark.parametrize("chunk", [16 * MIB + 1, 60_000])
def test_16_mib_are_read_and_a_byte_more_is_not(server: Live, chunk: int) -> None:
    """By default, whether the length is declared or the body comes in chunks (GEN-3)."""

    def send(size: int) -> httpx.Response:
        body = orjson.dumps({**WHERE, "messages": MESSAGES}).ljust(size)
        parts = [body[start : start + chunk] for start in range(0, size, chunk)]
        return post(server, "/evaluate", body if len(parts) == 1 else iter(parts))

    assert "at most 16,777,216 bytes" in refused(server, 413, lambda _: send(16 * MIB + 1))
    assert send(16 * MIB).status_code == 200


def test_of_duplicate_keys_the_last_one_wins(server: Live) -> None:
    """At any depth the response is that of the body without the first one, with a finding (GEN-6)."""
    once = orjson.dumps({**WHERE, "messages": MESSAGES})
    twice = once.replace(b'{"coll', b'{"scenario_slug": [5], "coll').replace(b'"content"', b'"content": 1, "content"')
    plain, doubled = post(server, "/evaluate", once), post(server, "/evaluate", twice)
    assert {**plain.json(), "request_id": ""} == {**doubled.json(), "request_id": ""}
    places = re.findall(r'duplicate_key;severity=warning;place="([^"]+)"', doubled.headers["x-mock-findings"])
    assert places == ["scenario_slug", "messages.0.content", "messages.1.content"]


def test_a_body_without_its_length_is_answered_alike(server: Live) -> None:
    """In chunks of any size every operation gives the same bytes as with `Content-Length` (GEN-1, DET-1)."""
    for make_request in REQUESTS.values():
        responses = []
        for size in (10_000, 1, 7):
            server.reset()
            path, body = make_request(server.episode(), MESSAGES)
            content = orjson.dumps(body)
            parts = (content[start : start + size] for start in range(0, len(content), size))
            responses.append(seen(post(server, path, content if size == 10_000 else parts)))
        assert responses[0][0] == 200
        assert responses == responses[:1] * 3


def test_an_episode_of_others_is_an_unknown_one() -> None:
    """Running or complete, it is answered byte for byte as one that never was, but for the request id (EP-13)."""
    owners = {"lab_a": "one", "lab_colleague": "one", "lab_b": "two", "lab_c": "two", "lab_d": "two"}
    keys = [KeyEntry(key=key, organisation=organisation) for key, organisation in owners.items()]
    with live(world(keys=keys)) as server:
        episode = server.post("/episodes", WHERE, key="lab_a").json()["episode_id"]

        def turn(key: str, name: str, **more: Any) -> httpx.Response:
            return server.post(f"/episodes/{name}/turns", {"id": name, "messages": [{**MESSAGES[1], **more}]}, key=key)

        running = turn("lab_b", episode)
        assert turn("lab_colleague", episode).json()["turn"] == 1
        assert turn("lab_a", episode, tool_calls=[{**CALL, "name": "none"}]).json()["terminal_reason"] == "error"
        responses = [running, turn("lab_c", episode), turn("lab_d", "ep_" + "0" * 26)]
        assert [check_envelope(response, 404) for response in responses] == ["Episode not found"] * 3
        texts = {str(seen(response)).replace(response.headers["x-request-id"], "") for response in responses}
        assert len(texts) == 1
        assert len(server.stored_episodes()) == 1
