"""Deliberate silence, `<no_response/>` (TOK-1, TOK-3)."""

import re

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.weights import names_of, scored
from labs_mock.conformance.played_episode import PlayedEpisode
from labs_mock.conformance.strategies import conversations, messages, operator, persona
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.contract.tokens import NO_RESPONSE

SILENCE = operator(NO_RESPONSE)
CONTEXT = re.compile(r"no word for \d+ day|<\s*no_response", re.IGNORECASE)


@check("TOK-1", "TOK-3")
def silence_is_a_turn_that_no_observation_mentions(target: Target) -> None:
    """It is accepted and counted, and neither it nor the days that pass are ever in an observation."""
    for scenario in target.each(target.every_scenario):
        episode = PlayedEpisode(target, scenario)
        for number, message in enumerate((SILENCE, operator("How are you?"), SILENCE, SILENCE), 1):
            if not episode.complete:
                response = episode.submit([message])
                target.expect_status(response, 200, "TOK-1", why="silence, and a message in between")
                episode.record((message,), response.json)
                _check_turn(target, episode, number, response.json)


@check("TOK-1", "TOK-3")
def silence_between_turns_is_not_mentioned_either(target: Target, draw: Draw) -> None:
    """Whatever the messages before and after."""
    scenario = draw(target.scenarios)
    episode = PlayedEpisode(target, scenario)
    turns = draw(st.lists(st.just(SILENCE) | messages(scenario), min_size=1, max_size=6))
    for number, message in enumerate(turns, 1):
        if not episode.complete:
            _check_turn(target, episode, number, episode.take(message))


@check("TOK-3")
def silence_reveals_nothing(target: Target, draw: Draw) -> None:
    """A conversation in which silence follows has discovered no more than without it."""
    scenario = draw(
        target.scenarios_with(
            lambda one: "discovery" in names_of(target, one), "in which there is anything to discover"
        )
    )
    conversation = draw(conversations(scenario))
    silent = [*conversation, *[persona("Hello?"), SILENCE] * draw(st.integers(1, 3))]
    before, after = (scored(target, scenario, one, {"discovery": 1})["scores"] for one in (conversation, silent))
    target.expect("TOK-3", after == before, f"what was discovered without silence, {shown(before)}", after)


def _check_turn(target: Target, episode: PlayedEpisode, number: int, result: dict[str, object]) -> None:
    target.expect("TOK-1", result["turn"] == number, f"turn {number}, silence counted", result["turn"])
    observation = episode.transcript[-1]["content"]
    target.expect("TOK-3", not CONTEXT.search(observation), "neither the token nor the days that pass", observation)
