"""Requests of all kinds in any order, and what must hold after each of them."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from labs_mock.conformance.checks import Check, Draw, check
from labs_mock.conformance.checks.batch import item, scoring_of
from labs_mock.conformance.checks.episodes import BAD
from labs_mock.conformance.every_response import RATE_HEADERS
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.played_episode import PlayedEpisode
from labs_mock.conformance.profiles import Profile
from labs_mock.conformance.strategies import comparable, conversations, messages, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import UNREADABLE, Skip, StopShrinking, UnusableResponse
from labs_mock.contract.dataset_status import FINAL
from labs_mock.contract.wording import EPISODE_COMPLETE

CLAUSES = ("EP-4", "EP-13", "EP-15", "EV-1", "EV-2", "BAT-3", "CMP-1", "DS-6", "ID-1", "RL-1")
MOST_ITEMS = 3
LAST = operator("Goodbye.", {"type": "artifact", "name": "no_such_tool", "input": {}})  # ends most episodes (EP-12)


Step = Callable[["Machine", Draw], None]


def step(function: Step) -> Callable[..., None]:
    """A rule that draws."""
    return rule(data=st.data())(_careful(function))


def first(function: Step) -> Callable[..., None]:
    """A rule that begins an example, and draws."""
    return initialize(data=st.data())(_careful(function))


def _careful(function: Step) -> Callable[..., None]:
    """After a response that was reported and that an example cannot go on with, nothing more is done in it."""

    @wraps(function)
    def taken(machine: "Machine", data: st.DataObject) -> None:
        if machine.over:
            return
        try:
            function(machine, data.draw)
        except UnusableResponse:
            machine.over = True
        except UNREADABLE:
            machine.over = True
            if not machine.target.verdicts.broken:
                raise

    return taken


class Machine(RuleBasedStateMachine):
    """One client's episodes, evaluations and datasets, and what it remembers of them."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target
        self.over = False
        self.episodes: list[PlayedEpisode] = []
        self.scored: list[tuple[OfferedScenario, list[Json], Json]] = []  # conversations with what was scored
        self.datasets: list[str] = []
        with suppress(Skip):
            self.datasets = target.datasets()
        self.ended: dict[str, Json] = {}  # datasets that never change again
        self._names: set[str | None] = set()
        self._quota: tuple[int, int] | None = None  # the end of the window, and what remained in it
        self._seen = 0  # responses that were checked

    @property
    def open(self) -> list[PlayedEpisode]:
        """The episodes that take turns."""
        return [episode for episode in self.episodes if not episode.complete]

    @property
    def complete(self) -> list[PlayedEpisode]:
        """The episodes that take none."""
        return [episode for episode in self.episodes if episode.complete]

    @first
    def begin_some(self, draw: Draw) -> None:
        """Some episodes begin."""
        for _ in range(draw(st.integers(1, MOST_ITEMS))):
            self._begin(draw)

    @step
    def begin_another(self, draw: Draw) -> None:
        """Another one begins."""
        self._begin(draw)

    @precondition(lambda self: self.open)
    @step
    def take_turns(self, draw: Draw) -> None:
        """They are counted by one in each episode, whatever happened to others (EP-4)."""
        for _ in range(draw(st.integers(1, MOST_ITEMS))):
            if self.open:
                episode = draw(st.sampled_from(self.open))
                self._take(episode, draw(messages(episode.scenario)))

    @precondition(lambda self: self.open)
    @step
    def end_an_episode(self, draw: Draw) -> None:
        """By a wrong call, where the scenario says so."""
        self._take(draw(st.sampled_from(self.open)), LAST)

    @precondition(lambda self: self.open)
    @step
    def be_refused_a_turn(self, draw: Draw) -> None:
        """It changes nothing: the next one is counted as if it had not been (EP-15)."""
        episode, why = draw(st.sampled_from(self.open)), draw(st.sampled_from(list(BAD)))
        self.target.expect_status(episode.submit(**{"messages": [], **BAD[why]}, limited=False), 400, "EP-15", why=why)

    @precondition(lambda self: self.complete)
    @step
    def take_a_turn_after_the_end(self, draw: Draw) -> None:
        """What is complete stays so (EP-13)."""
        episode = draw(st.sampled_from(self.complete))
        response = episode.submit([draw(messages(episode.scenario))], limited=True)
        self.target.expect_status(
            response, 400, "EP-13", inferred=True, message=EPISODE_COMPLETE, why="a turn after the end"
        )

    @precondition(lambda self: any(episode.last for episode in self.episodes))
    @step
    def evaluate_an_episode(self, draw: Draw) -> None:
        """So far it is scored as its last turn was (EV-2), if that turn was scored (EP-3)."""
        episode = draw(st.sampled_from([one for one in self.episodes if one.last]))
        seen = scoring_of(self.target.evaluate(episode.scenario, episode.transcript))
        if "scores" in episode.last or episode.last["reward"]:
            last = scoring_of(episode.last)
            self.target.expect("EV-2", seen == last, f"the scores of the last turn, {shown(last)}", seen)
        self.scored.append((episode.scenario, list(episode.transcript), seen))

    @step
    def evaluate(self, draw: Draw) -> None:
        """A conversation is scored for the first time."""
        scenario = draw(self.target.scenarios)
        conversation = draw(conversations(scenario, 2))
        self.scored.append((scenario, conversation, scoring_of(self.target.evaluate(scenario, conversation))))

    @precondition(lambda self: self.scored)
    @step
    def score_again(self, draw: Draw) -> None:
        """Conversations get the same scores as before, whatever came between."""
        draw(st.sampled_from([self._evaluate, self._evaluate_together, self._compare]))(draw)

    @step
    def send_something_else(self, draw: Draw) -> None:
        """A dataset's status, or a request that is refused; all else stays as it is."""
        draw(st.sampled_from([self._send_wrong, self._poll] if self.datasets else [self._send_wrong]))(draw)

    @invariant()
    def every_response_is_one_of_a_kind(self) -> None:
        """No id comes twice (ID-1), and what remains of a window's quota falls with every response that reports it (RL-1)."""
        responses = self.target.verdicts.responses
        for response in responses[self._seen :]:
            name = response.headers.get("x-request-id")
            self.target.expect("ID-1", name not in self._names, "an id that was not there before", name, inferred=True)
            self._names.add(name)
            self._check_quota(response)
        self._seen = len(responses)

    def _begin(self, draw: Draw) -> None:
        self.episodes.append(PlayedEpisode(self.target, draw(self.target.scenarios), score_turns=draw(st.booleans())))

    def _take(self, episode: PlayedEpisode, message: Json) -> None:
        before = episode.last.get("turn", 0)
        seen = episode.take(message)["turn"]
        self.target.expect("EP-4", seen == before + 1, f"turn {before + 1}", seen)

    def _evaluate(self, draw: Draw) -> None:
        """By itself (EV-1)."""
        scenario, conversation, before = draw(st.sampled_from(self.scored))
        seen = scoring_of(self.target.evaluate(scenario, conversation))
        self.target.expect("EV-1", seen == before, f"what it got before, {shown(before)}", seen)

    def _evaluate_together(self, draw: Draw) -> None:
        """In a batch (BAT-3)."""
        chosen = draw(st.lists(st.sampled_from(self.scored), min_size=1, max_size=MOST_ITEMS))
        results = self.target.batch([item(scenario, conversation) for scenario, conversation, _ in chosen])["results"]
        seen, before = [scoring_of(result) for result in results], [one for _, _, one in chosen]
        self.target.expect("BAT-3", seen == before, f"what they got before, {shown(before)}", seen)

    def _compare(self, draw: Draw) -> None:
        """Against another one (CMP-1)."""
        scenario, conversation, before = draw(st.sampled_from(self.scored))
        _, other, after = draw(st.sampled_from([one for one in self.scored if one[0] == scenario]))
        result = self.target.compare(scenario, conversation, other)
        seen, wanted = [result["reward_a"], result["reward_b"]], [before["reward"], after["reward"]]
        self.target.expect("CMP-1", seen == wanted, f"the rewards from before, {shown(wanted)}", seen, inferred=False)

    def _poll(self, draw: Draw) -> None:
        """Once it is ready, cancelled or failed, a dataset stays as it is (DS-6)."""
        name = draw(st.sampled_from(self.datasets))
        state = comparable(self.target.status(name))
        before = self.ended.get(name, state)
        self.target.expect("DS-6", state == before, f"what it was, {shown(before)}", state)
        if state["status"] in FINAL:
            self.ended[name] = state

    def _send_wrong(self, draw: Draw) -> None:
        wrong: list[Callable[[], Response]] = [
            lambda: self.target.request("evaluate", {}, limited=False),
            lambda: self.target.request("evaluate", content=b"{", limited=False),
            lambda: self.target.request("list_catalog", authorization=None),
            lambda: self.target.request("create_episode", {"collection_slug": "none", "scenario_slug": "none"}),
            lambda: self.target.request("take_turn", {"messages": [operator("Hello.")]}, id="ep_nobody"),
            lambda: self.target.send("GET", "/nothing"),
            lambda: self.target.send("DELETE", "/evaluate"),
        ]
        draw(st.sampled_from(wrong))()

    def _check_quota(self, response: Response) -> None:
        """By one, or by more where another client has the same key; `general` has the cases for exactly one."""
        values = [response.headers.get(name, "") for name in RATE_HEADERS]
        if all(value.isascii() and value.isdigit() for value in values):
            _, remaining, reset = map(int, values)
            if self._quota is not None and self._quota[0] == reset:
                most = self._quota[1] - 1
                self.target.expect("RL-1", remaining <= most, f"at most {most} remaining", remaining, inferred=True)
            self._quota = reset, remaining


def sequences(profile: Profile, number: int) -> Check:
    """A check that runs the machine with a seed, and after the first failure as often as the profile shrinks."""

    @check(*CLAUSES)
    def any_sequence_of_requests(target: Target) -> None:
        """Episodes, turns, evaluations, batches, comparisons, datasets and bad requests, in any order."""
        failed, left = False, profile.shrinks

        def machine() -> Machine:
            nonlocal failed, left
            failed = failed or target.verdicts.broken
            left -= failed
            if left <= 0:
                raise StopShrinking("shrunk for long enough")
            target.verdicts.begin_example()
            return Machine(target)

        factory: Any = seed(number)(machine)  # in place of a class, as the documentation allows
        run_state_machine_as_test(factory, settings=profile.settings)

    return any_sequence_of_requests
