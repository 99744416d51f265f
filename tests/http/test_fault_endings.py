import asyncio
import socket
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from starlette.types import Message

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.http import create_app
from labs_mock.state import World
from tests.http.clients import HEADERS, ClientRequest, quiet
from tests.http.test_batch import WHERE, conversation
from tests.http.test_fault_plans import add, arrived
from tests.support import result_of, world

EVALUATE = ClientRequest("/api/v1/evaluate", {**WHERE, "messages": conversation("Tell me what happened.")})
WAITING: list[dict[str, Any]] = [
    {"delay": 60},
    {"delay": 60, "before": "body"},
    {"delay": 60, "before": "chunk"},
    {"stall": "head"},
    {"stall": 0},
    {"stall": 5},
]
BREAKING: list[dict[str, Any]] = [
    {"close": True},
    {"reset": "head"},
    {"reset": 5},
    {"cut": 0},
    {"cut": 5},
    *WAITING[3:],
]


def world_with(**fault: Any) -> World:
    """A world with a fault."""
    served = world()
    result_of(served.store.add_fault(FaultEntry.model_validate(fault)))
    return served


async def post_in_process(served: World) -> httpx.Response:
    """A response without a socket, as a test of a client in the same process gets it."""
    transport = httpx.ASGITransport(create_app(served))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=10) as client:
        return await client.request(EVALUATE.method, EVALUATE.path, content=EVALUATE.content, headers=HEADERS)


@pytest.mark.parametrize("fault", BREAKING)
def test_in_process_a_break_is_an_exception(fault: dict[str, Any]) -> None:
    """Without a connection there is none to break: what a reset raises takes the place of all breaks."""
    with pytest.raises(ConnectionResetError, match="fault plan"):
        asyncio.run(post_in_process(world_with(**fault)))


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [({"status": 503}, 503, "application/json"), ({"garbage": True}, 200, "application/json"),
     ({"content_type": "text/html"}, 200, "text/html"), ({"delay": 0, "before": "chunk"}, 200, "application/json")],
)  # fmt: skip
def test_in_process_an_answer_is_changed_as_on_the_wire(fault: dict[str, Any], status: int, content_type: str) -> None:
    """What needs no connection is the same without one."""
    response = asyncio.run(post_in_process(world_with(**fault)))
    assert (response.status_code, response.headers["content-type"]) == (status, content_type)


@pytest.mark.parametrize("fault", WAITING[:3])
def test_in_process_a_delay_can_be_given_up(fault: dict[str, Any]) -> None:
    """Who waits no longer gets a timeout, and not half a response."""
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(post_in_process(world_with(**fault)), 0.05))


async def send_to_client_that_left(served: World) -> list[Message]:
    """What is sent to a client that leaves once it has sent its request; the server must see that within ten seconds."""
    messages: list[Message] = []
    received: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": EVALUATE.content, "more_body": False},
    ]

    async def receive() -> Message:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)
        await asyncio.sleep(0)

    headers = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "method": "POST", "path": EVALUATE.path, "query_string": b"", "headers": headers}
    await asyncio.wait_for(create_app(served)(scope, receive, send), 10)
    return messages


@pytest.mark.parametrize("fault", WAITING[:3])
def test_nobody_waits_for_a_client_that_has_left(fault: dict[str, Any]) -> None:
    """A delay on a frozen clock, which may never end, ends with the client that waited for it."""
    messages = asyncio.run(send_to_client_that_left(world_with(**fault)))
    assert b"".join(message.get("body", b"") for message in messages) == b""
    assert not any(message["type"] == "http.response.body" and not message.get("more_body") for message in messages)


def rest_of(client: socket.socket) -> bytes:
    """What comes until a connection ends, in whatever way."""
    received = b""
    try:
        while part := client.recv(1 << 16):
            received += part
    except ConnectionResetError:
        pass
    return received


def test_a_server_that_stops_breaks_off_what_waits() -> None:
    """Clients that wait for delays and stalls get nothing that was not there yet, and the server logs nothing."""
    with ExitStack() as clients:
        waiting = []
        with quiet(world()) as server:
            host, port = server.url.removeprefix("http://").split(":")
            for number, fault in enumerate(WAITING, 1):
                add(server, nth=number, **fault)
            for number in range(1, len(WAITING) + 1):
                client = clients.enter_context(socket.create_connection((host, int(port)), 10))
                head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
                head += f"host: {host}\r\ncontent-length: {len(EVALUATE.content)}\r\n\r\n"
                client.sendall(f"POST {EVALUATE.path} HTTP/1.1\r\n{head}".encode() + EVALUATE.content)
                arrived(server, number)
                waiting.append(client)
        received = [rest_of(client) for client in waiting]
    assert [one[:15] for one in received] == [b"", *[b"HTTP/1.1 200 OK"] * 2, b"", *[b"HTTP/1.1 200 OK"] * 2]
    assert [len(one.partition(b"\r\n\r\n")[2]) for one in received] == [0, 0, 0, 0, 0, 5]


@pytest.mark.parametrize("fault", [*WAITING, *BREAKING[:5]])
def test_the_server_serves_on_after_every_break(fault: dict[str, Any]) -> None:
    """The next request on a new connection is answered as ever; nothing is logged, and a stop is clean."""
    with quiet(world()) as server:
        add(server, nth=1, **fault)
        plain = httpx.Client(base_url=server.url, headers=HEADERS, timeout=0.2)
        with plain, pytest.raises(httpx.TransportError):
            plain.post(EVALUATE.path, content=EVALUATE.content)
        assert server.post("/evaluate", EVALUATE.body).status_code == 200
        assert server.client.get("/_mock/health").status_code == 200
