"""Sockets: bound before a server starts, and the addresses at which they are found."""

import socket
from ipaddress import ip_address

from labs_mock.errors import StartError

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Raises `StartError` that names the address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None
    return listener


EVERYWHERE = {"0.0.0.0": ("127.0.0.1", "192.0.2.1"), "::": ("::1", "2001:db8::1")}  # noqa: S104 - nothing is bound here
"""The addresses that stand for all addresses of a machine, each with its loopback address and one of another network."""


def address_of(listener: socket.socket) -> str:
    """The base URL at which programs of this machine find a bound socket."""
    host, port = listener.getsockname()[:2]
    return _url(EVERYWHERE[host][0] if host in EVERYWHERE else host, port)


def outside_address_of(listener: socket.socket) -> str | None:
    """The base URL for other machines, of a socket that listens on all addresses; None for others or without a network."""
    host, port = listener.getsockname()[:2]
    if host not in EVERYWHERE:
        return None
    with socket.socket(listener.family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((EVERYWHERE[host][1], 9))  # nothing is sent: it only chooses the address to send from
        except OSError:
            return None
        return _url(probe.getsockname()[0], port)


def is_open(listener: socket.socket) -> bool:
    """Whether other machines may reach a bound socket, as far as its address says."""
    return not ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
