"""Connections that the threads of one httpx client do not share."""

import threading

import httpx


class OwnConnections(httpx.BaseTransport):
    """A transport with connections for each thread.

    Shared ones break: httpx 0.28 closes connections that are idle for five seconds, or of which there are more than it keeps,
    in one thread while another one, to which they were assigned, begins to use them (`ReadError: Bad file descriptor`).
    """

    def __init__(self) -> None:
        self._of_thread = threading.local()
        self._all: list[httpx.HTTPTransport] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request on a connection of this thread. Raises what httpx raises."""
        transport: httpx.HTTPTransport | None = getattr(self._of_thread, "transport", None)
        if transport is None:
            # There are no certificates on this machine, and to read some takes 15 ms.
            transport = self._of_thread.transport = httpx.HTTPTransport(verify=False)
            self._all.append(transport)
        return transport.handle_request(request)

    def close(self) -> None:
        """Close the connections of all threads."""
        for transport in self._all:
            transport.close()
