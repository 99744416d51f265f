"""A client that stays within its budget of requests and within the rate limit of each key."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Self

import httpx

from labs_mock.conformance.exchanges import HIDDEN, SECOND_HIDDEN, Sent
from labs_mock.conformance.violations import OutOfBudget
from labs_mock.contract.limits import WINDOW

TIMEOUT = 30.0  # seconds for an answer
RETRIES = 3  # of a request that the rate limit refused
LATER = (0.0, 10.0, WINDOW)  # seconds beyond the end of a window: the server's clock may be behind ours

OWN = f"Bearer {HIDDEN}"
SECOND = f"Bearer {SECOND_HIDDEN}"


@dataclass(slots=True)
class QuotaLeft:
    """What is known of the rate limit of a key.

    `resume` is when the window ends in which nothing remains, in unix seconds; `waits` how often in a row that changed nothing;
    `late` how often a window had not ended when it should have; `stuck` whether the limit stayed, however long was waited.
    """

    resume: float | None = None
    waits: int = 0
    late: int = 0
    stuck: bool = False


class Client:
    """A connection to a server, or several where threads send at once.

    `second_key` is that of another organisation, "" for none. `max_requests` is the budget of the whole run, retries included; None is no budget. It waits for the next window when
    an answer says that nothing remains, and sends a request that got a 429 once more after that. Where the clocks disagree
    it learns to wait longer; where waiting does not help at all, it sends nothing more.
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
        given = {HIDDEN: key, SECOND_HIDDEN: second_key}
        self._keys = {name: given[name] for name in sorted(given, key=lambda name: -len(given[name])) if given[name]}
        self._quotas = {name: QuotaLeft() for name in given}
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
        return SECOND_HIDDEN in self._keys

    @staticmethod
    def now() -> float:
        """Unix seconds on our clock."""
        return time.time()

    def share(self, among: int) -> None:
        """Let the next of so many checks have its part of what is left of the budget."""
        if self._budget is not None:
            self._allowed = self.used + -(-(self._budget - self.used) // max(1, among))

    def send(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = OWN,
    ) -> Sent:
        """Send a request, and once more after a 429, up to three times.

        Raises `OutOfBudget` where no request is left, and after a request that got a 429 every time.

        `$LABS_API_KEY` in headers and content stands for the key, `$LABS_SECOND_API_KEY` for the second one.
        """
        given = {} if authorization is None else {"authorization": authorization}
        given |= headers or {}
        quota = self._quotas[SECOND_HIDDEN if authorization == SECOND else HIDDEN]
        sent = self._send(method, path, content, given, quota)
        for _ in range(RETRIES):
            if sent.status != httpx.codes.TOO_MANY_REQUESTS:
                break
            sent = self._send(method, path, content, given, quota)
            quota.late += sent.status == httpx.codes.TOO_MANY_REQUESTS
        quota.stuck = quota.stuck or sent.status == httpx.codes.TOO_MANY_REQUESTS
        return sent

    def _send(self, method: str, path: str, content: bytes | None, headers: dict[str, str], quota: QuotaLeft) -> Sent:
        with self._lock:
            if self._allowed is not None and self.used >= self._allowed:
                raise OutOfBudget("the budget of requests is spent")
            if quota.stuck:
                raise OutOfBudget("the rate limit does not lift, as on a clock that stands still")
            self._wait(quota)
            self.used += 1
        body = None if content is None else self._revealed(content)
        try:
            request = self._http.build_request(method, self.url + path, content=body, headers=self._encoded(headers))
            begun = time.perf_counter()
            answer = self._http.send(request)
            seconds = time.perf_counter() - begun
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = (
                f"nothing within {TIMEOUT:.0f} s"
                if isinstance(error, httpx.TimeoutException)
                else str(error) or type(error).__name__
            )
            return Sent(self.url, method, path, headers, content, 0, trouble=why)
        got = {name.lower(): self._hidden(value.encode()).decode() for name, value in answer.headers.items()}
        hidden = self._hidden(answer.content)
        sent = Sent(self.url, method, path, headers, content, answer.status_code, got, hidden, seconds=seconds)
        self._notice(sent, quota)
        return sent

    @staticmethod
    def _notice(sent: Sent, quota: QuotaLeft) -> None:
        """Remember when the window ends if nothing remains in it; zeros that waiting did not change are not believed."""
        with suppress(KeyError, ValueError):
            spent = int(sent.headers["x-ratelimit-remaining"]) <= 0
            credible = quota.waits < RETRIES or sent.status == httpx.codes.TOO_MANY_REQUESTS
            quota.resume = int(sent.headers["x-ratelimit-reset"]) if spent and credible else None
            quota.waits = quota.waits if spent else 0

    def _wait(self, quota: QuotaLeft) -> None:
        if quota.resume is None:
            return
        pause = max(quota.resume - time.time(), 0.0) + LATER[min(quota.late, len(LATER) - 1)]
        pause = min(pause, WINDOW + 1.0)
        quota.resume = None
        quota.waits += 1
        self.waited += pause
        self._sleep(pause)

    def _hidden(self, content: bytes) -> bytes:
        """With names for the keys in it, the longer one first, which may begin like the other."""
        for name, key in self._keys.items():
            content = content.replace(key.encode(), name.encode())
        return content

    def _revealed(self, content: bytes) -> bytes:
        for name, key in self._keys.items():
            content = content.replace(name.encode(), key.encode())
        return content

    def _encoded(self, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
        return [(name.encode(), self._revealed(value.encode())) for name, value in headers.items()]
