"""Broken servers: each is the real one with one small change, which the suite must report under the clause that it breaks.

A new one is three lines: a decorator with the clause and a sentence, and a function that changes a response on its way, the rows
of an export, or what a function of the server does. Where a clause has a documented and an inferred part, `inferred` says
which of them is broken; `wide` says that the change is no small one, so that many other clauses fail, too.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs_mock.contract.clauses import Part, part_of
from labs_mock.contract.operations import OPERATIONS
from labs_mock.contract.rows import line
from labs_mock.http import create_app
from labs_mock.state import World
from tests import support

UNSUBSCRIBED = "unsubscribed"
"""A collection of the server for which the key has no subscription."""

SECOND_KEY = "lab_other"
"""The key of another organisation, with a subscription for one of the two collections of the first."""

OPEN, CLOSED = "neighbours", "case-management"
"""The collections of the first key: that of the second key, and the other one."""

SHORT = "short-talk"
"""A scenario of the server that does not define all dimensions."""

ROWS = "application/x-ndjson"
_PATHS = [(one.name, one.method, re.compile(re.sub(r"\{\w+\}", "[^/]+", one.full_path))) for one in OPERATIONS]


@dataclass
class ChangedResponse:
    """A response on its way, to be changed: `body` is JSON, or the bytes of an export.

    `operation` is its name, "" for none; all names of headers are in lower case.
    """

    operation: str
    request_headers: dict[str, str]
    request_json: Any
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def of_second_key(self) -> bool:
        """Whether it is for the second key."""
        return self.request_headers.get("authorization") == f"Bearer {SECOND_KEY}"

    def refuse(self, status: int, message: str = "No.") -> None:
        """Make it an error."""
        self.status = status
        self.body = {"message": message, "data": {"request_id": self.headers["x-request-id"]}}

    def drop_rate_limits(self) -> None:
        """Remove the headers of the rate limit."""
        self.headers = {name: value for name, value in self.headers.items() if not name.startswith("x-ratelimit")}


Change = Callable[[ChangedResponse], object]


@dataclass(frozen=True)
class Mutant:
    """A broken server: the part of a clause that it breaks, and how. `wide` ones break many others, too."""

    part: Part
    sentence: str
    wide: bool
    change: Change | None = None
    patches: tuple[tuple[Any, str, Any], ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """Clause and sentence."""
        return f"{self.part.clause} {self.sentence}"

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Servers that start here are broken."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name, value in self.patches:
                patch.setattr(owner, name, value)
            if self.change is not None:
                patch.setattr(support, "create_app", lambda world: _changed(world, self.change))
            yield


MUTANTS: list[Mutant] = []


def on_response(
    clause: str,
    sentence: str,
    *operations: str,
    status: int | range | None = 200,
    inferred: bool | None = None,
    wide: bool = False,
) -> Callable[[Change], Change]:
    """Change responses of some operations (default: all) with a status (None: any) on their way."""
    statuses = range(status, status + 1) if isinstance(status, int) else status

    def declare(function: Change) -> Change:
        def change(response: ChangedResponse) -> None:
            if (not operations or response.operation in operations) and (
                statuses is None or response.status in statuses
            ):
                function(response)

        MUTANTS.append(Mutant(part_of(clause, inferred), sentence, wide, change))
        return function

    return declare


def on_rows(
    clause: str, sentence: str, *, inferred: bool | None = None, wide: bool = False
) -> Callable[[Callable[[list[Any]], object]], Callable[[list[Any]], object]]:
    """Change the rows of exports."""

    def declare(function: Callable[[list[Any]], object]) -> Callable[[list[Any]], object]:
        @on_response(clause, sentence, "export_dataset", inferred=inferred, wide=wide)
        def _(response: ChangedResponse) -> None:
            rows = [orjson.loads(text) for text in response.body.splitlines()]
            function(rows)
            response.body = b"".join(map(line, rows))

        return function

    return declare


def instead(
    clause: str, sentence: str, owner: Any, name: str, *, inferred: bool | None = None, wide: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call this instead of a function of the server; it gets that function first, and then its arguments."""
    original = getattr(owner, name)

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def mutated(*arguments: Any, **named: Any) -> Any:
            return function(original, *arguments, **named)

        MUTANTS.append(Mutant(part_of(clause, inferred), sentence, wide, patches=((owner, name, mutated),)))
        return function

    return declare


def constant(
    clause: str, sentence: str, owner: Any, name: str, value: Any, *, inferred: bool | None = None, wide: bool = False
) -> None:
    """Use this value instead of one of the server's."""
    MUTANTS.append(Mutant(part_of(clause, inferred), sentence, wide, patches=((owner, name, value),)))


def _changed(world: World, change: Change | None) -> ASGIApp:
    """The application, whose responses under `/api/v1` are changed on their way."""
    app = create_app(world)
    assert change is not None

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/api/v1"):
            await app(scope, receive, send)
            return
        body, messages = await _read(receive), list[Message]()

        async def collect(message: Message) -> None:
            messages.append(message)

        await app(scope, _again(body, receive), collect)
        response = _response(scope, body, messages)
        change(response)
        await _send(response, send)

    return changed


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


def _response(scope: Scope, body: bytes, messages: list[Message]) -> ChangedResponse:
    method, path = scope["method"], scope["path"]
    operation = [name for name, wanted, pattern in _PATHS if wanted == method and pattern.fullmatch(path)]
    headers = _text(messages[0]["headers"])
    content = b"".join(message.get("body", b"") for message in messages[1:])
    decoded = content if headers["content-type"] == ROWS else orjson.loads(content)
    return ChangedResponse(
        "".join(operation), _text(scope["headers"]), _json(body), messages[0]["status"], headers, decoded
    )


async def _send(response: ChangedResponse, send: Send) -> None:
    body = response.body if isinstance(response.body, bytes) else orjson.dumps(response.body)
    headers = {**response.headers, "content-length": str(len(body))}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


def _text(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers}


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
