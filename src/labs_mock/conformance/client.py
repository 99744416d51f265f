"""A client that stays within its budget of requests and within the rate limit of each key."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Self

import httpx

from labs_mock.conformance.http_response import KEY_PLACEHOLDER, SECOND_KEY_PLACEHOLDER, Response
from labs_mock.conformance.violations import OutOfBudget
from labs_mock.contract.limits import WINDOW

TIMEOUT = 30.0  # seconds for a response
RETRIES = 3  # of a request that the rate limit refused
LATER = (0.0, 10.0, WINDOW)  # seconds beyond the end of a window: the server's clock may be behind ours

WITH_OWN_KEY = f"Bearer {KEY_PLACEHOLDER}"
WITH_SECOND_KEY = f"Bearer {SECOND_KEY_PLACEHOLDER}"


@dataclass(slots=True)
class KeyQuota:
    """What is known of the rate limit of a key.

    `resume` is when the window ends in which nothing remains, in unix seconds; `waits` how many waits in a row changed nothing;
    `late` how often a window had not ended when it should have; `stuck` whether the limit stayed, however long the waits.
    """

    resume: float | None = None
    waits: int = 0
    late: int = 0
    stuck: bool = False


class Client:
    """A connection to a server, or several where threads send at once.

    `second_key` is that of another organisation, "" for none. `max_requests` is the budget of the whole run, retries included;
    None is no budget. It waits for the next window when a response says that nothing remains, and sends a request that got a
    429 once more after that. Where the clocks disagree it learns to wait longer; where waiting does not help at all, it sends
    nothing more.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        second_key: str = "",
        max_requests: int | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self.used = 0
        self.waited = 0.0
        keys = {KEY_PLACEHOLDER: key, SECOND_KEY_PLACEHOLDER: second_key}
        self._keys = {name: keys[name] for name in sorted(keys, key=lambda name: -len(keys[name])) if keys[name]}
        self._quotas = {name: KeyQuota() for name in keys}
        self._budget = self._allowed = max_requests
        self._sleep = sleep
        self._lock = Lock()  # turns at once come from threads (EP-15)
        self._started = time.monotonic()
        self._http = httpx.Client(trust_env=False, timeout=TIMEOUT, verify=self.url.startswith("https"))
        self.nonce = f"{time.time_ns():x}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._started

    @property
    def has_second_key(self) -> bool:
        """Whether there is a key of another organisation."""
        return SECOND_KEY_PLACEHOLDER in self._keys

    @staticmethod
    def now() -> float:
        """Unix seconds on our clock."""
        return time.time()

    def share_budget(self, among: int) -> None:
        """Let the next of so many checks use its part of what is left of the budget."""
        if self._budget is not None:
            self._allowed = self.used + -(-(self._budget - self.used) // max(1, among))

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = WITH_OWN_KEY,
    ) -> Response:
        """Send a request, and once more after a 429, up to three times.

        `$LABS_API_KEY` in headers and content stands for the key, `$LABS_SECOND_API_KEY` for the second one. Raises
        `OutOfBudget` where no request is left, and for every request after one that got a 429 each time.
        """
        fields = {} if authorization is None else {"authorization": authorization}
        fields |= headers or {}
        quota = self._quotas[SECOND_KEY_PLACEHOLDER if authorization == WITH_SECOND_KEY else KEY_PLACEHOLDER]
        response = self._send(method, path, content, fields, quota)
        for _ in range(RETRIES):
            if response.status != httpx.codes.TOO_MANY_REQUESTS:
                break
            response = self._send(method, path, content, fields, quota)
            quota.late += response.status == httpx.codes.TOO_MANY_REQUESTS
        quota.stuck = quota.stuck or response.status == httpx.codes.TOO_MANY_REQUESTS
        return response

    def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], quota: KeyQuota
    ) -> Response:
        with self._lock:
            if self._allowed is not None and self.used >= self._allowed:
                raise OutOfBudget("the budget of requests is spent")
            if quota.stuck:
                raise OutOfBudget("the rate limit does not lift, as on a clock that stands still")
            self._wait(quota)
            self.used += 1
        body = None if content is None else self._with_keys(content)
        try:
            request = self._http.build_request(method, self.url + path, content=body, headers=self._encoded(headers))
            begun = time.perf_counter()
            received = self._http.send(request)
            seconds = time.perf_counter() - begun
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = (
                f"nothing within {TIMEOUT:.0f} s"
                if isinstance(error, httpx.TimeoutException)
                else str(error) or type(error).__name__
            )
            return Response(self.url, method, path, headers, content, 0, trouble=why)
        response = Response(
            self.url,
            method,
            path,
            headers,
            content,
            received.status_code,
            {name.lower(): self._without_keys(value.encode()).decode() for name, value in received.headers.items()},
            self._without_keys(received.content),
            seconds=seconds,
        )
        self._update(quota, response)
        return response

    @staticmethod
    def _update(quota: KeyQuota, response: Response) -> None:
        """Remember when the window ends if nothing remains in it; a zero that waiting did not change is not believed."""
        with suppress(KeyError, ValueError):
            spent = int(response.headers["x-ratelimit-remaining"]) <= 0
            credible = quota.waits < RETRIES or response.status == httpx.codes.TOO_MANY_REQUESTS
            quota.resume = int(response.headers["x-ratelimit-reset"]) if spent and credible else None
            quota.waits = quota.waits if spent else 0

    def _wait(self, quota: KeyQuota) -> None:
        if quota.resume is None:
            return
        pause = max(quota.resume - time.time(), 0.0) + LATER[min(quota.late, len(LATER) - 1)]
        pause = min(pause, WINDOW + 1.0)
        quota.resume = None
        quota.waits += 1
        self.waited += pause
        self._sleep(pause)

    def _without_keys(self, content: bytes) -> bytes:
        """Content in which placeholders stand for the keys, first for the longer one, which may begin like the other."""
        for name, key in self._keys.items():
            content = content.replace(key.encode(), name.encode())
        return content

    def _with_keys(self, content: bytes) -> bytes:
        """Content in which the keys stand instead of their placeholders."""
        for name, key in self._keys.items():
            content = content.replace(name.encode(), key.encode())
        return content

    def _encoded(self, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
        return [(name.encode(), self._with_keys(value.encode())) for name, value in headers.items()]
