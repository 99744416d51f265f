"""Deliberate silence, `<no_response/>` (TOK-1, TOK-3)."""

import re

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.checks.weights import names_of, scored
from labs_mock.conformance.episode import PlayedEpisode
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, messages, operator, persona
from labs_mock.contract.tokens import NO_RESPONSE

SILENCE = operator(NO_RESPONSE)
CONTEXT = re.compile(r"no word for \d+ day|<\s*no_response", re.IGNORECASE)


@check("TOK-1", "TOK-3")
def silence_is_a_turn_of_which_nothing_is_heard(lab: Lab) -> None:
    """It is accepted and counted, and neither it nor the days that pass are ever in an observation."""
    for scenario in lab.each(lab.every_scenario):
        episode = PlayedEpisode(lab, scenario)
        for number, message in enumerate((SILENCE, operator("How are you?"), SILENCE, SILENCE), 1):
            if not episode.complete:
                sent = episode.submit([message])
                lab.refused(sent, 200, "TOK-1", why="silence, and what is said in between")
                _judge_turn(lab, episode, number, episode.taken((message,), sent.json))


@check("TOK-1", "TOK-3")
def silence_between_turns_is_not_heard_either(lab: Lab, data: DrawExample) -> None:
    """Whatever is said before and after."""
    scenario = data(lab.scenarios)
    episode = PlayedEpisode(lab, scenario)
    said = data(st.lists(st.just(SILENCE) | messages(scenario), min_size=1, max_size=6))
    for number, message in enumerate(said, 1):
        if not episode.complete:
            _judge_turn(lab, episode, number, episode.take(message))


@check("TOK-3")
def silence_reveals_nothing(lab: Lab, data: DrawExample) -> None:
    """A conversation in which silence follows has discovered no more than without it."""
    scenario = data(
        lab.scenarios_with(lambda one: "discovery" in names_of(lab, one), "in which there is anything to discover")
    )
    conversation = data(conversations(scenario))
    silent = [*conversation, *[persona("Hello?"), SILENCE] * data(st.integers(1, 3))]
    before, after = (scored(lab, scenario, given, {"discovery": 1})["scores"] for given in (conversation, silent))
    lab.expect("TOK-3", after == before, f"what was discovered without silence, {shown(before)}", after)


def _judge_turn(lab: Lab, episode: PlayedEpisode, number: int, answer: dict[str, object]) -> None:
    lab.expect("TOK-1", answer["turn"] == number, f"turn {number}, silence counted", answer["turn"])
    heard = episode.transcript[-1]["content"]
    lab.expect("TOK-3", not CONTEXT.search(heard), "neither the token nor the days that pass", heard)
