"""An episode as its client sees it."""

from typing import Any

from hypothesis.strategies import SearchStrategy

from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import NEUTRAL, SENTENCES, comparable, operator, persona
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import UnusableResponse
from labs_mock.contract.limits import MAX_TURNS
from labs_mock.text import normalise


class PlayedEpisode:
    """An episode of a scenario, with its transcript so far, in which the persona is `user`, and the body of its last response."""

    def __init__(self, target: Target, scenario: OfferedScenario, *, score_turns: bool | None = True) -> None:
        fields = {} if score_turns is None else {"score_turns": score_turns}
        created = target.create(scenario, **fields)
        self.target = target
        self.scenario = scenario
        self.id: str = created["episode_id"]
        self.transcript = [persona(created["initial_observation"]["content"])]
        self.last: Json = {}

    @property
    def complete(self) -> bool:
        """Whether it was so in the last response."""
        return self.last.get("episode_complete") is True

    @property
    def lines(self) -> set[str]:
        """What the persona has said, as it is compared (EP-7)."""
        return {normalise(message["content"]) for message in self.transcript if message["role"] == "user"}

    def take(self, *messages: Json, **fields: Any) -> Json:
        """Take a turn with new messages alone, which must be accepted; the body of its response."""
        result = self.target.turn(self.id, list(messages), **fields)
        self.record(messages, result)
        return result

    def record(self, messages: tuple[Json, ...], result: Json) -> None:
        """Add a turn that was accepted to the transcript."""
        self.transcript += [*messages, persona(result["observation"]["content"])]
        self.last = result

    def submit(self, messages: Any, *, limited: bool | None = None, **fields: Any) -> Response:
        """Submit any messages as a turn, which may be refused; it is not recorded."""
        return self.target.request(
            "take_turn", {"id": self.id, "messages": messages, **fields}, id=self.id, limited=limited
        )


def completed(target: Target) -> PlayedEpisode:
    """An episode that is complete, the shortest there is. Raises `UnusableResponse` if it does not end in time (EP-10)."""
    episode = PlayedEpisode(target, target.every_scenario[0])
    for _ in range(turns_of(episode.scenario)):
        if not episode.complete:
            episode.take(NEUTRAL)
    if not episode.complete:
        raise UnusableResponse("the episode is not complete")
    return episode


def turns_of(scenario: OfferedScenario) -> int:
    """The most turns of its episodes (EP-10)."""
    return scenario.max_turns or MAX_TURNS


def repeatable(target: Target) -> SearchStrategy[OfferedScenario]:
    """The scenarios in which two episodes can be compared. Raises `Skip` if there is none."""
    return target.scenarios_with(
        lambda one: repeats(target, one), "in which the same turns get the same responses twice"
    )


def repeats(target: Target, scenario: OfferedScenario) -> bool:
    """Whether the same turns get the same responses in two episodes; a persona may well speak freely."""
    known = target.remembered.get(("repeats", scenario))
    if known is None:
        one, other = ([comparable(result) for result in _tried(target, scenario)] for _ in range(2))
        known = target.remembered["repeats", scenario] = one == other
    return bool(known)


def _tried(target: Target, scenario: OfferedScenario) -> list[Json]:
    episode = PlayedEpisode(target, scenario)
    return [episode.take(operator(sentence)) for sentence in SENTENCES[:2] if not episode.complete]
