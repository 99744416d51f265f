"""The ASGI application: every request gets an id, one order of checks, and one way to fail."""

import asyncio
import logging
from collections.abc import Awaitable
from contextlib import suppress
from typing import NamedTuple

import orjson
from starlette.exceptions import HTTPException
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs_mock.contract.findings import header
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.wording import INTERNAL, UNKNOWN_PATH
from labs_mock.errors import (
    Conflict,
    HeadTooLarge,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RequestError,
    StaleEpoch,
    StoreFull,
    StoreUnavailable,
    Unauthorized,
)
from labs_mock.http.bodies import Disconnected
from labs_mock.http.control import HEALTH, OPEN, control_routes, is_control
from labs_mock.http.control.guard import READS, check_control
from labs_mock.http.delivery import Delivery
from labs_mock.http.documentation import documentation_routes
from labs_mock.http.endpoints import ENDPOINTS
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.faults.applying import change_results, faulty_response
from labs_mock.http.faults.faulty_sending import send_faulty
from labs_mock.http.faults.response import FaultyResponse
from labs_mock.http.inspector import error_page, inspector_routes, is_inspector, to_login
from labs_mock.http.order import check_exchange, check_head, check_request
from labs_mock.http.page_headers import PAGE_HEADERS, is_for_people
from labs_mock.http.request import HttpRequest, WorldOf, read_request
from labs_mock.http.sending import Stream, break_off, error_body, error_headers, send_json, send_stream
from labs_mock.state import World

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
        self._others = Router([*inspector_routes(), *control_routes(), *documentation_routes()], redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. A client that leaves in the middle of its body changes nothing."""
        if scope["type"] != "http":
            await self._others(scope, receive, send)
            return
        try:
            request = await read_request(self._world_of, scope, receive)
            await self._respond(Exchange(request, request.world), receive, send)
        except Disconnected:
            return
        except StoreUnavailable as error:  # behind the head of a response
            log.warning("a response was broken off: %s", error)
            await break_off(scope, receive)
        except asyncio.CancelledError:  # the server stops, and has waited long enough for this client
            if not await break_off(scope, receive):
                raise

    async def _respond(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Compute a response, commit what it changes, and send it."""
        if not exchange.request.path.startswith(BASE_PATH):
            await self._respond_elsewhere(exchange, receive, send)
            return
        try:
            response = await _committed(exchange)
        except StoreUnavailable as error:
            await _respond_without_store(exchange, error, send)
            return
        if response.faulty is not None:
            await send_faulty(response.faulty, exchange.world.store.clock, exchange.request.scope, receive, send)
        elif isinstance(response.content, Stream) and exchange.delivery is not None:
            await send_stream(receive, send, response.content, exchange.response_headers, exchange.delivery)
        else:
            await send_json(send, exchange.status, response.body, exchange.response_headers)

    async def _respond_elsewhere(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Respond to what is not the API's; requests of the control plane and of pages for people are not recorded."""
        world, body, message = exchange.world, b"", ""
        try:
            if exchange.request.path == HEALTH and world.settings.state:  # which does not depend on the store
                exchange.begin_without_store()
            else:
                await _arrive_elsewhere(exchange)
        except StoreUnavailable as error:
            await _respond_without_store(exchange, error, send)
            return
        try:
            await self._route(exchange, receive, send)
        except StaleEpoch:
            await self._respond_elsewhere(exchange, receive, send)
            return
        except Exception as raised:
            envelope = _error(raised, exchange)
            body, message = orjson.dumps(envelope), envelope["message"]
        if _is_recorded(exchange.request.path):
            with suppress(StaleEpoch, StoreUnavailable):
                await world.store.commit(exchange.commit(body))
        if body and _wants_page(exchange.request):
            page = error_page(exchange.status, message)
            await page(exchange.request.scope, receive, _with_headers(send, exchange))
        elif body:
            await send_json(send, exchange.status, body, exchange.response_headers)

    async def _route(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Have the router respond."""
        request = exchange.request
        if is_for_people(request.path):
            exchange.response_headers += PAGE_HEADERS
        check_head(request)
        if is_control(request.path) and request.path not in OPEN:
            try:
                check_control(exchange.world.settings, request.scope, request.headers, request.key)
            except Unauthorized:
                if request.method not in READS or not is_for_people(request.path):
                    raise
                await to_login(request.path, request.query)(request.scope, receive, _with_headers(send, exchange))
                return
        # With an `app` in its scope the router raises its errors instead of responding in plain text.
        request.scope.update(app=self, world=exchange.world, arrived=exchange.arrived)
        await self._others(request.scope, _replay(request.body, receive), _with_headers(send, exchange))


async def _arrive_elsewhere(exchange: Exchange) -> None:
    """Have the store count a request. One of the control plane goes on where it is full, so that that can be looked at and reset."""
    world, store, request = exchange.world, exchange.world.store, exchange.request
    arrival = request.arrival(api=False)
    try:
        exchange.begin(await store.arrive(arrival), world.token())
    except StoreFull:
        if not is_control(request.path):
            raise
        exchange.begin(world.arrived_alone(arrival, await store.epoch(), await store.clock()), "")


class ComputedResponse(NamedTuple):
    """A response of the API: its content, the JSON of that unless it is a stream, and what faults make of both."""

    content: Payload | Stream
    body: bytes
    faulty: FaultyResponse | None


async def _committed(exchange: Exchange) -> ComputedResponse:
    """Compute a response and commit what it changes.

    If others have changed the same in between, it is computed again from what there is then (EP-15); if everything was reset, the
    request arrives again.
    """
    world, request = exchange.world, exchange.request
    check_request(request)
    arrival = request.arrival(api=not isinstance(request.refusal, HeadTooLarge))
    exchange.begin(await world.store.arrive(arrival), world.token())
    while True:
        try:
            response = await _compute(exchange)
            number = await world.store.commit(exchange.commit(response.body))
        except Conflict:
            exchange.begin(exchange.arrived, exchange.token, exchange.conflicts + 1)
        except StaleEpoch:
            exchange.begin(await world.store.arrive(arrival), world.token())
        else:
            exchange.committed(number)
            return response


def handle(exchange: Exchange) -> Awaitable[Payload | Stream]:
    """Carry out the operation of a request that has passed all checks."""
    request = exchange.request
    assert request.operation is not None
    return ENDPOINTS[request.operation.name].handle(exchange, request.model)


async def _compute(exchange: Exchange) -> ComputedResponse:
    """A response, with nothing changed but what the store counts."""
    content: Payload | Stream
    try:
        check_exchange(exchange)
        content = await handle(exchange)
        if not isinstance(content, Stream):
            content["request_id"] = exchange.request_id
            if exchange.delivery is not None:
                change_results(exchange, exchange.delivery, content)
    except (Conflict, StaleEpoch, StoreUnavailable):
        raise
    except Exception as raised:
        content = _error(raised, exchange)
    if exchange.findings:
        findings = header(exchange.findings, exchange.redact).encode()
        exchange.response_headers.append((b"x-mock-findings", findings))
    body = b"" if isinstance(content, Stream) else orjson.dumps(content)
    if isinstance(content, Stream) and exchange.delivery is None:
        exchange.delivery = Delivery(exchange.findings)
    faulty = None
    if exchange.arrived.faults and exchange.delivery is not None:
        faulty = faulty_response(exchange, exchange.delivery, content, body)
    return ComputedResponse(content, body, faulty)


def _wants_page(request: HttpRequest) -> bool:
    """Whether a browser wants a page of the inspector, and no data or file for one."""
    return is_inspector(request.path) and b"text/html" in request.headers.get(b"accept", b"")


def _is_recorded(path: str) -> bool:
    """Whether the journal has requests to a path that is not the API's."""
    return not (is_control(path) or is_for_people(path))


async def _respond_without_store(exchange: Exchange, error: StoreUnavailable, send: Send) -> None:
    """Respond 503, with nothing of what was computed before (GEN-2)."""
    exchange.begin_without_store()
    body = orjson.dumps(_error(error, exchange))
    await send_json(send, exchange.status, body, exchange.response_headers)


def _error(raised: Exception, exchange: Exchange) -> Payload:
    """The body of the response to what went wrong; its status and headers go to the exchange.

    The exception forgets where it was raised: the request keeps it, and the frames in its traceback would keep the request
    until the garbage collector runs.
    """
    error = _as_request_error(raised, exchange.request_id)
    raised.__traceback__ = raised.__context__ = None
    exchange.response_headers += error_headers(error)
    exchange.refuse(error.status)
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
