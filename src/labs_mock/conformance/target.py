"""The server that a run checks: requests whose responses are checked, what the server offers, and `expect`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from labs_mock.clock import parse_instant
from labs_mock.conformance import every_response
from labs_mock.conformance.client import WITH_OWN_KEY, WITH_SECOND_KEY, Client
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json, OfferedScenario, Selection, ServerClock
from labs_mock.conformance.verdicts import Verdicts
from labs_mock.conformance.violations import CannotRun, OutOfBudget, Skip, UnusableResponse
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.operations import BY_NAME
from labs_mock.errors import StartError

T = TypeVar("T")


class Target:
    """A server under test.

    `request` sends a request of an operation and `send` any other; every response is checked by `every_response` and may have
    any status. The first of them raises `StartError` if there is no response at all, and `CannotRun` if the key is not known.
    `second_key` is what goes with `authorization` for a key of another organisation.
    `evaluate`, `batch`, `compare`, `create`, `turn` and `status` require a 200 and return its body.
    """

    def __init__(self, client: Client, selection: Selection | None = None, most_scenarios: int = 6) -> None:
        self.client = client
        self.verdicts = Verdicts()
        self.expect = self.verdicts.expect
        self.selection = selection or Selection()
        self.most_scenarios = most_scenarios
        self.remembered: dict[Any, Any] = {}
        """What checks have learned, so that they need not send the same again."""
        self._scenarios: Sequence[OfferedScenario] = ()
        self._datasets: Mapping[str, str] = {}
        self._unknown = ""  # why it is not known what the server offers
        self._fresh = 0
        self._responded = False

    # What the server offers

    def set_offer(self, scenarios: Sequence[OfferedScenario], datasets: Mapping[str, str]) -> None:
        """Remember the scenarios to check, and the datasets with their statuses at the start."""
        self._scenarios, self._datasets = scenarios, datasets

    def set_unknown(self, why: str) -> None:
        """Let every check that needs the offer be skipped as one that was not reached."""
        self._unknown = why

    @property
    def scenarios(self) -> SearchStrategy[OfferedScenario]:
        """The scenarios to check. Raises `Skip` if there is none."""
        return st.sampled_from(self.every_scenario)

    @property
    def every_scenario(self) -> Sequence[OfferedScenario]:
        """The scenarios to check, the one with the fewest turns first. Raises `Skip` if there is none."""
        self._check_known()
        if not self._scenarios:
            raise Skip("the catalog has no scenario for this key, and none was named")
        return self._scenarios

    def scenarios_with(self, fits: Callable[[OfferedScenario], Any], what: str) -> SearchStrategy[OfferedScenario]:
        """The scenarios that fit. Raises `Skip` with `no scenario {what}` if there is none."""
        found = [one for one in self.every_scenario if fits(one)]
        if not found:
            raise Skip(f"no scenario {what}")
        return st.sampled_from(found)

    def datasets(self, *statuses: str) -> list[str]:
        """The ids of datasets that were in one of some statuses (default: any) at the start. Raises `Skip` without one."""
        self._check_known()
        if not self._datasets:
            raise Skip("not checked: a dataset must be named with --dataset")
        found = [name for name, status in self._datasets.items() if not statuses or status in statuses]
        if not found:
            raise Skip(f"no dataset is {' or '.join(statuses)}")
        return found

    @property
    def second_key(self) -> str:
        """The authorization with a key of another organisation. Raises `Skip` without such a key."""
        if not self.client.has_second_key:
            raise Skip("not checked: the key of another organisation must be given with --second-api-key")
        self._check_known()
        return WITH_SECOND_KEY

    def clock(self) -> ServerClock | None:
        """The clock of a labs-mock server; None of another server. Raises `Skip` where we may not read it."""
        response = self.client.send("GET", "/_mock/clock", authorization=None)
        if response.status in (401, 403):
            raise Skip("the server does not show its clock")
        if response.status != 200:
            return None
        try:
            return ServerClock(parse_instant(response.json["now"]), str(response.json["mode"]))
        except (KeyError, TypeError, ValueError):
            return None

    # Requests

    def send(  # noqa: PLR0913 - all that a request has, by name
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = WITH_OWN_KEY,
        operation: str | None = None,
        limited: bool | None = None,
    ) -> Response:
        """Send anything, `path` relative to the base path, and check the response as one of an operation's, or of none.

        `limited` says whether the response must come from behind the rate limit, where its status does not say it (RL-1).
        """
        response = self.client.send(method, BASE_PATH + path, content, headers, authorization)
        self.verdicts.responses.append(response)
        if response.trouble and not self._responded:
            raise StartError(f"no response from {self.client.url}: {response.trouble}")
        if response.status == 401 and authorization == WITH_OWN_KEY and not self._responded:
            raise CannotRun(f"{self.client.url} does not know the key: {response.summary}")
        self._responded = True
        if response.trouble:
            self.expect("GEN-1", False, "a response", response.trouble)
            raise UnusableResponse(response.trouble)
        expect = self._expect_of(response)
        every_response.check_response(expect, response, BY_NAME.get(operation or ""), limited)
        self._check_version(response)
        self.verdicts.rewarded |= any(reward > 0 for reward in every_response.rewards(response.json))
        return response

    def request(  # noqa: PLR0913 - likewise
        self,
        name: str,
        body: Any = None,
        *,
        id: str = "",  # noqa: A002 - the name of the parameter in the path
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = WITH_OWN_KEY,
        limited: bool | None = None,
    ) -> Response:
        """Send a request of an operation; `content` are the bytes of a body that is no JSON, or odd JSON."""
        operation = BY_NAME[name]
        headers = dict(headers or {})
        if operation.request is not None:
            content = orjson.dumps(body) if content is None else content
            headers = {"content-type": "application/json", **headers}
        return self.send(
            operation.method,
            operation.path.replace("{id}", quote(id, safe="")),
            content=content,
            headers=headers,
            authorization=authorization,
            operation=name,
            limited=limited,
        )

    def require(self, name: str, body: Any = None, **options: Any) -> Json:
        """Send a request that must succeed; the body of its 200. A part of the operation's own clauses says that it must."""
        response = self.request(name, body, **options)
        clause, inferred = BY_NAME[name].success
        self.expect(clause, response.status == 200, "200 for a valid request", response.summary, inferred)
        if response.status != 200 or not isinstance(response.json, dict):
            raise UnusableResponse(response.summary)
        result: Json = response.json
        return result

    def evaluate(self, scenario: OfferedScenario, messages: list[Json], **fields: Any) -> Json:
        """`POST /evaluate`."""
        return self.require("evaluate", {**scenario.slugs, "messages": messages, **fields})

    def batch(self, items: list[Json]) -> Json:
        """`POST /batch/evaluate`."""
        return self.require("batch_evaluate", {"items": items})

    def compare(self, scenario: OfferedScenario, a: list[Json], b: list[Json], **fields: Any) -> Json:
        """`POST /compare`."""
        both = {"response_a": {"messages": a}, "response_b": {"messages": b}}
        return self.require("compare", {**scenario.slugs, **both, **fields})

    def create(self, scenario: OfferedScenario, **fields: Any) -> Json:
        """`POST /episodes`."""
        return self.require("create_episode", {**scenario.slugs, **fields})

    def turn(self, episode: str, messages: list[Json], **fields: Any) -> Json:
        """`POST /episodes/{id}/turns`."""
        return self.require("take_turn", {"id": episode, "messages": messages, **fields}, id=episode)

    def status(self, dataset: str) -> Json:
        """`GET /training-datasets/{id}/status`."""
        return self.require("dataset_status", id=dataset)

    def expect_status(  # noqa: PLR0913 - likewise
        self,
        response: Response,
        status: int,
        clause: str,
        *,
        inferred: bool | None = None,
        message: str = "",
        why: str = "",
    ) -> None:
        """Check that a response has a status and, unless it is empty, a message; `why` says what the request was."""
        expected = f"{status} {message}".strip() + (f" for {why}" if why else "")
        holds = response.status == status and message in ("", response.message)
        self.expect(clause, holds, expected, response.summary, inferred)

    # Helpers

    def each(self, table: Iterable[T]) -> Iterator[T]:
        """The entries of a table, each of them as an example of its own."""
        for entry in table:
            self.verdicts.begin_example()
            yield entry

    def fresh_key(self) -> str:
        """A normalisation key that no run has used, so that its history begins empty (NORM-2)."""
        self._fresh += 1
        return f"conformance-key-{self.client.nonce}-{self._fresh}"

    def _check_known(self) -> None:
        if self._unknown:
            raise OutOfBudget(self._unknown)

    def _check_version(self, response: Response) -> None:
        """All responses of a run that have a scoring version have the same (SV-1)."""
        version = response.json.get("scoring_version") if isinstance(response.json, dict) else None
        if version is not None:
            first, seen = self.remembered.setdefault("scoring_version", (response, version))
            expected = f"the scoring version of all responses, {seen}"
            self.expect("SV-1", version == seen, expected, version, True, (first, response))

    def _expect_of(self, response: Response) -> Callable[..., None]:
        """`expect` for what one response alone shows."""

        def expect(clause: str, holds: bool, expected: Any, seen: Any, inferred: bool | None = None) -> None:
            self.expect(clause, holds, expected, seen, inferred, (response,))

        return expect
