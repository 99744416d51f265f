"""Requests of all kinds in any order, and what must hold after each of them."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from labs_mock.conformance.checks import Check, DrawExample, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.checks.episodes import BAD
from labs_mock.conformance.envelope import RATE_HEADERS
from labs_mock.conformance.episode import PlayedEpisode
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, messages, operator, without
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.conformance.violations import UNREADABLE, Enough, Skip, Unusable
from labs_mock.contract.dataset_status import FINAL
from labs_mock.contract.wording import EPISODE_COMPLETE

CLAUSES = ("EP-4", "EP-13", "EP-15", "EV-1", "EV-2", "BAT-3", "CMP-1", "DS-6", "ID-1", "RL-1")
TOLD = ("reward", "scores", "score_breakdown")
MOST_ITEMS = 3
LAST = operator("Goodbye.", {"type": "artifact", "name": "no_such_tool", "input": {}})  # ends most episodes (EP-12)


Step = Callable[["Machine", DrawExample], None]


def step(function: Step) -> Callable[..., None]:
    """A rule that draws."""
    return rule(data=st.data())(_careful(function))


def first(function: Step) -> Callable[..., None]:
    """A rule that begins an example, and draws."""
    return initialize(data=st.data())(_careful(function))


def _careful(function: Step) -> Callable[..., None]:
    """After an answer that was judged to be wrong and cannot be gone on with, nothing more is done in an example."""

    @wraps(function)
    def taken(machine: "Machine", data: st.DataObject) -> None:
        if machine.over:
            return
        try:
            function(machine, data.draw)
        except Unusable:
            machine.over = True
        except UNREADABLE:
            machine.over = True
            if not machine.lab.judgements.broken:
                raise

    return taken


class Machine(RuleBasedStateMachine):
    """One client's episodes, evaluations and datasets, and what it remembers of them."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab
        self.over = False
        self.episodes: list[PlayedEpisode] = []
        self.judged: list[tuple[TargetScenario, list[Json], Json]] = []  # conversations with what they were given
        self.datasets: list[str] = []
        with suppress(Skip):
            self.datasets = lab.datasets()
        self.ended: dict[str, Json] = {}  # datasets that never change again
        self._names: set[str | None] = set()
        self._quota: tuple[int, int] | None = None  # the end of the window, and what remained in it
        self._seen = 0  # exchanges that were looked at

    @property
    def open(self) -> list[PlayedEpisode]:
        """The episodes that take turns."""
        return [episode for episode in self.episodes if not episode.complete]

    @property
    def complete(self) -> list[PlayedEpisode]:
        """The episodes that take none."""
        return [episode for episode in self.episodes if episode.complete]

    @first
    def begin_some(self, draw: DrawExample) -> None:
        """Some episodes begin."""
        for _ in range(draw(st.integers(1, MOST_ITEMS))):
            self._begin(draw)

    @step
    def begin_another(self, draw: DrawExample) -> None:
        """Another one begins."""
        self._begin(draw)

    @precondition(lambda self: self.open)
    @step
    def take_turns(self, draw: DrawExample) -> None:
        """They are counted by one in each episode, whatever happened to others (EP-4)."""
        for _ in range(draw(st.integers(1, MOST_ITEMS))):
            if self.open:
                episode = draw(st.sampled_from(self.open))
                self._take(episode, draw(messages(episode.scenario)))

    @precondition(lambda self: self.open)
    @step
    def end_an_episode(self, draw: DrawExample) -> None:
        """By a wrong call, where the scenario says so."""
        self._take(draw(st.sampled_from(self.open)), LAST)

    @precondition(lambda self: self.open)
    @step
    def be_refused_a_turn(self, draw: DrawExample) -> None:
        """It changes nothing: the next one is counted as if it had not been (EP-15)."""
        episode, why = draw(st.sampled_from(self.open)), draw(st.sampled_from(list(BAD)))
        self.lab.refused(episode.submit(**{"messages": [], **BAD[why]}, limited=False), 400, "EP-15", why=why)

    @precondition(lambda self: self.complete)
    @step
    def take_a_turn_after_the_end(self, draw: DrawExample) -> None:
        """What is complete stays so (EP-13)."""
        episode = draw(st.sampled_from(self.complete))
        sent = episode.submit([draw(messages(episode.scenario))], limited=True)
        self.lab.refused(sent, 400, "EP-13", inferred=True, message=EPISODE_COMPLETE, why="a turn after the end")

    @precondition(lambda self: any(episode.last for episode in self.episodes))
    @step
    def evaluate_an_episode(self, draw: DrawExample) -> None:
        """So far it is worth what its last turn said (EV-2), and a scored one says it (EP-3)."""
        episode = draw(st.sampled_from([one for one in self.episodes if one.last]))
        told = _told(self.lab.evaluate(episode.scenario, episode.transcript))
        if "scores" in episode.last or episode.last["reward"]:
            last = _told(episode.last)
            self.lab.expect("EV-2", told == last, f"what the last turn was given, {shown(last)}", told)
        self.judged.append((episode.scenario, list(episode.transcript), told))

    @step
    def evaluate(self, draw: DrawExample) -> None:
        """A conversation is scored for the first time."""
        scenario = draw(self.lab.scenarios)
        conversation = draw(conversations(scenario, 2))
        self.judged.append((scenario, conversation, _told(self.lab.evaluate(scenario, conversation))))

    @precondition(lambda self: self.judged)
    @step
    def score_again(self, draw: DrawExample) -> None:
        """Conversations get what they got before, whatever came between."""
        draw(st.sampled_from([self._evaluate, self._evaluate_together, self._compare]))(draw)

    @step
    def ask_something_else(self, draw: DrawExample) -> None:
        """A dataset's status, or a request that is refused; all else stays as it is."""
        draw(st.sampled_from([self._ask_wrongly, self._poll] if self.datasets else [self._ask_wrongly]))(draw)

    @invariant()
    def every_answer_is_one_of_a_kind(self) -> None:
        """No id comes twice (ID-1), and what remains falls with every answer that tells it, in one window (RL-1)."""
        exchanges = self.lab.judgements.exchanges
        for sent in exchanges[self._seen :]:
            name = sent.headers.get("x-request-id")
            self.lab.expect("ID-1", name not in self._names, "an id that was not there before", name, inferred=True)
            self._names.add(name)
            self._judge_quota(sent)
        self._seen = len(exchanges)

    def _begin(self, draw: DrawExample) -> None:
        self.episodes.append(PlayedEpisode(self.lab, draw(self.lab.scenarios), score_turns=draw(st.booleans())))

    def _take(self, episode: PlayedEpisode, message: Json) -> None:
        before = episode.last.get("turn", 0)
        seen = episode.take(message)["turn"]
        self.lab.expect("EP-4", seen == before + 1, f"turn {before + 1}", seen)

    def _evaluate(self, draw: DrawExample) -> None:
        """By itself (EV-1)."""
        scenario, conversation, before = draw(st.sampled_from(self.judged))
        told = _told(self.lab.evaluate(scenario, conversation))
        self.lab.expect("EV-1", told == before, f"what it got before, {shown(before)}", told)

    def _evaluate_together(self, draw: DrawExample) -> None:
        """In a batch (BAT-3)."""
        chosen = draw(st.lists(st.sampled_from(self.judged), min_size=1, max_size=MOST_ITEMS))
        results = self.lab.batch([item(scenario, conversation) for scenario, conversation, _ in chosen])["results"]
        told, before = [_told(result) for result in results], [one for _, _, one in chosen]
        self.lab.expect("BAT-3", told == before, f"what they got before, {shown(before)}", told)

    def _compare(self, draw: DrawExample) -> None:
        """Against another one (CMP-1)."""
        scenario, conversation, before = draw(st.sampled_from(self.judged))
        _, other, after = draw(st.sampled_from([one for one in self.judged if one[0] == scenario]))
        answer = self.lab.compare(scenario, conversation, other)
        seen, wanted = [answer["reward_a"], answer["reward_b"]], [before["reward"], after["reward"]]
        self.lab.expect("CMP-1", seen == wanted, f"the rewards from before, {shown(wanted)}", seen, inferred=False)

    def _poll(self, draw: DrawExample) -> None:
        """Once it is ready, cancelled or failed, a dataset stays as it is (DS-6)."""
        name = draw(st.sampled_from(self.datasets))
        state = without(self.lab.status(name))
        before = self.ended.get(name, state)
        self.lab.expect("DS-6", state == before, f"what it was, {shown(before)}", state)
        if state["status"] in FINAL:
            self.ended[name] = state

    def _ask_wrongly(self, draw: DrawExample) -> None:
        wrong: list[Callable[[], Sent]] = [
            lambda: self.lab.ask("evaluate", {}, limited=False),
            lambda: self.lab.ask("evaluate", content=b"{", limited=False),
            lambda: self.lab.ask("list_catalog", authorization=None),
            lambda: self.lab.ask("create_episode", {"collection_slug": "none", "scenario_slug": "none"}),
            lambda: self.lab.ask("take_turn", {"messages": [operator("Hello.")]}, id="ep_nobody"),
            lambda: self.lab.send("GET", "/nothing"),
            lambda: self.lab.send("DELETE", "/evaluate"),
        ]
        draw(st.sampled_from(wrong))()

    def _judge_quota(self, sent: Sent) -> None:
        """By one, or by more where another client has the same key; `general` has the cases for exactly one."""
        told = [sent.headers.get(name, "") for name in RATE_HEADERS]
        if all(value.isascii() and value.isdigit() for value in told):
            _, remaining, reset = map(int, told)
            if self._quota is not None and self._quota[0] == reset:
                most = self._quota[1] - 1
                self.lab.expect("RL-1", remaining <= most, f"at most {most} remaining", remaining, inferred=True)
            self._quota = reset, remaining


def _told(answer: Json) -> Json:
    return {name: answer[name] for name in TOLD if name in answer}


def sequences(profile: settings, shrinks: int, number: int) -> Check:
    """A check that runs the machine with a seed, and after the first failure so many times more."""

    @check(*CLAUSES)
    def any_sequence_of_requests(lab: Lab) -> None:
        """Episodes, turns, evaluations, batches, comparisons, datasets and bad requests, in any order."""
        failed, left = False, shrinks

        def machine() -> Machine:
            nonlocal failed, left
            failed = failed or lab.judgements.broken
            left -= failed
            if left <= 0:
                raise Enough("looked at for long enough")
            lab.judgements.begin()
            return Machine(lab)

        factory: Any = seed(number)(machine)  # in place of a class, as the documentation allows
        run_state_machine_as_test(factory, settings=profile)

    return any_sequence_of_requests
