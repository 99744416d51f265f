"""Applications of other people on a real socket: engines, reward servers, environments."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of an ASGI application, in a thread of its own."""
    started = threading.Event()
    listener = bind("127.0.0.1", 0)
    server = Server(app, listener, started.set)
    thread = server.serve_in_thread()
    assert started.wait(10), "the server did not start"
    try:
        yield address_of(listener)
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
