"""Responses that are written together."""

import re
import socket
import time
from contextlib import ExitStack

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from labs_mock.http.sending import send_json
from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind
from tests.http.raw import LENGTH, connected, get, post
from tests.support import Live

SLOW = "/slow"
BLOCKED = 0.2  # seconds
EVALUATION = post(LENGTH)
KINDS = {
    "whole": (EVALUATION, [200]),
    "unknown": (get("/api/v1/nowhere"), [404]),
    "not by the outbox": (get("/_mock/health"), [200]),
    "waits for 100": (post(LENGTH, b"Expect: 100-continue\r\n"), [100, 200]),
}
ENDS = {
    "closes": (post(LENGTH, b"Connection: close\r\n"), [200]),
    "HTTP/1.0": (post(LENGTH, version=b"1.0"), [200]),
}


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from(sorted(KINDS)), max_size=12), st.sampled_from(sorted(ENDS))),
        min_size=1,
        max_size=20,
    )
)
def test_responses_come_in_the_order_of_requests(shared_server: Live, lists: list[tuple[list[str], str]]) -> None:
    """On each of many connections, whatever is written beside the outbox: one response a request, and all before it ends."""
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(shared_server.url)) for _ in lists]
        for connection, (kinds, _) in zip(connections, lists, strict=True):
            connection.send(b"".join([KINDS[kind][0] for kind in kinds]))
        for connection, (_, end) in zip(connections, lists, strict=True):
            connection.send(ENDS[end][0])
        for connection, (kinds, end) in zip(connections, lists, strict=True):
            statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", connection.rest())]
            expected = [status for kind in kinds for status in KINDS[kind][1]] + ENDS[end][1]
            assert statuses == expected


async def holding_up(scope: Scope, receive: Receive, send: Send) -> None:
    """Responds, and holds up the loop before that if the path says so."""
    await receive()
    if scope["path"] == SLOW:
        time.sleep(BLOCKED)  # noqa: ASYNC251 - as a large request does
    await send_json(send, 200, b"{}", [])


def test_a_client_that_closes_its_side_gets_the_response_that_was_ready() -> None:
    """A slow request holds up the responses of its turn of the loop; one is sent although its client has nothing more to send."""
    listener = bind("127.0.0.1", 0)
    server = Server(holding_up, listener, lambda: None)
    thread = server.serve_in_thread()
    with ExitStack() as stack:
        stack.callback(thread.join)
        stack.callback(server.stop)
        first, ready, second = [stack.enter_context(connected(address_of(listener))) for _ in range(3)]
        ready.send(get("/"))
        assert ready.response().status == 200
        first.send(get(SLOW))
        time.sleep(BLOCKED / 2)  # the next two are read together
        ready.send(get("/"))
        second.send(get(SLOW))
        time.sleep(BLOCKED)
        ready.socket.shutdown(socket.SHUT_WR)
        assert ready.response().status == 200
        assert ready.rest() == b""
        assert first.response().status == second.response().status == 200
