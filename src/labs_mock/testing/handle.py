"""`LabsMock`: a handle on a mock server, for tests and scripts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Self, Unpack, cast
from urllib.parse import quote, urlencode

from labs_mock.contract.control import (
    DatasetInfo,
    EpisodeInfo,
    EpisodePage,
    Explanation,
    FaultInfo,
    FindingInfo,
    HealthInfo,
    KeyInfo,
    KeyOptions,
    RewardPage,
    ScenarioInfo,
    ScenarioSummary,
)
from labs_mock.serving.process import ServerProcess
from labs_mock.testing.assertions import UndecidableError, check_no_findings, check_requested, oldest_dropped
from labs_mock.testing.backends import Backend, RunningServer, ThreadServer
from labs_mock.testing.control_client import ControlClient, ControlError, hide_frames
from labs_mock.testing.expectations import Expectation
from labs_mock.testing.recorded import RecordedRequest
from labs_mock.testing.verdicts.advantages import advantage_formula, check_advantages
from labs_mock.testing.verdicts.expected_rewards import Conversation, expected_rewards
from labs_mock.testing.verdicts.groups import Groups
from labs_mock.testing.verdicts.trained_texts import Special, check_trained
from labs_mock.testing.verdicts.verdict import Verdict, check_rewards, compare_rewards, judge, post_verdict

ALL = 10_000  # as many as a journal has at most
PAGE = 100_000  # rewards
OBSERVATIONS = "initial_observation", "observation"  # in responses

__tracebackhide__ = hide_frames


class LabsMock:
    """A mock server, as a context manager, sync or async.

    `LabsMock()` starts a server in a thread of this process, `LabsMock(process=True)` in a process of its own, and
    `LabsMock(url=…)` uses one that runs, with its `api_key` and `control_token`. `scenarios` is a folder (default: the shipped
    library). The other parameters are the settings of `labs-mock serve`; one that is None has the value of the folder's
    `server.yaml`, or the default. Two defaults are different here: the clock is frozen, and the port is a free one. The state is in memory
    unless `state` names a Redis. There it is in a namespace of its own, which is removed at the end, or in the namespace
    `state_name`, which stays.

    Every method but `stop()` raises `ControlError` if the server refuses a request or does not respond, and if it was not
    started.
    """

    def __init__(
        self,
        scenarios: Path | str | None = None,
        *,
        url: str | None = None,
        process: bool = False,
        host: str | None = None,
        port: int = 0,
        api_key: str = "lab_local",
        plan: str | None = None,
        seed: int | None = None,
        clock: str = "frozen",
        control: bool | None = None,
        control_hosts: str | None = None,
        control_token: str | None = None,
        spool: int | None = None,
        canary: bool | None = None,
        max_body: int | None = None,
        workers: int | None = None,
        state: str | None = None,
        state_name: str | None = None,
        state_password: str | None = None,
        state_ca: str | None = None,
        state_lifetime: int | None = None,
    ) -> None:
        settings = {
            "host": host,
            "port": port,
            "api_key": api_key,
            "plan": plan,
            "seed": seed,
            "clock": clock,
            "control": control,
            "control_hosts": control_hosts,
            "control_token": control_token,
            "spool": spool,
            "canary": canary,
            "max_body": max_body,
            "workers": workers,
            "state": state,
            "state_name": state_name,
            "state_password": state_password,
            "state_ca": state_ca,
            "state_lifetime": state_lifetime,
        }
        self._backend = _backend(scenarios, url, api_key, process, settings)
        self._token = control_token
        self._client: ControlClient | None = None
        self._expectations: list[Expectation] = []
        self.url = ""
        """Where the server is, such as `http://127.0.0.1:8765`, without a slash at the end; empty until it is started."""
        self.api_key = ""
        """A key that the server accepts; empty until it is started."""
        self.instance = ""
        """Which server this is, another for each start; empty until it is started."""

    def __repr__(self) -> str:
        return f"<LabsMock {self.url or 'not started'}>"

    # Start and stop

    def start(self) -> Self:
        """Start the server, or connect to the one that runs; returns this object. Raises `StartError` with what the server reported."""
        self.url, self.api_key = self._backend.start()
        self._client = ControlClient(self.url, self._token or self.api_key)
        self.instance = self.health().instance
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

    def health(self) -> HealthInfo:
        """Which server this is: its version, its seed, how its clock runs, and how many scenarios it has."""
        return HealthInfo.from_json(self._control.get("/health"))

    def reset(self, *parts: str, shared: bool = False) -> None:
        """Reset everything but scenarios and settings, or some parts, such as `reset("journal", "episodes")`.

        Where other servers have the same state, `shared=True` is required: it is reset for them, too.
        """
        path = f"/reset?{urlencode({'only': ','.join(parts)})}" if parts else "/reset"
        self._control.send("POST", path, {"shared": True} if shared else None)
        if not parts or "journal" in parts:
            self._forget_expectations()

    @property
    def now(self) -> str:
        """The server's time, in ISO 8601."""
        return str(self._control.get("/clock")["now"])

    def set_clock(self, now: str | None = None, mode: str | None = None) -> None:
        """Set the time (`now`, in ISO 8601, forward only), how the clock runs (`mode`: `real`, `frozen` or `x<number>`), or both."""
        self._control.send("PUT", "/clock", {"now": now, "mode": mode})

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds."""
        self._control.send("POST", "/clock/advance", {"seconds": seconds})

    # Faults

    def add_fault(self, **entry: Any) -> str:
        """Add a fault, such as `add_fault(path="/api/v1/evaluate", every=2, status=503)`; returns its id."""
        return str(self._control.send("POST", "/faults", entry)["id"])

    def faults(self) -> list[FaultInfo]:
        """The fault plan, with how many requests each fault matched and how often it was applied."""
        return [FaultInfo.from_json(fault) for fault in self._control.get("/faults")["faults"]]

    def remove_faults(self, fault_id: str | None = None) -> None:
        """Remove the fault with an id, or all faults."""
        self._control.send("DELETE", "/faults" if fault_id is None else f"/faults/{_quoted(fault_id)}")

    # Keys, scenarios, datasets, episodes

    def keys(self) -> list[KeyInfo]:
        """All keys with their terms; the keys themselves are masked."""
        return [KeyInfo.from_json(key) for key in self._control.get("/keys")["keys"]]

    def add_key(self, key: str, organisation: str, **terms: Unpack[KeyOptions]) -> KeyInfo:
        """Add a key of an organisation; terms that are left out have their defaults."""
        return KeyInfo.from_json(
            self._control.send("POST", "/keys", {"key": key, "organisation": organisation, **terms})
        )

    def change_key(self, key: str, **terms: Unpack[KeyOptions]) -> KeyInfo:
        """Change some terms of a key, or revoke it with `revoked=True`."""
        return KeyInfo.from_json(self._control.send("PATCH", f"/keys/{_quoted(key)}", {**terms}))

    def scenarios(self) -> list[ScenarioSummary]:
        """All scenarios that are served, by collection and slug."""
        return [ScenarioSummary.from_json(scenario) for scenario in self._control.get("/scenarios")["scenarios"]]

    def add_scenario(
        self, scenario: Mapping[str, Any] | str, slug: str = "test", collection: str = "tests"
    ) -> ScenarioInfo:
        """Add or replace a scenario, as an object or as YAML; it is checked like a file."""
        content = {"yaml": scenario} if isinstance(scenario, str) else {"scenario": scenario}
        body = {"collection_slug": collection, "scenario_slug": slug, **content}
        return ScenarioInfo.from_json(self._control.send("POST", "/scenarios", body))

    def datasets(self) -> list[DatasetInfo]:
        """All datasets with their status."""
        return [DatasetInfo.from_json(dataset) for dataset in self._control.get("/datasets")["datasets"]]

    def add_dataset(self, dataset: Mapping[str, Any]) -> DatasetInfo:
        """Add a dataset until the next reset, as an object; it is checked like a file."""
        return DatasetInfo.from_json(self._control.send("POST", "/datasets", dataset))

    def set_dataset(
        self,
        dataset_id: str,
        status: str,
        *,
        row_count: int | None = None,
        message: str | None = None,
        error: str | None = None,
    ) -> DatasetInfo:
        """Put a dataset into a status, where it stays; `error` stands beside the status `failed` (DS-1, DS-2)."""
        body = {"status": status, "row_count": row_count, "message": message, "error": error}
        return DatasetInfo.from_json(self._control.send("PATCH", f"/datasets/{_quoted(dataset_id)}", body))

    def episodes(
        self,
        *,
        scenario: str | None = None,
        organisation: str | None = None,
        state: str | None = None,
        finding: str | None = None,
        limit: int | None = None,
        before: str | None = None,
    ) -> EpisodePage:
        """A page of the episodes that match all filters, the one with the newest turn first: at most `limit` of them (100).

        `state` is `open`, `ended` or a terminal reason; `finding` is a code; `before` is the `next` of the previous page.
        """
        filters = {
            "scenario": scenario,
            "organisation": organisation,
            "state": state,
            "finding": finding,
            "limit": limit,
            "before": before,
        }
        return EpisodePage.from_json(self._control.get("/episodes", filters))

    def episode(self, episode_id: str) -> EpisodeInfo:
        """An episode with its transcript, what was revealed, and why its reward is what it is."""
        return EpisodeInfo.from_json(self._control.get(f"/episodes/{_quoted(episode_id)}"))

    def terminate(self, episode_id: str) -> EpisodeInfo:
        """End an episode as `client_terminated`."""
        return EpisodeInfo.from_json(self._control.send("POST", f"/episodes/{_quoted(episode_id)}/terminate"))

    def explain(
        self,
        collection_slug: str,
        scenario_slug: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        reward_config: Mapping[str, Any] | None = None,
    ) -> Explanation:
        """Why a conversation has its reward: every rule, dimension and weight, the gate, and the findings."""
        body = {
            "collection_slug": collection_slug,
            "scenario_slug": scenario_slug,
            "messages": messages,
            "reward_config": reward_config,
        }
        return cast("Explanation", self._control.send("POST", "/explain", body))

    # Journal

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests that the journal has, oldest first."""
        return self.find_requests(limit=ALL)

    def find_requests(
        self,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        episode: str | None = None,
        finding: str | None = None,
        severity: str | None = None,
        fault: str | None = None,
        organisation: str | None = None,
        peer: str | None = None,
        user_agent: str | None = None,
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[RecordedRequest]:
        """The newest requests (1,000, or `limit`) that match all filters, oldest first.

        `path`, `peer` and `user_agent` may have *; `episode`, `fault` and `finding` are ids or a code; with `after` and
        `before`, the numbers of two requests, only those between them are found.
        """
        filters = {
            "method": method,
            "path": path,
            "status": status,
            "episode": episode,
            "finding": finding,
            "severity": severity,
            "fault": fault,
            "organisation": organisation,
            "peer": peer,
            "user_agent": user_agent,
            "after": after,
            "before": before,
            "limit": limit,
        }
        journal = self._control.get("/requests", filters)
        return [RecordedRequest.from_record(record) for record in journal["requests"]]

    def findings(self, *, code: str | None = None, severity: str | None = None) -> list[FindingInfo]:
        """All findings, or those of a code or of a severity (`info` or `warning`), in the order of the first request of each.

        They are those of single requests and those that several requests show together.
        """
        found = self._control.get("/findings", {"code": code, "severity": severity})
        return [FindingInfo.from_json(finding) for finding in found["findings"]]

    def forget_requests(self) -> None:
        """Empty the journal and the log of rewards."""
        self._control.send("DELETE", "/requests")
        self._forget_expectations()

    def expect(
        self, *, status: int, path: str | None = None, method: str | None = None
    ) -> AbstractContextManager[None]:
        """`with labs_mock.expect(status=404, path="*/turns"):` says that requests are refused on purpose within the block.

        It covers all requests that the server receives while the block is open, from any thread; `path` may have *. The end of the block raises
        `AssertionError` if there was no such request, and `UndecidableError` if it may be one that the journal has dropped.
        """
        self._expectations.append(Expectation(self._control, status, path, method))
        return self._expectations[-1]

    @property
    def rewards_served(self) -> list[float]:
        """Every reward that was served, oldest first. Raises `UndecidableError` once the oldest of a million were dropped."""
        __tracebackhide__ = True
        rewards: list[float] = []
        while True:
            page = self.find_rewards(after=len(rewards), limit=PAGE)
            if page.dropped:
                dropped = oldest_dropped(page.dropped, "reward")
                raise UndecidableError(f"undecidable: {dropped}; `find_rewards` has the others")
            rewards += page.rewards
            if len(rewards) >= page.count or not page.rewards:
                return rewards

    def find_rewards(self, after: int = 0, limit: int = 10_000) -> RewardPage:
        """A page of the rewards served, which are numbered from 1: at most `limit` (up to 100,000) of those with a number above `after`."""
        return RewardPage.from_json(self._control.get("/rewards", {"after": after, "limit": limit}))

    def assert_requested(
        self, method: str, path: str, *, times: int | None = None, json: Any = None
    ) -> list[RecordedRequest]:
        """Assert that a request was made, so many `times` or at least once; `path` may have *, `json` is a part of the body.

        Bodies are compared as they were sent, before keys in them are masked. Returns the requests that match. The message of
        the `AssertionError` shows those that nearly match; it is an `UndecidableError` if what the journal has dropped could decide.
        """
        __tracebackhide__ = True
        body = {"method": method, "path": path, "times": times, "json": json}
        return check_requested(self._control.send("POST", "/requests/verify", body), method, times)

    def assert_no_findings(self, severity: str = "warning") -> None:
        """Assert that no request had a finding of a severity, `info` or `warning`; for `warning`, that several show none together, too."""
        __tracebackhide__ = True
        check_no_findings(self._control.get("/findings", {"severity": severity}), severity)

    # What a trainer did with rewards

    def verdict(
        self,
        used: Any,
        conversations: Iterable[Conversation],
        *,
        collection_slug: str | None = None,
        scenario_slug: str | None = None,
        reward_config: Mapping[str, Any] | None = None,
        groups: Groups | None = None,
    ) -> Verdict:
        """Compare the rewards that a trainer used, one for each conversation, with those that the server gives.

        `used` is a list, an array or a tensor of any float type, with None or NaN where there is no reward. A conversation is a
        list of messages, or an object with `messages` and with slugs and a `reward_config` of its own, which replace those of this call.
        `groups` are the numbers, from 0, of the rollouts in each group, or for each rollout the number of its group. Both sides are compared as float32.
        The server's inspector shows the verdict.

        Raises `TypeError` for what is no number, and `ValueError` for conversations or groups that cannot be compared.
        """
        common = {"collection_slug": collection_slug, "scenario_slug": scenario_slug, "reward_config": reward_config}
        verdict = judge(compare_rewards(self._control, used, conversations, groups=groups, **common))
        post_verdict(self._control, verdict)
        return verdict

    def assert_rewards(
        self,
        used: Any,
        conversations: Iterable[Conversation],
        *,
        collection_slug: str | None = None,
        scenario_slug: str | None = None,
        reward_config: Mapping[str, Any] | None = None,
        groups: Groups | None = None,
        allow: Collection[str] = (),
    ) -> Verdict:
        """Assert that the verdict is `in_place`, or that the labels in `allow` explain all places; returns the verdict."""
        __tracebackhide__ = True
        verdict = self.verdict(
            used,
            conversations,
            collection_slug=collection_slug,
            scenario_slug=scenario_slug,
            reward_config=reward_config,
            groups=groups,
        )
        check_rewards(verdict, allow)
        return verdict

    def assert_advantages(
        self,
        advantages: Any,
        conversations: Iterable[Conversation],
        groups: Groups,
        *,
        scale: Literal["group", "batch"] | None = "group",
        ddof: int = 1,
        eps: float = 1e-4,
        tolerance: float = 1e-4,
        collection_slug: str | None = None,
        scenario_slug: str | None = None,
        reward_config: Mapping[str, Any] | None = None,
    ) -> None:
        """Assert that advantages, one for each conversation, are the rewards minus the mean of their group, divided by a deviation.

        `groups` are the numbers, from 0, of the rollouts in each group, or for each rollout the number of its group. The divisor
        is the standard deviation of the rewards of the group or of the batch plus `eps`; without `scale` there is none. `tolerance`
        is absolute; what float32 rounds beyond it is allowed. The message of the `AssertionError` has the probable mistake.

        Raises `ValueError` for a conversation without a reward, and `ValueError` or `TypeError` for groups and numbers that are none.
        """
        __tracebackhide__ = True
        listed = list(conversations)
        formula = advantage_formula(groups, len(listed), scale, ddof, eps)
        expected = expected_rewards(
            self._control,
            listed,
            collection_slug=collection_slug,
            scenario_slug=scenario_slug,
            reward_config=reward_config,
        )
        check_advantages(advantages, listed, expected, formula, tolerance)

    def assert_trained(
        self,
        texts: Iterable[Iterable[str]],
        conversations: Iterable[Conversation],
        *,
        special: Collection[Special] = (),
    ) -> None:
        """Assert that a trainer's loss was on the operator's messages, on all of them and on nothing else.

        `texts` has a list for each conversation: the decoded spans that the loss was computed on. They are compared without
        `special`, which are texts such as `<|im_end|>` or compiled expressions, and but for white space. The operator's messages
        are those with the role `assistant`; where two of these follow each other, or one comes first, an observation that the
        server gave is none. The message of the `AssertionError` names what is an observation, missing, or in no message.
        """
        __tracebackhide__ = True
        check_trained(texts, conversations, special, self._observations)

    def _observations(self) -> list[str]:
        """The texts of all observations that the journal has."""
        found = self.find_requests(method="POST", path="/api/v1/episodes*", status=200, limit=ALL)
        bodies = [request.response for request in found if isinstance(request.response, dict)]
        return [body[name]["content"] for body in bodies for name in OBSERVATIONS if name in body]

    def _forget_expectations(self) -> None:
        for expectation in self._expectations:
            expectation.forget()

    @property
    def _control(self) -> ControlClient:
        """The client of the control plane. Raises `ControlError` before the server is started."""
        if self._client is None:
            raise ControlError("not started: use it as `with LabsMock() as mock:`, or call `start()` first")
        return self._client


def _backend(
    scenarios: Path | str | None, url: str | None, api_key: str, process: bool, settings: Mapping[str, Any]
) -> Backend:
    if url is not None:
        return RunningServer(url, api_key)
    folder = None if scenarios is None else str(scenarios)
    present = {name: value for name, value in settings.items() if value is not None}
    return ServerProcess(folder, present) if process else ThreadServer(folder, present)


def _quoted(segment: str) -> str:
    return quote(segment, safe="")
