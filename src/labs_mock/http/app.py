"""The ASGI application: every request gets an id, one order of checks, and one way to fail."""

import asyncio
import logging

import orjson
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs_mock.contract.findings import header
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.requests import WireModel
from labs_mock.contract.unknown_fields import duplicate_keys, unknown_fields
from labs_mock.contract.wording import INTERNAL, RATE_LIMITED, UNKNOWN_PATH
from labs_mock.errors import BodyTooLarge, InternalError, MethodNotAllowed, NotFound, RateLimited, RequestError
from labs_mock.http.bearer import bearer_key
from labs_mock.http.bodies import Disconnected, read_body
from labs_mock.http.control import HEALTH, control_routes, is_control
from labs_mock.http.control.guard import check_control
from labs_mock.http.delivery import Delivery
from labs_mock.http.documentation import documentation_routes
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.faults.applying import change_results, faulty_response, trigger_faults
from labs_mock.http.faults.faulty_sending import send_faulty
from labs_mock.http.heads import check_head
from labs_mock.http.routes import Routes
from labs_mock.http.sending import Stream, break_off, error_body, error_headers, send_json, send_stream
from labs_mock.ids import fingerprint, request_id
from labs_mock.redaction import credentials
from labs_mock.state import World
from labs_mock.state.accounts import Account
from labs_mock.state.journal import MAX_BODY, Record

log = logging.getLogger("labs_mock")


def create_app(world: World) -> ASGIApp:
    """The application over a world."""
    return App(world)


class App:
    """`/api/v1` by the table of operations, `/_mock` and the documentation by Starlette, all in one error envelope."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._routes = Routes()
        self._others = Router([*control_routes(world), *documentation_routes()], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. A client that leaves in the middle of its body changes nothing."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        try:
            exchange = await self._receive(scope, receive)
            await self._respond(exchange, scope, receive, send)
        except Disconnected:
            return
        except asyncio.CancelledError:  # the server stops, and has waited long enough for this client
            if not await break_off(scope, receive):
                raise

    async def _respond(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell the journal."""
        try:
            check_head(scope)
            if not exchange.path.startswith(BASE_PATH):
                await self._leave(exchange, scope, receive, send)
                self._record(exchange, b"")
                return
            answer = self._ask(exchange)
        except Exception as raised:
            answer = _refused(raised, exchange)
        if exchange.findings:
            exchange.headers.append((b"x-mock-findings", header(exchange.findings, exchange.redact).encode()))
        body = b"" if isinstance(answer, Stream) else orjson.dumps(answer)
        if isinstance(answer, Stream) and exchange.delivery is None:
            exchange.delivery = Delivery(exchange.findings)
        self._record(exchange, body)
        if exchange.faults and exchange.delivery is not None:
            response = faulty_response(exchange, exchange.delivery, answer, body)
            await send_faulty(response, self.world.clock, scope, receive, send)
        elif isinstance(answer, Stream) and exchange.delivery is not None:
            await send_stream(receive, send, answer, exchange.headers, exchange.delivery)
        else:
            await send_json(send, exchange.status, body, exchange.headers)

    def _record(self, exchange: Exchange, body: bytes) -> None:
        """Put a request into the journal, before its answer goes out, and its rewards into their log."""
        if is_control(exchange.path):
            return
        record = _record(exchange, body)
        self.world.journal.append(record)
        if exchange.rewards:
            self.world.rewards.append(record.number, exchange.rewards, exchange.conversations)

    def _ask(self, exchange: Exchange) -> Payload | Stream:
        """What the API answers, if no fault comes first."""
        if self.world.faults:
            trigger_faults(exchange)
        answer = _answer(self._routes, exchange)
        if not isinstance(answer, Stream):
            answer["request_id"] = exchange.request_id
            change_results(exchange, answer)
        return answer

    async def _leave(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave everything that is not the API's to the router."""
        if is_control(exchange.path) and exchange.path != HEALTH:
            check_control(self.world.settings, scope, exchange.sent, exchange.bearer)
        # With an `app` in its scope the router raises its errors instead of answering in plain text.
        scope["app"] = self
        await self._others(scope, _replay(exchange, receive), _heading(send, exchange))

    async def _receive(self, scope: Scope, receive: Receive) -> Exchange:
        """Read the body and name the request by what it asks (ID-1, DET-3)."""
        world, headers = self.world, dict(scope["headers"])
        body, too_large = await read_body(receive, headers.get(b"content-length"), world.settings.max_body)
        now = world.clock.now()
        bearer = bearer_key(scope["headers"])
        account = world.accounts.find(bearer, now)
        query = scope["query_string"].decode("latin-1")
        target = f"{scope['path']}?{query}" if query else scope["path"]
        asked = fingerprint(account.organisation if account else "", scope["method"], target, body)
        attempt = world.attempts.next(asked)
        name = request_id(world.settings.seed, asked, attempt)
        return Exchange(
            world,
            scope["method"],
            scope["path"],
            query,
            headers,
            bearer,
            account,
            () if account else tuple(dict.fromkeys(credentials(scope["headers"]))),
            asked,
            attempt,
            now,
            body,
            too_large,
            name,
            [(b"x-request-id", name.encode())],
        )


def _record(exchange: Exchange, body: bytes) -> Record:
    """The exchange as the journal keeps it."""
    return Record(
        exchange.now,
        exchange.method,
        exchange.path,
        exchange.query,
        exchange.owner,
        exchange.credentials,
        exchange.request_id,
        exchange.size,
        None if exchange.too_large or len(exchange.body) > MAX_BODY else exchange.body,
        exchange.status,
        body if len(body) <= MAX_BODY else None,
        exchange.elapsed_ms(),
        exchange.findings,
        [fault.id for fault, _ in exchange.faults],
        exchange.rewards,
        exchange.run,
        exchange.skipped,
        exchange.episode,
        exchange.turn,
        exchange.delivery.notes if exchange.delivery is not None else (),
    )


def _answer(routes: Routes, exchange: Exchange) -> Payload | Stream:
    """The order of RL-1: path and method, key, the request by itself, quota, then all that needs state."""
    endpoint, exchange.parameters = routes.find(exchange.method, exchange.path)
    account = exchange.account
    if exchange.too_large:
        raise BodyTooLarge(f"body: expected at most {exchange.world.settings.max_body:,} bytes")
    request = _read(exchange, endpoint.operation.request)
    if endpoint.check is not None:
        endpoint.check(exchange.parameters, request)
    _take_quota(exchange, account)
    return endpoint.handle(exchange, request)


def _read(exchange: Exchange, model: type[WireModel] | None) -> WireModel | None:
    """The request of an operation that has one; what it holds beside that is noticed, even if it is refused."""
    if model is None:
        return None
    value = read_json(exchange.body, exchange.sent.get(b"content-type"))
    exchange.findings += unknown_fields(model, value) + duplicate_keys(exchange.body, value)
    return read_model(model, value)


def _take_quota(exchange: Exchange, account: Account) -> None:
    quota = exchange.world.limits.take(account, exchange.now)
    exchange.tell(quota)
    if not quota.allowed:
        raise RateLimited(RATE_LIMITED)


def _refused(raised: Exception, exchange: Exchange) -> Payload:
    """The body of an answer to what went wrong; its status goes to the exchange.

    It does not outlive this function: an exception holds its frames, and a frame that holds the exception would
    keep them, the request among them, until the collector comes by.
    """
    error = _as_request_error(raised, exchange.request_id)
    exchange.headers += error_headers(error)
    exchange.status = error.status
    exchange.rewards.clear()  # none of them is served
    exchange.conversations.clear()
    return error_body(exchange.redact(error.message), exchange.request_id)


def _as_request_error(raised: Exception, name: str) -> RequestError:
    """What the client is told of an exception; what it must not see goes to the log."""
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


def _replay(exchange: Exchange, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, and then what comes after it."""
    body: list[Message] = [{"type": "http.request", "body": exchange.body, "more_body": False}]

    async def replay() -> Message:
        return body.pop() if body else await receive()

    return replay


def _heading(send: Send, exchange: Exchange) -> Send:
    """A `send` that adds the exchange's headers to the start of the answer, and tells it the status."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            exchange.status = message["status"]
            message["headers"] = [*message["headers"], *exchange.headers]
        await send(message)

    return wrapped
