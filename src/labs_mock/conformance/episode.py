"""An episode as its client sees it."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import NEUTRAL, SENTENCES, operator, persona, without
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.conformance.violations import Unusable
from labs_mock.contract.limits import MAX_TURNS
from labs_mock.text import normalise


class PlayedEpisode:
    """An episode of a scenario, with its transcript so far, in which the persona is `user`, and its last answer."""

    def __init__(self, lab: Lab, scenario: TargetScenario, *, score_turns: bool | None = True) -> None:
        fields = {} if score_turns is None else {"score_turns": score_turns}
        created = lab.create(scenario, **fields)
        self.lab = lab
        self.scenario = scenario
        self.id: str = created["episode_id"]
        self.transcript = [persona(created["initial_observation"]["content"])]
        self.last: Json = {}

    @property
    def complete(self) -> bool:
        """Whether the last answer said so."""
        return self.last.get("episode_complete") is True

    @property
    def lines(self) -> set[str]:
        """What the persona has said, as it is compared (EP-7)."""
        return {normalise(message["content"]) for message in self.transcript if message["role"] == "user"}

    def take(self, *said: Json, **fields: Any) -> Json:
        """A turn with new messages alone, which must be accepted; its answer."""
        return self.taken(said, self.lab.turn(self.id, list(said), **fields))

    def taken(self, said: tuple[Json, ...], answer: Json) -> Json:
        """Note a turn that was accepted."""
        self.transcript += [*said, persona(answer["observation"]["content"])]
        self.last = answer
        return answer

    def submit(self, messages: Any, *, limited: bool | None = None, **fields: Any) -> Sent:
        """A turn with any messages, which may be refused; nothing is noted."""
        return self.lab.ask("take_turn", {"id": self.id, "messages": messages, **fields}, id=self.id, limited=limited)


def completed(lab: Lab) -> PlayedEpisode:
    """An episode that is complete, the shortest there is. Raises `Unusable` if it does not end in time (EP-10)."""
    episode = PlayedEpisode(lab, lab.every_scenario[0])
    for _ in range(turns_of(episode.scenario)):
        if not episode.complete:
            episode.take(NEUTRAL)
    if not episode.complete:
        raise Unusable("the episode is not complete")
    return episode


def turns_of(scenario: TargetScenario) -> int:
    """The most turns of its episodes (EP-10)."""
    return scenario.max_turns or MAX_TURNS


def repeatable(lab: Lab) -> SearchStrategy[TargetScenario]:
    """The scenarios in which two episodes can be compared. Raises `Skip` if there is none."""
    return lab.scenarios_with(lambda one: repeats(lab, one), "in which the same turns get the same answers twice")


def repeats(lab: Lab, scenario: TargetScenario) -> bool:
    """Whether the same turns get the same answers in two episodes; a persona may well speak freely."""
    known = lab.remembered.get(("repeats", scenario))
    if known is None:
        one, other = ([without(answer) for answer in _tried(lab, scenario)] for _ in range(2))
        known = lab.remembered["repeats", scenario] = one == other
    return bool(known)


def _tried(lab: Lab, scenario: TargetScenario) -> list[Json]:
    episode = PlayedEpisode(lab, scenario)
    return [episode.take(operator(said)) for said in SENTENCES[:2] if not episode.complete]
