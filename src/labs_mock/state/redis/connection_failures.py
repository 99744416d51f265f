"""Why a Redis cannot be used, in a line that says what to set."""

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

from redis.exceptions import AuthenticationError, ResponseError

from labs_mock.errors import StartError, StoreFull

ANOTHER_HOST = 62, 64
"""What OpenSSL says of a certificate that does not have the host, or its address."""
PASSWORD = "state_password (LABS_MOCK_STATE_PASSWORD)"  # noqa: S105 - its name
CA = "state_ca (LABS_MOCK_STATE_CA)"

WANTS_CERTIFICATES = (
    "it ends the connection; if it wants certificates of its clients, turn that off (tls-auth-clients no)"
)


def start_error(url: str, error: BaseException) -> StartError:
    """The error of a server that cannot start since the Redis at an address cannot be used."""
    tls = url.startswith("rediss:")
    known = ((cause, reason) for cause in _causes(error) for kind, reason in REASONS if isinstance(cause, kind))
    cause, reason = next(known, (error, _silent))
    return StartError(f"state: {url}: {reason(cause, tls)}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _full(_: StoreFull, __: bool) -> str:
    return "it is full; give it more memory, or drop a namespace (labs-mock state drop)"


def _untrusted(error: ssl.SSLCertVerificationError, _: bool) -> str:
    why = error.verify_message.rstrip(".")
    if error.verify_code in ANOTHER_HOST:
        return f"its certificate is that of another host ({why}); write the host that it names"
    return f"its certificate is not trusted ({why}); put the file with its CA's into {CA}"


def _no_tls(error: ssl.SSLError, _: bool) -> str:
    if "CERTIFICATE_REQUIRED" in str(error.reason):
        return WANTS_CERTIFICATES
    return f"there is no connection with TLS ({error.reason}); without TLS it is redis://"


def _ended(_: ConnectionResetError, tls: bool) -> str:
    if tls:
        return WANTS_CERTIFICATES
    return "it ends the connection; if it has TLS there, write rediss://"


def _silent(_: BaseException, tls: bool) -> str:
    return "it does not answer" + "; if it has no TLS there, write redis://" * tls


def _absent(error: OSError, _: bool) -> str:
    number = error.errno or 0
    return f"it does not answer ({os.strerror(number) if number > 0 else error.strerror})"


def _refused_password(error: AuthenticationError, _: bool) -> str:
    if "without any password configured" in str(error):
        return f"it has no password; leave out {PASSWORD}"
    if str(error).startswith("Authentication required"):
        return f"it wants a password; put it into {PASSWORD}"
    return f"it refuses the password, or knows no such user; it gets what is in {PASSWORD}"


def _refused(error: ResponseError, _: bool) -> str:
    return f"it refuses: {error}"


REASONS: tuple[tuple[type[BaseException], Callable[[Any, bool], str]], ...] = (
    (StoreFull, _full),
    (ssl.SSLCertVerificationError, _untrusted),
    (ssl.SSLError, _no_tls),
    (ConnectionResetError, _ended),
    (TimeoutError, _silent),
    (socket.gaierror, _absent),
    (ConnectionRefusedError, _absent),
    (FileNotFoundError, _absent),
    (PermissionError, _absent),
    (AuthenticationError, _refused_password),
    (ResponseError, _refused),
)
"""Of the first cause that is here, the reason; whether the address has TLS makes a difference for some."""
