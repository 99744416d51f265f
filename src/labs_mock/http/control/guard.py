"""Who may use the control plane: programs on this machine, and no page in a developer's browser; or whoever has the token."""

from collections.abc import Mapping
from hmac import compare_digest
from ipaddress import IPv4Address, IPv6Address, ip_address

from starlette.types import Scope

from labs_mock.config.settings import Settings
from labs_mock.contract.wording import UNKNOWN_PATH
from labs_mock.errors import BadRequest, Forbidden, NotFound, Unauthorized
from labs_mock.http.control.session_cookie import has_session
from labs_mock.http.page_headers import is_to_log_in

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READS = ("GET", "HEAD")


def check_control(settings: Settings, scope: Scope, headers: Mapping[bytes, bytes], bearer: bytes | None) -> None:
    """Raises `NotFound` without the control plane, `Unauthorized` without the token where one is set, else `Forbidden` for
    whom it is not meant; and for a write what `check_write` does.

    Without a token it is meant for programs on this machine. A page of another origin can send requests from here, but it
    cannot forge `Host`, and it cannot send JSON without asking first, which is never granted. A proxy on this machine says
    that it is one.
    """
    if not settings.control:
        raise NotFound(UNKNOWN_PATH)
    token = settings.control_token.encode()
    if token:
        known = compare_digest(bearer or b"", token) or has_session(settings.control_token, headers)
        if not known and not is_to_log_in(scope["path"]):
            raise Unauthorized("The control plane wants Authorization: Bearer with the setting control_token")
    else:
        _check_peer(settings, scope, headers)
    if scope["method"] not in READS:
        check_write(headers)


def check_write(headers: Mapping[bytes, bytes]) -> None:
    """Raises `BadRequest` for what a form can send, and `Forbidden` for what a page of another origin sends."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise BadRequest("Content-Type: expected application/json on everything that changes something")
    origin = headers.get(b"origin")
    if origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower():
        raise Forbidden("Origin: expected this server; pages of others change nothing here")


def _check_peer(settings: Settings, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
    """Raises `Forbidden` for a peer that is not on this machine, came through a proxy, or names another host."""
    if not on_this_machine(scope):
        raise Forbidden(f"The control plane answers programs on this machine alone; {_WITH_TOKEN}")
    if any(name == b"forwarded" or name.startswith(b"x-forwarded-") for name in headers):
        raise Forbidden(f"The control plane answers nobody through a proxy; {_WITH_TOKEN}")
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in (*LOOPBACK, *_words(settings.control_hosts)):
        raise Forbidden("The control plane answers loopback hosts only; the setting control_hosts allows others")


_WITH_TOKEN = "with the setting control_token, sent as Authorization: Bearer, it answers others"  # noqa: S105 - none


def on_this_machine(scope: Scope) -> bool:
    """Whether a peer is on this machine: its address is a loopback one, or that at which it reaches the server.

    What it reaches decides nothing by itself: a system can be told to route loopback addresses from elsewhere. A peer that
    has no address is not known to be here.
    """
    peer, own = _address(scope.get("client")), _address(scope.get("server"))
    return peer is not None and (peer.is_loopback or peer == own)


def _address(place: tuple[str, int] | None) -> IPv4Address | IPv6Address | None:
    """The address of a host and a port; one of IPv4 may come in the clothes of IPv6."""
    try:
        address = ip_address(place[0] if place else "")
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]
