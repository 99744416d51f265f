"""The cookie that stands for the control plane's token in a browser: signed, not stored, so that every worker takes it."""

from collections.abc import Mapping
from hashlib import sha256
from hmac import compare_digest, new

from labs_mock import clock

NAME = b"labs_mock_session"
LIFETIME = 12 * 60 * 60  # seconds of the computer's time: the mock's clock may stand still, or fly


def session_cookie(token: str) -> str:
    """The value of `Set-Cookie` that begins a session; another token ends it."""
    end = b"%d" % (int(clock.computer_time()) + LIFETIME)
    return _attributes((end + b"." + _signature(token, end)).decode(), LIFETIME)


def no_session() -> str:
    """The value of `Set-Cookie` that makes the browser forget its session."""
    return _attributes("", 0)


def has_session(token: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request has the cookie of a session that has not ended."""
    for part in headers.get(b"cookie", b"").split(b";"):
        name, _, value = part.strip().partition(b"=")
        end, _, signature = value.partition(b".")
        if name == NAME and compare_digest(signature, _signature(token, end)):
            return int(end) > clock.computer_time()
    return False


def _signature(token: str, end: bytes) -> bytes:
    key = new(token.encode(), b"labs-mock: sessions of browsers", sha256).digest()
    return new(key, end, sha256).hexdigest().encode()


def _attributes(value: str, lifetime: int) -> str:
    return f"{NAME.decode()}={value}; HttpOnly; SameSite=Strict; Path=/_mock; Max-Age={lifetime}"
