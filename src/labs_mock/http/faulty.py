"""Faults on the wire: what befalls an answer on its way, for real."""

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from typing import Any, NoReturn

import orjson
from starlette.types import Receive, Scope, Send

from labs_mock.clock import Clock
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.wording import FAULTED, NO_SUBSCRIPTION, RATE_LIMITED, UNAUTHORIZED
from labs_mock.errors import Faulted, NotFound, RateLimited
from labs_mock.http.bodies import Disconnected
from labs_mock.http.delivery import Delivery
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.sending import CONNECTION, Headers, Stream, left, reset
from labs_mock.state.fault_plan import Target

if sys.platform == "linux":
    from fcntl import ioctl
    from termios import TIOCOUTQ

MESSAGES = {401: UNAUTHORIZED, 403: NO_SUBSCRIPTION, 429: RATE_LIMITED}
"""What errors say where the plan does not."""

GARBAGE = b'{"reward": 0.5, "scores": {"D1_\x00\xff\xfe<html>502 Bad Gateway'
ERROR_LINE = orjson.dumps({"error": FAULTED}) + b"\n"
PATIENCE = 5_000  # milliseconds for a client to take what comes before a reset

_DATASET = re.compile(rf"{BASE_PATH}/training-datasets/([^/]+)/")
_EPISODE = re.compile(rf"{BASE_PATH}/episodes/([^/]+)/")


class Break(Enum):
    """How an answer breaks off, in the word of its record."""

    CLOSE, RESET, STALL = "cut", "reset", "stalled"


Piece = bytes | Break


@dataclass(slots=True)
class Reply:
    """An answer on its way: in `pieces`, of which a break is the last that has an effect.

    An empty piece only lets other requests have their turn. `instead` breaks off before the head; `delays` has seconds
    before the head, the body, and each chunk; `close` is for the end, whatever that is. What happens goes to `delivery`.
    """

    status: int
    headers: dict[bytes, bytes]
    pieces: Iterator[Piece]
    delivery: Delivery
    close: Callable[[], None] = lambda: None
    instead: Break | None = None
    delays: dict[str, float] = field(default_factory=lambda: dict.fromkeys(("head", "body", "chunk"), 0.0))


def befall_request(exchange: Exchange) -> None:
    """Find the faults that befall a request. Raises `Faulted` if one of them is an error; nothing is done then."""
    exchange.faults = exchange.world.faults.due(_target(exchange))
    if exchange.faults:
        exchange.delivery = Delivery(exchange.findings)
    for fault, _ in exchange.faults:
        status = fault.file.status
        if status is not None:
            if status == RateLimited.status and exchange.owner is not None:
                exchange.tell(exchange.world.limits.spent(exchange.owner, exchange.now))
            raise Faulted(fault.file.message or MESSAGES.get(status, FAULTED), status)


def befall_answer(exchange: Exchange, answer: Payload) -> None:
    """Let faults befall the results of a batch; each counts in the order of the items."""
    if "results" in answer and exchange.delivery is not None:
        files = [fault.file for fault, _ in exchange.faults]
        failed, dropped = ({getattr(file, name) for file in files} for name in ("fail_item", "drop_result"))
        results = [
            {"id": result["id"], "status": "error", "error": FAULTED} if failed & {index, result["id"]} else result
            for index, result in enumerate(answer["results"])
            if not dropped & {index, result["id"]}
        ]
        for count, what in (
            (sum(result["status"] == "error" and result["error"] is FAULTED for result in results), "failed"),
            (len(answer["results"]) - len(results), "dropped"),
        ):
            if count:
                exchange.delivery.note(f"{count} {'result' if count == 1 else 'results'} {what}")
        answer["results"] = results
        if any(file.reverse_results for file in files):
            answer["results"] = results[::-1]
            exchange.delivery.note("results reversed")


def reply_of(exchange: Exchange, delivery: Delivery, answer: Payload | Stream, body: bytes) -> Reply:
    """An answer with all that befalls it on its way."""
    if isinstance(answer, Stream):
        own = [(b"content-type", answer.content_type), *answer.headers]
        reply = Reply(200, dict([*own, *exchange.headers]), answer.chunks, delivery, answer.chunks.close)
    else:
        own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        reply = Reply(exchange.status, dict([*own, *exchange.headers]), iter([body]), delivery)
    for name, apply in _ON_THE_WIRE.items():  # in this order, whichever fault was there first
        for value in [getattr(fault.file, name) for fault, _ in exchange.faults]:
            if value is not None:
                apply(reply, value)
    for fault, seconds in exchange.faults:
        reply.delays[fault.file.before or "head"] += seconds
    return reply


def _target(exchange: Exchange) -> Target:
    dataset = _DATASET.match(exchange.path)
    objects = cache(lambda: _objects(exchange.body))
    return Target(
        method=exchange.method,
        path=exchange.path,
        organisation=exchange.owner.organisation if exchange.owner else "",
        key=exchange.owner.key if exchange.owner else "",
        dataset=dataset[1].lower() if dataset else "",
        asked=exchange.asked,
        attempt=exchange.attempt,
        scenarios=lambda: _scenarios(exchange, objects),
        items=lambda: [str(item.get("id")) for item in objects()[1:]],
    )


def _scenarios(exchange: Exchange, objects: Callable[[], list[Payload]]) -> list[tuple[str, str]]:
    """The scenarios that a request names, in its body, its items, or by its episode."""
    episode = _EPISODE.match(exchange.path)
    if episode:
        with suppress(NotFound):
            scenario = exchange.world.episodes.find(episode[1], exchange.now).player.scenario
            return [(scenario.collection, scenario.slug)]
        return []
    return [(str(named.get("collection_slug")), str(named.get("scenario_slug"))) for named in objects()]


def _objects(content: bytes) -> list[Payload]:
    """The object in a body, and the objects that are its items."""
    body = None
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(content)
    items = body.get("items") if isinstance(body, dict) else None
    return [named for named in [body, *(items if isinstance(items, list) else ())] if isinstance(named, dict)]


def _breaking(kind: Break) -> Callable[[Reply, Any], None]:
    def apply(reply: Reply, place: Any) -> None:
        if place is True or place == "head":
            reply.instead = kind
        else:
            reply.pieces = _until(reply.pieces, place, kind)

    return apply


def _until(pieces: Iterator[Piece], number: int, kind: Break) -> Iterator[Piece]:
    if not number:
        yield kind  # before a row is made, so that nobody waits for one that is half made
    for piece in pieces:
        if isinstance(piece, bytes) and len(piece) >= number:
            yield from (piece[:number], kind)
            return
        number -= len(piece) if isinstance(piece, bytes) else 0
        yield piece


def _garbage(reply: Reply, _: Any) -> None:
    if b"content-length" in reply.headers:
        reply.headers[b"content-length"] = b"%d" % len(GARBAGE)
    reply.delivery.note("garbage")
    reply.pieces = iter([GARBAGE])


def _content_type(reply: Reply, kind: str) -> None:
    reply.headers[b"content-type"] = kind.encode()
    reply.delivery.note(f"content type {kind}")


def _row_count(reply: Reply, difference: int) -> None:
    if b"x-row-count" in reply.headers:
        reply.delivery.note(f"X-Row-Count off by {difference:+d}")
        reply.headers[b"x-row-count"] = b"%d" % max(0, int(reply.headers[b"x-row-count"]) + difference)


Note = Callable[[str], None]


def _by_lines(change: Callable[[Iterator[Piece], int, Note], Iterator[Piece]]) -> Callable[[Reply, int], None]:
    def apply(reply: Reply, chosen: int) -> None:
        if b"x-row-count" in reply.headers:  # only exports have lines
            reply.pieces = change(_lines(reply.pieces), chosen, reply.delivery.note)

    return apply


def _at_line(become: Callable[[bytes], tuple[Piece, ...]], words: str = "") -> Callable[[Reply, int], None]:
    def change(lines: Iterator[Piece], chosen: int, note: Note) -> Iterator[Piece]:
        if not chosen:
            yield from become(b"")
        number = 0
        for line in lines:
            number += bool(line)
            at = number == chosen and line and isinstance(line, bytes)
            if at and words:
                note(words.format(chosen))
            yield from become(line) if at and isinstance(line, bytes) else (line,)

    return _by_lines(change)


def _swap(lines: Iterator[Piece], chosen: int, note: Note) -> Iterator[Piece]:
    held: list[Piece] = []
    number = 0
    for line in lines:
        number += bool(line)
        if number == chosen and line:
            held.append(line)
            continue
        if number > chosen and held:
            note(f"lines {chosen} and {number} swapped")
            yield from (line, held.pop())
        else:
            yield line
    yield from held  # the last line, with which none can change places


def _lines(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Whole lines, wherever chunks end, and between them what is none."""
    rest = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            *whole, rest = (rest + piece).split(b"\n")
            yield from [line + b"\n" for line in whole] or [b""]
        else:
            yield from (rest, piece)
    yield rest


_ON_THE_WIRE: dict[str, Callable[[Reply, Any], None]] = {
    "garbage": _garbage,
    "content_type": _content_type,
    "row_count": _row_count,
    "duplicate_line": _at_line(lambda line: (line, line), "line {} twice"),
    "swap_lines": _by_lines(_swap),
    "error_line": _at_line(lambda line: (ERROR_LINE, line), "an error before line {}"),
    "cut_after_line": _at_line(lambda line: (line, Break.CLOSE)),
    "cut_in_line": _at_line(lambda line: (line[: len(line) // 2], Break.CLOSE)),
    "stall_after_line": _at_line(lambda line: (line, Break.STALL)),
    "cut": _breaking(Break.CLOSE),
    "reset": _breaking(Break.RESET),
    "stall": _breaking(Break.STALL),
    "close": _breaking(Break.CLOSE),
}


async def send_reply(reply: Reply, clock: Clock, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer with all that befell it, until the client leaves."""
    connection = scope.get("extensions", {}).get(CONNECTION, {}).get("transport")
    gone = asyncio.ensure_future(left(receive))
    headers: Headers = list(reply.headers.items())
    delivery = reply.delivery
    delivery.delayed(reply.delays)
    pause = partial(_pause, clock, delivery, gone)
    try:
        await pause(reply.delays["head"])
        if reply.instead is not None:
            await _break(reply.instead, delivery, connection, gone)
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        delivery.sent = 0
        await pause(reply.delays["body"])
        for piece in reply.pieces:
            if isinstance(piece, Break):
                await _break(piece, delivery, connection, gone)
            await pause(reply.delays["chunk"] if piece else 0.0)
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                delivery.sent += len(piece)
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        reply.close()


async def _pause(clock: Clock, delivery: Delivery, gone: asyncio.Future[None], seconds: float) -> None:
    """Wait on the clock, or only until others had their turn. Raises `Disconnected` if the client has left."""
    sleeping = asyncio.ensure_future(clock.sleep(seconds) if seconds else asyncio.sleep(0))
    try:
        await asyncio.wait([sleeping, gone], return_when=asyncio.FIRST_COMPLETED)
    finally:
        sleeping.cancel()
    if gone.done():
        delivery.client_left()
        raise Disconnected


async def _break(
    kind: Break, delivery: Delivery, connection: asyncio.Transport | None, gone: asyncio.Future[None]
) -> NoReturn:
    """Break off. Raises `Disconnected` when the client has left; without a connection, what a client would."""
    delivery.breaks(kind.value)
    if connection is None:
        raise ConnectionResetError(FAULTED)
    if kind is Break.CLOSE:
        connection.close()
    elif kind is Break.RESET:
        for _ in range(PATIENCE):
            if connection.is_closing():  # the client was faster
                raise Disconnected
            if not _unsent(connection):
                break
            await asyncio.sleep(0.001)
        reset(connection)
    await asyncio.wait([gone])
    raise Disconnected


def _unsent(connection: asyncio.Transport) -> int:
    """Bytes that the client's system has not got yet and that a reset would take away, as far as can be told."""
    size = connection.get_write_buffer_size()
    if sys.platform == "linux":
        waiting = ioctl(connection.get_extra_info("socket").fileno(), TIOCOUTQ, bytes(4))
        size += int.from_bytes(waiting, sys.byteorder)
    return size
