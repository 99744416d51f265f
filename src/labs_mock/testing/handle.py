"""`LabsMock`: a mock server in the hand of a test or a script."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode, urlsplit

from labs_mock.errors import LabsMockError
from labs_mock.serving.process import DEADLINE, ServerProcess
from labs_mock.testing.backends import Backend, RunningServer, ThreadServer

ALL = 10_000  # as many as a journal has at most
PAGE = 100_000  # rewards

Json = dict[str, Any]


def __tracebackhide__(raised: Any) -> bool:  # noqa: N807 - pytest knows it by this name
    """Tells pytest to leave the functions of this file out of tracebacks of what the control plane refused."""
    return bool(raised.errisinstance(ControlError))


class UndecidableError(AssertionError):
    """An assertion depends on something that the server no longer has: it neither holds nor fails."""


class ControlError(LabsMockError):
    """The control plane refused something; the message says what to send."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as the journal has it, with keys masked. Bodies are JSON, or text where they are none.

    `rewards` has None for an item of a batch that failed. `delivery` says how the answer went out where that was not at
    once and whole, such as `cut after 120 bytes`. `dropped_bodies` names the bodies for which there was no room.
    """

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
    delivery: Sequence[str]
    rewards: Sequence[float | None]
    findings: Sequence[Json]
    faults: Sequence[str]
    dropped_bodies: Sequence[str]
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
        delivery = f" ({', '.join(self.delivery)})" if self.delivery else ""
        return f"{self.method} {self.path} -> {self.status}{delivery}"


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
            self._backend: Backend = RunningServer(url, api_key)
        else:
            given = {"clock": "frozen", "port": 0, "api_key": api_key, **settings}
            folder = None if scenarios is None else str(scenarios)
            self._backend = ServerProcess(folder, given) if process else ThreadServer(folder, given)
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
        """Some of them, by method, path, status, episode, finding, severity, fault, organisation, after and limit."""
        found = self._ask("GET", f"/requests?{urlencode(filters)}")
        return [Recorded.of(record) for record in found["requests"]]

    def forget_requests(self) -> None:
        """Empty the journal and the log of rewards."""
        self._ask("DELETE", "/requests")

    @property
    def rewards_served(self) -> list[float]:
        """Every reward that was served, oldest first. Raises `UndecidableError` once the oldest of a million were dropped."""
        __tracebackhide__ = True
        rewards: list[float] = []
        while True:
            page = self.find_rewards(after=len(rewards), limit=PAGE)
            if page["dropped"]:
                raise UndecidableError(
                    f"undecidable: {_oldest(page['dropped'], 'reward')}; `find_rewards` has the others"
                )
            rewards += page["rewards"]
            if len(rewards) >= page["count"] or not page["rewards"]:
                return rewards

    def find_rewards(self, after: int = 0, limit: int = 10_000) -> Json:
        """A page of the rewards served, numbered from 1, in columns of one length: `requests`, `items`, `conversations`, `rewards`.

        `count` is how many there are, and `dropped` how many older ones there are no more.
        """
        return self._ask("GET", f"/rewards?{urlencode({'after': after, 'limit': limit})}")

    def assert_requested(self, method: str, path: str, *, times: int | None = None, json: Any = None) -> list[Recorded]:
        """That a request was made: `times` often, or at least once; `path` may have *, `json` is a part of the body.

        What was sent is compared, keys too. Gives those requests. The message of its `AssertionError` shows the ones that
        come nearest; it is an `UndecidableError` where what was dropped from the journal could decide.
        """
        __tracebackhide__ = True
        expected = {"method": method, "path": path, "times": times, "json": json}
        answer = self._ask("POST", "/requests/verify", expected)
        found = [Recorded.of(record) for record in answer["requests"]]
        if answer["verdict"] == "met":
            return found
        shown = answer["expected"]  # in which no key can be read
        wanted = "at least once" if times is None else _times(times)
        lines = [f"expected {method.upper()} {shown['path']} {wanted}, and it was made {_times(len(found))}"]
        lines += [f"  with a body that has {_short(shown['json'])}"] if json is not None else []
        lines += ["nearest misses:"] * bool(answer["nearest"])
        for near in answer["nearest"]:
            one, place = Recorded.of(near["request"]), near["differs_at"]
            lines.append(f"  {one}{'' if place is None else f', differs at {place}:'} {_short(one.json)}")
        if answer["verdict"] == "undecidable":
            raise UndecidableError("\n".join([_undecidable(answer), *lines]))
        raise AssertionError("\n".join(lines))

    def assert_no_findings(self, severity: str = "warning") -> None:
        """That no request had a finding of a severity."""
        __tracebackhide__ = True
        found = self._ask("GET", f"/requests?{urlencode({'severity': severity, 'limit': ALL})}")
        told = [f"  {one}: {finding}" for one in map(Recorded.of, found["requests"]) for finding in one.told(severity)]
        dropped = found["dropped_findings"].get(severity, 0)
        count = len(told) + dropped
        told += [f"  and {dropped} in requests that the journal has dropped"] * bool(dropped)
        if told:
            raise AssertionError("\n".join([f"findings of severity {severity}: {count}", *told]))

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


def _undecidable(answer: Json) -> str:
    """What was dropped that could decide."""
    bodies, requests = answer["bodies_dropped"], answer["requests_dropped"]
    parts = [_oldest(requests, "request")] if requests else []
    if bodies:
        more = f" and of {len(bodies) - 1:,} more" if len(bodies) > 1 else ""
        parts.append(f"the body of request {bodies[0]}{more} was dropped")
    return f"undecidable: {', and '.join(parts)}"


def _oldest(number: int, what: str) -> str:
    return f"the oldest {what} was dropped" if number == 1 else f"the oldest {number:,} {what}s were dropped"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
