"""Which messages are the persona's and which the operator's, in histories of every convention (EP-7, EP-8)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.played_episode import PlayedEpisode, repeatable, repeats
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    after_earning,
    comparable,
    contents,
    messages,
    operator,
    persona,
    turns,
)
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import Skip
from labs_mock.conformance.worked_histories import (
    CONVENTIONS,
    SPELLINGS,
    SYSTEM,
    TASK,
    WORKED,
    History,
    Lines,
    as_assistant,
)
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.text import normalise

SCENARIOS = 3  # in which all worked histories are tried
TEXTS = (
    ("Hello, how are you?", NO_RESPONSE),
    ("Tell me what happened.", "How do you feel about it? Are you worried?"),
)
"""The operator's first and second message; the reply to silence is unlike that to anything beside it."""

DIALOGUES = ((SENTENCES[1], SENTENCES[4]), (NO_RESPONSE, NO_RESPONSE))
"""The operator's messages of a whole episode; among silence a line of the persona would be the only word."""


@check("EP-7")
def the_worked_histories_mean_what_the_contract_says(target: Target) -> None:
    """After the same first turn, a history gets the turn, observation and reward of the new message alone."""
    scenarios = [one for one in target.every_scenario[:SCENARIOS] if repeats(target, one)]
    if not scenarios:
        raise Skip("no scenario in which the same turns get the same responses twice")
    cases = [(scenario, texts, history) for scenario in scenarios for texts in TEXTS for history in WORKED]
    for scenario, texts, history in target.each(cases):
        _check_worked(target, scenario, history, *texts)


@check("EP-7")
def both_documented_forms_are_accepted(target: Target) -> None:
    """Behind a first turn, the new message alone and the full history are a turn each."""
    for scenario in target.each(target.every_scenario[:SCENARIOS]):
        for whole in (False, True):
            episode = PlayedEpisode(target, scenario)
            episode.take(operator("Hello, how are you?"))
            if not episode.complete:
                submitted = [*(as_assistant(episode.transcript) if whole else []), operator("Tell me what happened.")]
                why = "the full history" if whole else "the new message alone"
                target.expect_status(episode.submit(submitted), 200, "EP-7", inferred=False, why=why)


@check("EP-7")
def a_history_in_any_convention_is_one_turn(target: Target, draw: Draw) -> None:
    """After some turns, the full history, the last exchange and the new message alone get the same response."""
    scenario = draw(repeatable(target))
    episode, twin = PlayedEpisode(target, scenario), PlayedEpisode(target, scenario)
    for message in draw(turns(scenario, 3)):
        if not episode.complete:
            episode.take(message)
            twin.take(message)
    new = draw(messages(scenario))
    if episode.complete or normalise(new["content"]) in episode.lines:
        return  # a line of the persona is read as the persona's
    written = draw(st.sampled_from(CONVENTIONS))(episode.transcript)
    one, response = comparable(episode.take(new)), twin.submit([*written, new])
    target.expect_status(response, 200, "EP-7", inferred=True, why="a new message behind a history")
    seen = comparable(response.json)
    target.expect("EP-7", seen == one, f"the response to the new message alone, {shown(one)}", seen, inferred=True)


@check("EP-7")
def an_earlier_history_is_one_turn_of_a_new_episode(target: Target) -> None:
    """However it is spelled, the operator's messages in it are one turn, and the persona's are left out."""
    scenarios = [one for one in target.every_scenario[:SCENARIOS] if repeats(target, one)]
    for scenario, texts in target.each([(scenario, texts) for scenario in scenarios for texts in DIALOGUES]):
        earlier, episode = _two_turns(target, scenario, texts), PlayedEpisode(target, scenario)
        operators = [message for message in earlier.transcript if message["role"] == "assistant"]
        if not _is_unambiguous(earlier):
            continue
        one = comparable(episode.take(*operators))
        for what, spell in SPELLINGS:
            response = PlayedEpisode(target, scenario).submit(spell(earlier.transcript))
            target.expect_status(response, 200, "EP-7", inferred=True, why=f"an earlier history: {what}")
            expected = f"an earlier history, {what}: the response to all of its operator's messages, {shown(one)}"
            target.expect("EP-7", comparable(response.json) == one, expected, comparable(response.json), inferred=True)


@check("EP-7")
def a_turn_without_the_operator_is_refused(target: Target) -> None:
    """Where no message is of the operator's role, the request alone decides it."""
    episode = PlayedEpisode(target, target.every_scenario[0])
    opening = episode.transcript[0]
    for submitted in target.each(([], [opening], [SYSTEM], [SYSTEM, opening, opening])):
        target.expect_status(
            episode.submit(submitted, limited=False), 400, "EP-7", inferred=True, why="no message of the operator"
        )


@check("EP-8")
def one_dialogue_has_one_reward_in_every_spelling(target: Target) -> None:
    """Prompts in front, and the role or the words of the persona's lines, change nothing."""
    scenarios = [one for one in target.every_scenario if repeats(target, one)]
    for scenario, texts in target.each([(scenario, texts) for scenario in scenarios for texts in DIALOGUES]):
        episode = _two_turns(target, scenario, texts)
        for what, spell in SPELLINGS if _is_unambiguous(episode) else ():
            _alike(target, scenario, episode.transcript, spell(episode.transcript), what)


@check("EP-8")
def a_dialogue_in_any_spelling_is_read_by_what_the_persona_says(target: Target, draw: Draw) -> None:
    """A played conversation is scored as the one in which the persona is `user`."""
    scenario = draw(repeatable(target))
    episode = PlayedEpisode(target, scenario)
    drawn = draw(st.lists(st.lists(messages(scenario), min_size=1, max_size=3), min_size=1, max_size=4))
    for turn in [*([message] for message in after_earning(scenario)), *drawn]:
        if not episode.complete:
            episode.take(*turn)
    if _is_unambiguous(episode):
        # Without its last observation only if another one is left that shows who the persona is.
        left = len([message for message in episode.transcript[:-1] if message["role"] == "user"])
        end = draw(st.sampled_from([None, -1])) if left > 1 else None
        what, spell = draw(st.sampled_from(SPELLINGS))
        _alike(target, scenario, episode.transcript[:end], spell(episode.transcript[:end]), what)


@check("EP-8")
def a_turn_of_two_messages_is_no_two_turns(target: Target) -> None:
    """In a played history of assistants nobody takes turns message by message."""
    for scenario in target.each([one for one in target.every_scenario if repeats(target, one)]):
        episode = PlayedEpisode(target, scenario)
        episode.take(operator(SENTENCES[0]), operator(" ".join(SENTENCES)))
        if _is_unambiguous(episode):
            _alike(target, scenario, episode.transcript, as_assistant(episode.transcript), "the persona as `assistant`")


@check("EP-8")
def a_foreign_history_of_assistants_takes_turns(target: Target, draw: Draw) -> None:
    """Behind the opening, where no line is the persona's, persona and operator alternate."""
    scenario = draw(_with_opening(target))
    texts = draw(st.lists(contents(scenario), min_size=2, max_size=4))
    foreign = [persona(scenario.opening)]
    for content in texts:
        foreign += [operator(content), persona("The seal on the crate is still warm.")]
    if len({*map(normalise, texts)} & {normalise(scenario.opening)}) == 0:
        _alike(target, scenario, foreign[:-1], as_assistant(foreign[:-1]), "taking turns")


@check("EP-8")
def assistants_without_the_opening_are_the_operator(target: Target, draw: Draw) -> None:
    """Where there is neither the opening nor a `user` message, all are the operator's, in one turn."""
    scenario = draw(_with_opening(target))
    alone = [operator(one) for one in draw(st.lists(contents(scenario), min_size=1, max_size=3))]
    if normalise(scenario.opening) not in [normalise(message["content"]) for message in alone]:
        _alike(target, scenario, [persona(scenario.opening), *alone], alone, "the operator alone")


@check("EP-8")
def what_is_in_front_of_the_opening_does_not_count(target: Target) -> None:
    """Not even what an `assistant` says there."""
    for scenario in target.each([one for one in target.every_scenario if one.opening]):
        conversation = [persona(scenario.opening), operator(SENTENCES[1])]
        in_front = [TASK, *(operator(one) for one in (*SENTENCES, *PROVOCATIONS))]
        _alike(target, scenario, conversation, [*in_front, *conversation], "an example in front of the opening")


def _check_worked(target: Target, scenario: OfferedScenario, history: History, a1: str, a2: str) -> None:
    episode, twin = PlayedEpisode(target, scenario), PlayedEpisode(target, scenario)
    p0 = episode.transcript[0]["content"]
    p1 = episode.take(operator(a1))["observation"]["content"]
    if episode.complete or normalise(p0) == normalise(p1) or normalise(a2) in episode.lines:
        return  # the contract's histories have four lines that differ
    twin.take(operator(a1))
    lines = Lines(p0, a1, p1, a2)
    if history.alike is None:
        response = twin.submit(history.messages(lines), limited=True)
        target.expect_status(response, 400, "EP-7", inferred=True, why=history.what)
        return
    response = twin.submit(history.messages(lines))
    target.expect_status(response, 200, "EP-7", inferred=not history.documented, why=history.what)
    one, other = comparable(target.turn(episode.id, history.alike(lines))), comparable(response.json)
    target.expect(
        "EP-7", other == one, f"{history.what}: the response to the new message, {shown(one)}", other, inferred=True
    )


def _two_turns(target: Target, scenario: OfferedScenario, texts: tuple[str, str]) -> PlayedEpisode:
    """An episode of two turns, if it does not end before."""
    episode = PlayedEpisode(target, scenario)
    for text in texts:
        if not episode.complete:
            episode.take(operator(text))
    return episode


def _is_unambiguous(episode: PlayedEpisode) -> bool:
    """Whether no message of the operator equals one of the persona, and the persona's first and last line stand only there."""
    own = {normalise(message["content"]) for message in episode.transcript if message["role"] == "assistant"}
    lines = [normalise(message["content"]) for message in episode.transcript if message["role"] == "user"]
    return not own & episode.lines and lines[0] not in lines[1:] and lines[-1] not in lines[:-1]


def _alike(target: Target, scenario: OfferedScenario, plain: list[Json], history: list[Json], what: str) -> None:
    """Check that a conversation gets what it gets where the persona is `user`."""
    one, other = (comparable(target.evaluate(scenario, messages)) for messages in (plain, history))
    target.expect("EP-8", other == one, f"{what}: the response where the persona is `user`, {shown(one)}", other)


def _with_opening(target: Target) -> st.SearchStrategy[OfferedScenario]:
    return target.scenarios_with(lambda one: one.opening, "has a known opening")
