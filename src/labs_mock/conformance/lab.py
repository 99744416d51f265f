"""What a check holds in its hand: requests whose answers are judged, what the server offers, and `expect`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

import orjson
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from labs_mock.clock import parse_instant
from labs_mock.conformance import envelope
from labs_mock.conformance.client import OWN, SECOND, Client
from labs_mock.conformance.conversations import beginnings, suggested
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import Judgements
from labs_mock.conformance.strategies import NEUTRAL, chat
from labs_mock.conformance.target import Json, Options, TargetClock, TargetScenario, TargetTool, chosen, listed
from labs_mock.conformance.violations import OutOfBudget, Refused, Skip, Unusable
from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.operations import BY_NAME
from labs_mock.errors import StartError

T = TypeVar("T")


class Lab:
    """A server under judgement.

    `ask` sends a request of an operation and `send` any other; what comes back has been judged by `envelope` and may have
    any status. The first of them raises `StartError` if there is no answer at all, and `Refused` if the key is not known.
    `second` is what goes with `authorization` for a key of another organisation.
    `evaluate`, `batch`, `compare`, `create`, `turn` and `status` want a 200 and give its body.
    """

    def __init__(self, client: Client, options: Options | None = None, most_scenarios: int = 6) -> None:
        self.client = client
        self.judgements = Judgements()
        self.expect = self.judgements.expect
        self.options = options or Options()
        self._most = most_scenarios
        self._scenarios: list[TargetScenario] = []
        self._datasets: dict[str, str] = {}
        self._fresh = 0
        self._answered = False
        self._unknown = ""  # why it is not known what the server offers
        self.remembered: dict[Any, Any] = {}
        """What checks have learned, so that they need not ask again."""

    # What the server offers

    def discover(self) -> None:
        """Ask for the catalog, for an episode of each scenario, and how far each dataset is; judge the answers.

        Raises `Refused` for what the options name and the server does not have, and a second key that it does not know.
        """
        try:
            self._discover()
        except OutOfBudget as spent:
            self._unknown = str(spent)
            raise

    def _discover(self) -> None:
        catalog: Any = None
        with suppress(Unusable):
            catalog = self.wanted("list_catalog")
        missing = self.options.missing(listed(catalog, Options())) if catalog else []
        if missing:
            raise Refused(f"the catalog has no {missing[0]!r}")
        self._check_named_datasets()
        self._check_second_key()
        offered = listed(catalog, self.options)
        offered.sort(key=lambda one: (one.collection, one.slug) not in self.options.talks)
        found = chosen(offered, self._most)
        self._scenarios = [self._learned(one) for one in self.each(found)]
        for name in self.each(self.options.datasets or self._mock_datasets()):
            with suppress(Unusable):
                self._datasets[name] = str(self.status(name).get("status"))

    @property
    def scenarios(self) -> SearchStrategy[TargetScenario]:
        """The scenarios to judge. Raises `Skip` if there is none."""
        return st.sampled_from(self.every_scenario)

    @property
    def every_scenario(self) -> Sequence[TargetScenario]:
        """The scenarios to judge, the one with the fewest turns first. Raises `Skip` if there is none."""
        self._check_discovered()
        if not self._scenarios:
            raise Skip("the catalog has no scenario for this key, and none was named")
        return self._scenarios

    def scenarios_with(self, fits: Callable[[TargetScenario], Any], what: str) -> SearchStrategy[TargetScenario]:
        """The scenarios that fit. Raises `Skip` with `no scenario {what}` if there is none."""
        found = [one for one in self.every_scenario if fits(one)]
        if not found:
            raise Skip(f"no scenario {what}")
        return st.sampled_from(found)

    def datasets(self, *statuses: str) -> list[str]:
        """The ids of datasets that were in one of some statuses (default: any) at the start. Raises `Skip` without one."""
        self._check_discovered()
        if not self._datasets:
            raise Skip("not asked: a dataset must be named with --dataset")
        found = [name for name, status in self._datasets.items() if not statuses or status in statuses]
        if not found:
            raise Skip(f"no dataset is {' or '.join(statuses)}")
        return found

    def dataset(self, *statuses: str) -> str:
        """The first of them."""
        return self.datasets(*statuses)[0]

    @property
    def second(self) -> str:
        """The authorization with a key of another organisation. Raises `Skip` if none was given."""
        if not self.client.has_second_key:
            raise Skip("not asked: the key of another organisation must be given with --second-api-key")
        self._check_discovered()
        return SECOND

    def clock(self) -> TargetClock | None:
        """The clock of a labs-mock server; None of another server. Raises `Skip` where it is not for us to read."""
        sent = self.client.send("GET", "/_mock/clock", authorization=None)
        if sent.status in (401, 403):
            raise Skip("the server does not show its clock")
        try:
            return TargetClock(parse_instant(sent.json["now"]), str(sent.json["mode"])) if sent.status == 200 else None
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
        authorization: str | None = OWN,
        operation: str | None = None,
        limited: bool | None = None,
    ) -> Sent:
        """Send anything, `path` relative to the base path, and judge the answer as one of an operation's, or of none.

        `limited` says whether the answer must come from behind the rate limit, where its status does not say it (RL-1).
        """
        sent = self.client.send(method, BASE_PATH + path, content, headers, authorization)
        self.judgements.exchanges.append(sent)
        if sent.trouble and not self._answered:
            raise StartError(f"no answer from {self.client.url}: {sent.trouble}")
        if sent.status == 401 and authorization == OWN and not self._answered:
            raise Refused(f"{self.client.url} does not know the key: {_said(sent)}")
        self._answered = True
        if sent.trouble:
            self.expect("GEN-1", False, "an answer", sent.trouble)
            raise Unusable(sent.trouble)
        envelope.judge(self._expect_alone(sent), sent, BY_NAME.get(operation or ""), limited)
        self._judge_version(sent)
        self.judgements.rewarded |= any(reward > 0 for reward in envelope.rewards(sent.json))
        return sent

    def ask(  # noqa: PLR0913 - likewise
        self,
        name: str,
        body: Any = None,
        *,
        id: str = "",  # noqa: A002 - the name of the parameter in the path
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        authorization: str | None = OWN,
        limited: bool | None = None,
    ) -> Sent:
        """Send a request of an operation; `content` are the bytes of a body that is no JSON, or odd JSON."""
        operation = BY_NAME[name]
        given = dict(headers or {})
        if operation.request is not None:
            content = orjson.dumps(body) if content is None else content
            given = {"content-type": "application/json", **given}
        return self.send(
            operation.method,
            operation.path.replace("{id}", quote(id, safe="")),
            content=content,
            headers=given,
            authorization=authorization,
            operation=name,
            limited=limited,
        )

    def wanted(self, name: str, body: Any = None, **options: Any) -> Json:
        """The body of an answer that must be a 200; the operation's own clause says so."""
        sent = self.ask(name, body, **options)
        clause, inferred = BY_NAME[name].success
        self.expect(clause, sent.status == 200, "200 for a valid request", _said(sent), inferred=inferred)
        if sent.status != 200 or not isinstance(sent.json, dict):
            raise Unusable(_said(sent))
        body_: Json = sent.json
        return body_

    def evaluate(self, scenario: TargetScenario, messages: list[Json], **fields: Any) -> Json:
        """`POST /evaluate`."""
        return self.wanted("evaluate", {**scenario.where, "messages": messages, **fields})

    def batch(self, items: list[Json]) -> Json:
        """`POST /batch/evaluate`."""
        return self.wanted("batch_evaluate", {"items": items})

    def compare(self, scenario: TargetScenario, a: list[Json], b: list[Json], **fields: Any) -> Json:
        """`POST /compare`."""
        responses = {"response_a": {"messages": a}, "response_b": {"messages": b}}
        return self.wanted("compare", {**scenario.where, **responses, **fields})

    def create(self, scenario: TargetScenario, **fields: Any) -> Json:
        """`POST /episodes`."""
        return self.wanted("create_episode", {**scenario.where, **fields})

    def turn(self, episode: str, messages: list[Json], **fields: Any) -> Json:
        """`POST /episodes/{id}/turns`."""
        return self.wanted("take_turn", {"id": episode, "messages": messages, **fields}, id=episode)

    def status(self, dataset: str) -> Json:
        """`GET /training-datasets/{id}/status`."""
        return self.wanted("dataset_status", id=dataset)

    def refused(  # noqa: PLR0913 - likewise
        self, sent: Sent, status: int, clause: str, *, inferred: bool | None = None, message: str = "", why: str = ""
    ) -> None:
        """Judge that a request was refused with a status and, if one is given, a message."""
        expected = f"{status} {message}".strip() + (f" for {why}" if why else "")
        held = sent.status == status and message in ("", sent.message)
        self.expect(clause, held, expected, _said(sent), inferred=inferred)

    # Helpers

    def each(self, table: Iterable[T]) -> Iterator[T]:
        """The entries of a table, each of them as an example of its own."""
        for entry in table:
            self.judgements.begin()
            yield entry

    def fresh(self, name: str = "key") -> str:
        """A name that no run has used, for histories that begin empty (NORM-2)."""
        self._fresh += 1
        return f"conformance-{name}-{self.client.nonce}-{self._fresh}"

    def _check_discovered(self) -> None:
        if self._unknown:
            raise OutOfBudget(self._unknown)

    def _check_named_datasets(self) -> None:
        for name in self.each(self.options.datasets):
            sent = self.ask("dataset_status", id=name, limited=None)
            if sent.status in (400, 404):
                raise Refused(f"there is no dataset {name!r}: {_said(sent)}")

    def _check_second_key(self) -> None:
        if self.client.has_second_key:
            sent = self.ask("list_catalog", authorization=SECOND)
            if sent.status == 401:
                raise Refused(f"{self.client.url} does not know the second key: {_said(sent)}")

    def _learned(self, scenario: TargetScenario) -> TargetScenario:
        """A scenario with what an episode of it tells; without that, if the server does not say it."""
        with suppress(Unusable, KeyError, TypeError):
            answer = self.create(scenario)
            opening, tools = answer["initial_observation"]["content"], tuple(map(TargetTool.of, answer["tools"]))
            known = replace(scenario, opening=opening, tools=tools)
            return replace(known, talk=self._earning(known))
        return scenario

    def _earning(self, scenario: TargetScenario) -> Sequence[Json] | None:
        """What an operator can say first so that a reward is above 0; nothing where whatever is said is rewarded."""
        given = self.options.talks.get((scenario.collection, scenario.slug), ())
        for talks in (beginnings(given), suggested(scenario)):
            rewards = self._rewards(scenario, talks) if talks else []
            if talks and talks[0] == (NEUTRAL,) and rewards[0] > 0:
                return ()
            for talk, reward in zip(talks, rewards, strict=True):
                if reward > 0:
                    return talk
        return None

    def _rewards(self, scenario: TargetScenario, talks: Sequence[Sequence[Json]]) -> list[float]:
        items = [
            {"id": str(number), **scenario.where, "messages": chat(scenario, talk)} for number, talk in enumerate(talks)
        ]
        return [float(one.get("reward", 0)) for one in self.batch(items)["results"]]

    def _mock_datasets(self) -> list[str]:
        """The datasets of a labs-mock server, which tells them itself; none of another one."""
        sent = self.client.send("GET", "/_mock/datasets", authorization=None)
        try:
            return [str(one["id"]) for one in sent.json["datasets"]] if sent.status == 200 else []
        except (KeyError, TypeError):
            return []

    def _judge_version(self, sent: Sent) -> None:
        """All answers of a run that have a scoring version have the same (SV-1)."""
        version = sent.json.get("scoring_version") if isinstance(sent.json, dict) else None
        if version is not None:
            first, seen = self.remembered.setdefault("scoring_version", (sent, version))
            self.expect(
                "SV-1", version == seen, f"the scoring version of all answers, {seen}", version, True, (first, sent)
            )

    def _expect_alone(self, sent: Sent) -> Callable[..., None]:
        """`expect` for what one answer alone shows."""

        def expect(clause: str, held: bool, expected: Any, seen: Any, inferred: bool | None = None) -> None:
            self.expect(clause, held, expected, seen, inferred, (sent,))

        return expect


def _said(sent: Sent) -> str:
    return f"{sent.status} {sent.message}".strip()
