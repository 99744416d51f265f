"""`LabsMock`: a mock server in the hand of a test or a script."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fnmatch import fnmatchcase
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from labs_mock.backends import DEADLINE, Backend, InProcess, InThread, Running
from labs_mock.errors import LabsMockError

NEAREST = 3  # requests that an assertion shows when it fails
ALL = 10_000  # as many as a journal has at most

Json = dict[str, Any]


def __tracebackhide__(raised: Any) -> bool:  # noqa: N807 - pytest knows it by this name
    """Tells pytest to leave the functions of this file out of tracebacks of what the control plane refused."""
    return bool(raised.errisinstance(ControlError))


class ControlError(LabsMockError):
    """The control plane refused something; the message says what to send."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as the journal has it, with keys made unreadable. Bodies are JSON, or text where they are none."""

    number: int
    method: str
    path: str
    query: str
    organisation: str | None
    status: int
    request_id: str
    duration_ms: int
    episode_id: str | None
    turn: int | None
    rewards: Sequence[float]
    findings: Sequence[Json]
    faults: Sequence[str]
    json: Any
    response: Any

    @classmethod
    def of(cls, record: Json) -> "Recorded":
        """A record of the control plane."""
        names = [name for name in cls.__dataclass_fields__ if name not in ("json", "response")]
        return cls(**{name: record[name] for name in names}, json=record["request"], response=record["response"])

    def told(self, severity: str = "") -> list[str]:
        """Its findings of a severity, or all of them, each in a line."""
        return [
            f"{one['code']}{one['place'] and ' at '}{one['place']}{one['hint'] and ': '}{one['hint']}"
            for one in self.findings
            if severity in ("", one["severity"])
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


class LabsMock:
    """A mock server, as a context manager, sync or async.

    `LabsMock()` starts one in a thread, `LabsMock(process=True)` in a process of its own, `LabsMock(url=…)` speaks to one
    that runs. `scenarios` is a folder (default: the shipped library); further settings are those of `labs-mock serve`, by
    name. The clock is frozen unless `clock` says otherwise.
    """

    def __init__(
        self,
        scenarios: Path | str | None = None,
        *,
        url: str | None = None,
        api_key: str = "lab_local",
        process: bool = False,
        **settings: Any,
    ) -> None:
        self._token = str(settings.get("control_token", ""))
        if url is not None:
            self._backend: Backend = Running(url, api_key)
        else:
            given = {"clock": "frozen", "port": 0, "api_key": api_key, **settings}
            folder = None if scenarios is None else str(scenarios)
            self._backend = InProcess(folder, given) if process else InThread(folder, given)
        self.url = self.api_key = self.instance = ""

    def __repr__(self) -> str:
        return f"<LabsMock {self.url or 'not started'}>"

    # Life

    def start(self) -> Self:
        """Start the server, or meet the one that runs. Raises `StartError` with what the server said."""
        self.url, self.api_key = self._backend.start()
        self.instance = str(self.health()["instance"])
        return self

    def stop(self) -> None:
        """Stop the server, if it was started here. Stopping it twice does no harm."""
        self._backend.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        import asyncio

        return await asyncio.to_thread(self.start)

    async def __aexit__(self, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.stop)

    # Clock and state

    def health(self) -> Json:
        """Which server this is."""
        return self._ask("GET", "/health")

    def reset(self, *parts: str) -> None:
        """Everything but scenarios and settings back to the start, or some parts (`journal`, `episodes` …)."""
        self._ask("POST", f"/reset?{urlencode({'only': ','.join(parts)})}" if parts else "/reset")

    @property
    def now(self) -> str:
        """The server's time, in ISO 8601."""
        return str(self._ask("GET", "/clock")["now"])

    def set_clock(self, now: str | None = None, mode: str | None = None) -> None:
        """Set the time (forward only), or how the clock runs: `real`, `frozen`, `x<number>`."""
        self._ask("PUT", "/clock", {"now": now, "mode": mode})

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._ask("POST", "/clock/advance", {"seconds": seconds})

    # Faults

    def add_fault(self, **fault: Any) -> str:
        """Add a fault, such as `add_fault(path="/api/v1/evaluate", every=2, status=503)`; its id."""
        return str(self._ask("POST", "/faults", fault)["id"])

    def faults(self) -> list[Json]:
        """The fault plan, with how often each fault fitted and was applied."""
        return list(self._ask("GET", "/faults")["faults"])

    def remove_faults(self, name: str | None = None) -> None:
        """Remove a fault, or all."""
        self._ask("DELETE", "/faults" if name is None else f"/faults/{quote(name, safe='')}")

    # Keys, scenarios, datasets, episodes

    def keys(self) -> list[Json]:
        """All keys with their terms, none of them readable."""
        return list(self._ask("GET", "/keys")["keys"])

    def add_key(self, key: str, organisation: str, **terms: Any) -> Json:
        """Add a key; terms are those of `server.yaml`: name, plan, subscriptions, score_access, expires."""
        return self._ask("POST", "/keys", {"key": key, "organisation": organisation, **terms})

    def change_key(self, key: str, **terms: Any) -> Json:
        """Change the terms of a key, or revoke it with `revoked=True`."""
        return self._ask("PATCH", f"/keys/{quote(key, safe='')}", terms)

    def add_scenario(self, scenario: Json | str, slug: str = "test", collection: str = "tests") -> Json:
        """Add or replace a scenario, as an object or as YAML; it is checked like a file."""
        content = {"yaml": scenario} if isinstance(scenario, str) else {"scenario": scenario}
        return self._ask("POST", "/scenarios", {"collection_slug": collection, "scenario_slug": slug, **content})

    def datasets(self) -> list[Json]:
        """All datasets as they stand."""
        return list(self._ask("GET", "/datasets")["datasets"])

    def add_dataset(self, dataset: Json) -> Json:
        """Add a dataset until the next reset, as an object; it is checked like a file."""
        return self._ask("POST", "/datasets", dataset)

    def set_dataset(self, dataset: str, status: str, **fields: Any) -> Json:
        """Put a dataset into a status, where it stays."""
        return self._ask("PATCH", f"/datasets/{quote(dataset, safe='')}", {"status": status, **fields})

    def episode(self, name: str) -> Json:
        """An episode with its transcript, what was revealed, and why its reward is what it is."""
        return self._ask("GET", f"/episodes/{quote(name, safe='')}")

    def terminate(self, name: str) -> Json:
        """End an episode as `client_terminated`."""
        return self._ask("POST", f"/episodes/{quote(name, safe='')}/terminate")

    def explain(self, collection_slug: str, scenario_slug: str, messages: list[Json], **more: Any) -> Json:
        """Why a conversation gets its reward: every rule, dimension and weight, and the gate."""
        body = {"collection_slug": collection_slug, "scenario_slug": scenario_slug, "messages": messages, **more}
        return self._ask("POST", "/explain", body)

    # Journal

    @property
    def requests(self) -> list[Recorded]:
        """All requests that the journal has, oldest first."""
        return self.find_requests(limit=ALL)

    def find_requests(self, **filters: Any) -> list[Recorded]:
        """Some of them, by method, path, status, episode, finding, fault, organisation, after and limit."""
        found = self._ask("GET", f"/requests?{urlencode(filters)}")
        return [Recorded.of(record) for record in found["requests"]]

    def forget_requests(self) -> None:
        """Empty the journal."""
        self._ask("DELETE", "/requests")

    @property
    def rewards_served(self) -> list[float]:
        """Every reward that was given, oldest first."""
        return [reward for request in self.requests for reward in request.rewards]

    def assert_requested(self, method: str, path: str, *, times: int | None = None, json: Any = None) -> list[Recorded]:
        """That a request was made: `times` often, or at least once; `path` may have *, `json` is a part of the body.

        Gives those requests. The message of its `AssertionError` shows the ones that come nearest.
        """
        __tracebackhide__ = True
        made = self.requests
        found = [
            one for one in made if _fits(one, method, path) and (json is None or _difference(one.json, json) is None)
        ]
        if len(found) == times or (times is None and found):
            return found
        wanted = "at least once" if times is None else _times(times)
        near = sorted((one for one in made if one not in found), key=lambda one: -_nearness(one, method, path, json))
        lines = [f"expected {method.upper()} {path} {wanted}, and it was made {_times(len(found))}"]
        lines += [f"  with a body that has {_short(json)}"] if json is not None else []
        lines += ["nearest misses:"] * bool(near)
        for one in near[:NEAREST]:
            place = _difference(one.json, json) if json is not None and _fits(one, method, path) else None
            lines.append(f"  {one}{'' if place is None else f', differs at {place}:'} {_short(one.json)}")
        raise AssertionError("\n".join(lines))

    def assert_no_findings(self, severity: str = "warning") -> None:
        """That no request had a finding of a severity."""
        __tracebackhide__ = True
        told = [f"  {one}: {finding}" for one in self.requests for finding in one.told(severity)]
        if told:
            raise AssertionError("\n".join([f"findings of severity {severity}: {len(told)}", *told]))

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Ask the control plane. Raises `ControlError` for anything but 200, and before the server is started."""
        if not self.url:
            raise ControlError("not started: use it as `with LabsMock() as mock:`, or call `start()` first")
        parts = urlsplit(self.url)
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE)
        # Without a token the key tells a server of many tests whose world is meant.
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token or self.api_key}"}
        try:
            connection.request(method, f"/_mock{path}", json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            answer: Json = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise ControlError(f"no answer from a mock server at {self.url}: {error}") from None
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(str(answer.get("message", answer)))
        return answer


def _fits(request: Recorded, method: str, path: str) -> bool:
    return request.method == method.upper() and fnmatchcase(request.path, path)


def _difference(value: Any, part: Any, place: str = "") -> str | None:
    """Where a JSON value lacks something that another has; None if it has it all. Lists must be of one length."""
    inner: list[tuple[Any, Any, Any]]
    if isinstance(part, dict) and isinstance(value, dict):
        inner = [(name, value.get(name, ...), one) for name, one in part.items()]
    elif isinstance(part, list) and isinstance(value, list) and len(part) == len(value):
        inner = [(index, *pair) for index, pair in enumerate(zip(value, part, strict=True))]
    else:
        return None if value == part and isinstance(value, bool) == isinstance(part, bool) else place or "the body"
    found = (_difference(one, other, f"{place}.{step}" if place else f"{step}") for step, one, other in inner)
    return next((place for place in found if place is not None), None)


def _nearness(request: Recorded, method: str, path: str, body: Any) -> float:
    alike = SequenceMatcher(None, request.path, path).ratio() + 0.5 * (request.method == method.upper())
    return alike + 0.1 * (body is not None and _fits(request, method, path))


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
