"""One call of `labs-mock doctor`, to a server of which nothing is known, and whatever came of it."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPErrorProcessor, HTTPSHandler, Request, build_opener, getproxies, proxy_bypass

import orjson

from labs_mock import __version__
from labs_mock.clock import computer_time, stopwatch
from labs_mock.contract.limits import WINDOW
from labs_mock.contract.wording import quote

TIMEOUT = 30.0  # seconds, for each part of a response that lets wait for it
MOST = 4 * 1024 * 1024  # bytes of a response that are read
UNITS = ("day", 86_400), ("hour", 3_600), ("minute", 60)
SHOWN = 200  # characters of a text that is no message


@dataclass(frozen=True)
class DoctorCall:
    """A request, and its response or what was in its way.

    `status` is 0 and `trouble` an exception where there was no response. `headers` have names in lower case, `seconds` is how long it
    took, and `at` when it was there, in unix seconds. `proxy` is the host of the proxy that it went through, "" without one.
    `missing` is what a client needs and the body has not.
    """

    base: str
    method: str
    path: str
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    seconds: float = 0
    at: float = 0
    trouble: Exception | None = None
    proxy: str = ""
    missing: str = ""

    @cached_property
    def body(self) -> dict[str, Any] | None:
        """The JSON object of the response; None where it is none."""
        try:
            value = orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return None
        return value if isinstance(value, dict) else None

    @property
    def message(self) -> str:
        """What the server says is wrong, in its own words as far as it sent any."""
        message = (self.body or {}).get("message")
        text = message if isinstance(message, str) else self.content[: 4 * SHOWN].decode("utf-8", "replace")
        return " ".join(text.split())[:SHOWN] or "no message"

    @property
    def skew(self) -> float:
        """By how many seconds X-RateLimit-Reset is too far ahead by our clock, or negative, too far behind; 0 where it is neither (RL-2)."""
        try:
            ahead = int(self.headers["x-ratelimit-reset"]) - self.at
        except (KeyError, ValueError):
            return 0
        return ahead - WINDOW if ahead > WINDOW else min(ahead, 0)

    @property
    def words(self) -> dict[str, object]:
        """What can stand in the words of a diagnosis."""
        parts = urlsplit(self.base)
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        return {
            "host": parts.hostname,
            "place": f"{parts.hostname}:{port}",
            "root": f"{parts.scheme}://{parts.netloc}",
            "prefix": parts.path,
            "status": self.status,
            "message": self.message,
            "proxy": self.proxy,
            "variable": f"{parts.scheme.upper()}_PROXY",
            "detail": _reason(self.trouble),
            "location": quote(self.headers.get("location", ""), SHOWN),
            "seconds": f"{self.seconds:.1f}",
            "missing": self.missing,
            "skew": f"{_span(abs(self.skew))} {'ahead of' if self.skew > 0 else 'behind'} the clock of this machine",
        }


class _AnyStatus(HTTPErrorProcessor):
    """Whatever the status is, the response is one: no redirect is followed, so that the key goes to no other host."""

    def http_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:
        """The response."""
        del request
        return response

    https_response = http_response


def make_call(base: str, method: str, path: str, key: str, body: Mapping[str, Any] | None = None) -> DoctorCall:
    """Send a request below a base URL, through a proxy where the environment names one, and read what comes. Raises nothing."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Accept": "application/json",
        "User-Agent": f"labs-mock-doctor/{__version__}",
    }
    headers |= {"Content-Type": "application/json"} if body is not None else {}
    data = None if body is None else orjson.dumps(body)
    request = Request(base + path, data, headers, method=method)  # noqa: S310 - the command takes http and https alone
    handlers = [HTTPSHandler(context=ssl.create_default_context())] if base.startswith("https") else []
    call = DoctorCall(base, method, path, proxy=proxy_for(base))
    elapsed = stopwatch()
    try:
        with build_opener(_AnyStatus, *handlers).open(request, timeout=TIMEOUT) as response:
            read = response.read(MOST)
            if len(read) < MOST and response.length:
                raise IncompleteRead(read, response.length)
            found = {name.lower(): value for name, value in response.headers.items()}
            return replace(
                call,
                status=response.status,
                headers=found,
                content=read,
                seconds=elapsed() / 1000,
                at=computer_time(),
            )
    except URLError as error:
        return replace(call, trouble=error.reason if isinstance(error.reason, Exception) else OSError(error.reason))
    except (OSError, HTTPException) as error:
        return replace(call, trouble=error)


def proxy_for(base: str) -> str:
    """The host and port of the proxy through which programs reach a URL, by the environment or the system; "" without one."""
    parts = urlsplit(base)
    address = getproxies().get(parts.scheme, "")
    if not address or proxy_bypass(parts.netloc):
        return ""
    return address.rpartition("@")[2].rpartition("//")[2].rstrip("/")


def _span(seconds: float) -> str:
    """A time in its largest unit."""
    unit, size = next((row for row in UNITS if seconds >= 2 * row[1]), UNITS[-1])
    return f"{seconds / size:,.0f} {unit}s"


def _reason(trouble: Exception | None) -> str:
    """An exception in a few words."""
    words = None
    if isinstance(trouble, ssl.SSLError):
        words = trouble.verify_message if isinstance(trouble, ssl.SSLCertVerificationError) else trouble.reason
    elif isinstance(trouble, OSError):
        words = trouble.strerror
    words = re.sub(r"_ssl\.c:\d+: ", "", words or str(trouble) or type(trouble).__name__)
    return " ".join(words.split())[:SHOWN]
