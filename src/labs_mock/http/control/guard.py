"""Who may use the control plane: programs on this machine, and no page in a developer's browser."""

from collections.abc import Mapping
from hmac import compare_digest

from labs_mock.errors import BadRequest, Forbidden, Unauthorized
from labs_mock.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READS = ("GET", "HEAD")


def check_control(settings: Settings, method: str, headers: Mapping[bytes, bytes], bearer: bytes | None) -> None:
    """Raises `Forbidden` for a host that is not allowed, `Unauthorized` without the token, `BadRequest` for a bad write.

    A page of another origin can send requests here, but it cannot forge `Host`, and it cannot send JSON without
    asking first, which is never granted. Without the control plane there is nothing to guard.
    """
    if not settings.control:
        return
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in (*LOOPBACK, *_words(settings.control_hosts)):
        raise Forbidden("The control plane answers loopback hosts only; the setting control_hosts allows others")
    token = settings.control_token.encode()
    if token and not compare_digest(bearer or b"", token):
        raise Unauthorized("The control plane wants Authorization: Bearer with the setting control_token")
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if method not in READS and kind != b"application/json":
        raise BadRequest("Content-Type: expected application/json on everything that changes something")


def _words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",") if word.strip()]
