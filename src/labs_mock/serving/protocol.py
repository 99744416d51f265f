"""HTTP/1 on a connection: uvicorn's protocol, with the checks that it leaves to a proxy in front of it."""

from collections.abc import Sequence
from typing import Any, cast

import httptools
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from labs_mock.contract.limits import MAX_FIELDS, MAX_HEAD
from labs_mock.http.request import HEAD_TOO_LARGE
from labs_mock.http.sending import CONNECTION
from labs_mock.serving.outbox import Outbox

CLOSE = (b"connection", b"close")
SHOWN = 1_000  # bytes of the target of a refused head: so many have always arrived when it is refused


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol for a server that stands alone.

    The scope of a request names its connection, so that faults can break it. Heads are limited while they are read (GEN-3);
    a request for an upgrade is ignored, as RFC 9110 allows; trailers of a body are no headers; and a response to HTTP/1.0 has
    no chunk marks. `quiet` counts the sweeps since the last bytes arrived, or the last response was sent. Whole responses
    go through the `outbox`, which is emptied before a connection is closed.
    """

    reading = True  # in the middle of a request, or before the first one
    quiet = 0
    endless = False  # whether the response in progress ends when the server stops, and not by itself
    _segment = 0  # bytes of what is parsed now
    _fresh = False  # the next request begins where the segment does
    _least = _most = (
        0  # bytes since the head began, or since it ended and no body came; at least and at most, as a segment may hold both
    )
    _in_head = False
    _done = False  # nothing that arrives now is read
    _earlier: Sequence[RequestResponseCycle] = ()  # responses in progress while later requests have arrived

    def __init__(self, outbox: Outbox, **options: Any) -> None:
        super().__init__(**options)
        self.outbox = outbox

    @property
    def waits(self) -> bool:
        """Whether a request waits for its client alone, and no earlier response is in progress."""
        return self.reading and not self.pipeline and (not self._responding or self.cycle.more_body)

    @property
    def idle(self) -> bool:
        """Whether the next request of the client has not begun, and all others have their responses."""
        return not self.reading and not self.pipeline and not self._responding

    @property
    def _responding(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # before the first request there is no cycle

    def data_received(self, data: bytes) -> None:
        """Parse a segment. A request for an upgrade is parsed again without its header, then what follows it."""
        self.quiet = 0
        self._unset_keepalive_if_required()
        self._segment = len(data)
        self._fresh = not self.reading or self.scope is None
        self._least += len(data)
        self._most += len(data)
        while data and not self._done:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = self._without_upgrade() + data[upgrade.args[0] :]
                continue
            except httptools.HttpParserError:
                if not self._done:
                    self._done = True
                    self.logger.warning("Invalid HTTP request received.")
                    self.send_400_response("Invalid HTTP request received.")
            break
        if self.reading and not self._done and (self._least > MAX_HEAD or len(self.headers or ()) > MAX_FIELDS):
            self._give_up()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"transport": self.transport}}
        self.reading = self._in_head = True
        self._least, self._most = self._segment if self._fresh else 0, self._segment
        self._fresh = False

    def on_headers_complete(self) -> None:
        """The head is complete: the response begins, and if the head is too large it is the last one."""
        if len(self.headers) > MAX_FIELDS or (self._most > MAX_HEAD and self._head_size() > MAX_HEAD):
            self._refuse()
            raise httptools.HttpParserError("the head is too large")  # which ends the parsing
        connect = self.parser.get_method() == b"CONNECT"
        if connect:
            self.url = b"/" + self.url  # its target is no path; as one, it is unknown
        if self._responding:
            self._earlier = [*(cycle for cycle in self._earlier if not cycle.response_complete), self.cycle]
        super().on_headers_complete()
        self._in_head = False
        self._least = 0
        self.headers = []  # for the trailers, which nobody reads; the scope has the others
        if self.cycle is not None:  # uvicorn has made it, and knows one kind
            self.cycle.__class__ = Unframed if self.scope.get("http_version") == "1.0" else WholeResponse
            cast("WholeResponse", self.cycle).protocol = self
        if connect:
            self._end()

    def on_body(self, body: bytes) -> None:
        """A part of a body."""
        self._least = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self.reading = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A response is sent: the next request that has arrived is next. No timer is started, since the server sweeps."""
        self.server_state.total_requests += 1
        self.quiet = 0
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        self.outbox.write()
        super().send_400_response(msg)

    def eof_received(self) -> None:
        """The client sends nothing more, and the connection is closed."""
        self.outbox.write()

    def shutdown(self) -> None:
        """The server stops: the connection is closed, after the response that is in progress unless that is `endless`."""
        self.outbox.write()
        if not self.endless:
            super().shutdown()
        elif self.flow.write_paused:  # its client does not read, and would have to before the end
            self.transport.abort()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left: all responses in progress end, not only the newest, of which uvicorn knows."""
        super().connection_lost(exc)
        for cycle in self._earlier:
            cycle.disconnected = True
            cycle.message_event.set()

    def _should_upgrade(self) -> bool:
        """Whether an upgrade interrupts the parsing of a request, which is then parsed again without it."""
        return not self._done and self.parser.get_method() != b"CONNECT"

    def _without_upgrade(self) -> bytes:
        """The head of the request that has just been parsed, without the upgrade, for a new parser."""
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        fields = [b"%s: %s\r\n" % field for field in self.scope["headers"] if field[0] != b"upgrade"]
        start = f"{self.scope['method']} ".encode() + self.url + f" HTTP/{self.scope['http_version']}\r\n".encode()
        return b"".join([start, *fields, b"\r\n"])

    def _head_size(self) -> int:
        """The bytes of the head, without optional spaces."""
        start = len(self.parser.get_method()) + len(self.url) + len("  HTTP/1.1\r\n\r\n")
        return start + sum([len(name) + len(value) + len(": \r\n") for name, value in self.headers])

    def _give_up(self) -> None:
        """Too much has arrived without the end of a head or a byte of a body: no more of it is read."""
        if self._in_head:
            self._refuse()
        else:
            self._done = True
            self.transport.abort()

    def _refuse(self) -> None:
        """Let the application refuse a head that is too large, whatever else it contains."""
        self._done = True
        self.scope["extensions"][HEAD_TOO_LARGE] = {}
        self.headers.clear()
        self.url = self.url[:SHOWN]
        try:
            httptools.parse_url(self.url).path.decode("ascii")
        except (httptools.HttpParserInvalidURLError, AttributeError, UnicodeDecodeError):
            self.url = b"/"
        super().on_headers_complete()
        self._end()

    def _end(self) -> None:
        """Nothing after this head is read; the connection ends with the response."""
        self._done = True
        self.reading = False
        self.cycle.keep_alive = self.cycle.more_body = False
        self.cycle.message_event.set()


class WholeResponse(RequestResponseCycle):
    """A response that may be sent in one piece."""

    protocol: Protocol

    async def respond(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Send head and body in one write; while other requests are in progress, together with their responses.

        The headers, with lower-case names, are ours: none is checked as `send` does. Done for speed alone: beside two calls
        of `send` it takes a third of the time that uvicorn needs for a request.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        self.response_started = True
        self.waiting_for_100_continue = False
        fields = [*self.default_headers, *headers]
        if CLOSE in fields:
            self.keep_alive = False
        elif not self.keep_alive:
            fields.append(CLOSE)
        head = b"".join([b"%b: %b\r\n" % field for field in fields])
        response = b"%b%b\r\n%b" % (STATUS_LINE[status], head, b"" if self.scope["method"] == "HEAD" else body)
        if self.keep_alive and len(self.protocol.tasks) > 1:
            self.protocol.outbox.add(self.transport, response)
        else:
            self.transport.write(response)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


class Unframed(WholeResponse):
    """A response to HTTP/1.0, which has no chunks: one without a length ends where the connection does."""

    async def send(self, message: ASGISendEvent) -> None:
        """Send the head, or a part of a body of any length."""
        if message["type"] == "http.response.start":
            if not any(name.lower() == b"content-length" for name, _ in message.get("headers", ())):
                self.chunked_encoding = False
                self._open_end = True
        elif getattr(self, "_open_end", False):
            self.expected_content_length = len(message.get("body", b""))  # type: ignore[arg-type]
        await super().send(message)
