"""The ASGI application: every request gets an id, one order of checks, and one way to fail."""

import asyncio
import logging

import orjson
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs_mock.contract.findings import header
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.wording import INTERNAL, UNKNOWN_PATH
from labs_mock.errors import InternalError, MethodNotAllowed, NotFound, RequestError
from labs_mock.http.bodies import Disconnected
from labs_mock.http.control import HEALTH, control_routes, is_control
from labs_mock.http.control.guard import check_control
from labs_mock.http.delivery import Delivery
from labs_mock.http.documentation import documentation_routes
from labs_mock.http.endpoints import ENDPOINTS
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.faults.applying import change_results, faulty_response
from labs_mock.http.faults.faulty_sending import send_faulty
from labs_mock.http.heads import check_head
from labs_mock.http.order import check_exchange, check_request
from labs_mock.http.request import HttpRequest, WorldOf, read_request
from labs_mock.http.sending import Stream, break_off, error_body, error_headers, send_json, send_stream
from labs_mock.ids import fingerprint, request_id
from labs_mock.state import World
from labs_mock.state.journal import MAX_BODY, Record

log = logging.getLogger("labs_mock")


def create_app(world: World) -> ASGIApp:
    """The application over one world."""
    return App(lambda _: world)


class App:
    """`/api/v1` by the table of operations, `/_mock` and the documentation by Starlette, all in one error envelope.

    `world_of` chooses the world of each request by the key that it came with.
    """

    def __init__(self, world_of: WorldOf) -> None:
        self._world_of = world_of
        self._others = Router([*control_routes(), *documentation_routes()], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. A client that leaves in the middle of its body changes nothing."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        try:
            exchange = _arrive(await read_request(self._world_of, scope, receive))
            await self._respond(exchange, receive, send)
        except Disconnected:
            return
        except asyncio.CancelledError:  # the server stops, and has waited long enough for this client
            if not await break_off(scope, receive):
                raise

    async def _respond(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Record a request and send its response."""
        try:
            if not exchange.request.path.startswith(BASE_PATH):
                await self._respond_elsewhere(exchange, receive, send)
                _record(exchange, b"")
                return
            content = _content(exchange)
        except Exception as raised:
            content = _error(raised, exchange)
        if exchange.findings:
            findings = header(exchange.findings, exchange.redact).encode()
            exchange.response_headers.append((b"x-mock-findings", findings))
        body = b"" if isinstance(content, Stream) else orjson.dumps(content)
        if isinstance(content, Stream) and exchange.delivery is None:
            exchange.delivery = Delivery(exchange.findings)
        _record(exchange, body)
        if exchange.faults and exchange.delivery is not None:
            response = faulty_response(exchange, exchange.delivery, content, body)
            await send_faulty(response, exchange.world.clock, exchange.request.scope, receive, send)
        elif isinstance(content, Stream) and exchange.delivery is not None:
            await send_stream(receive, send, content, exchange.response_headers, exchange.delivery)
        else:
            await send_json(send, exchange.status, body, exchange.response_headers)

    async def _respond_elsewhere(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Have the router respond to what is not the API's."""
        request = exchange.request
        check_head(request.scope)
        if is_control(request.path) and request.path != HEALTH:
            check_control(exchange.world.settings, request.scope, request.headers, request.key)
        # With an `app` in its scope the router raises its errors instead of responding in plain text.
        request.scope["app"], request.scope["world"] = self, exchange.world
        await self._others(request.scope, _replay(request.body, receive), _with_headers(send, exchange))


def _arrive(request: HttpRequest) -> Exchange:
    """Name a request by what it contains (ID-1, DET-3)."""
    world, now = request.world, request.world.clock.now()
    account = world.accounts.find(request.key, now)
    name = fingerprint(account.organisation if account else "", request.method, request.target, request.body)
    attempt = world.attempts.next(name)
    request_name = request_id(world.settings.seed, name, attempt)
    headers = [(b"x-request-id", request_name.encode())]
    return Exchange(world, request, account, name, attempt, now, request_name, headers)


def _content(exchange: Exchange) -> Payload | Stream:
    """What the API responds with. Raises a `RequestError` for what it refuses."""
    request = exchange.request
    check_request(request)
    check_exchange(exchange)
    assert request.operation is not None
    content = ENDPOINTS[request.operation.name].handle(exchange, request.model)
    if not isinstance(content, Stream):
        content["request_id"] = exchange.request_id
        change_results(exchange, content)
    return content


def _record(exchange: Exchange, body: bytes) -> None:
    """Put a request into the journal, before its response is sent, and its rewards into their log."""
    request = exchange.request
    if is_control(request.path):
        return
    record = Record(
        exchange.now,
        request.method,
        request.path,
        request.query,
        exchange.valid_account,
        exchange.credentials,
        exchange.request_id,
        request.size,
        None if request.too_large or len(request.body) > MAX_BODY else request.body,
        exchange.status,
        body if len(body) <= MAX_BODY else None,
        exchange.elapsed_ms(),
        exchange.findings,
        [fault.id for fault, _ in exchange.faults],
        exchange.rewards,
        exchange.scorers_run,
        exchange.scorers_skipped,
        exchange.episode,
        exchange.turn,
        exchange.delivery.notes if exchange.delivery is not None else (),
    )
    exchange.world.journal.append(record)
    if exchange.rewards:
        exchange.world.rewards.append(record.number, exchange.rewards, exchange.conversations)


def _error(raised: Exception, exchange: Exchange) -> Payload:
    """The body of the response to what went wrong; its status and headers go to the exchange.

    The exception forgets where it was raised: the request keeps it, and the frames in its traceback would keep the request
    until the garbage collector runs.
    """
    error = _as_request_error(raised, exchange.request_id)
    raised.__traceback__ = raised.__context__ = None
    exchange.response_headers += error_headers(error)
    exchange.status = error.status
    exchange.rewards.clear()  # none of them is served
    exchange.conversations.clear()
    return error_body(exchange.redact(error.message), exchange.request_id)


def _as_request_error(raised: Exception, name: str) -> RequestError:
    """What is reported to the client of an exception; what it must not see goes to the log."""
    if isinstance(raised, RequestError):
        return raised
    if isinstance(raised, HTTPException):
        if raised.status_code == MethodNotAllowed.status:
            allowed = (raised.headers or {}).get("Allow", "GET, HEAD").split(", ")  # in the order of a set
            return MethodNotAllowed(", ".join(sorted(allowed)))
        if raised.status_code == NotFound.status:
            return NotFound(UNKNOWN_PATH)
    log.error("request %s failed", name, exc_info=raised)
    return InternalError(INTERNAL)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body once more, and then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _with_headers(send: Send, exchange: Exchange) -> Send:
    """A `send` that adds the exchange's headers to the start of the response, and notes its status."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            message["headers"] = [*message["headers"], *exchange.response_headers]
        await send(message)

    return wrapped
