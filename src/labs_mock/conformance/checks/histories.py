"""Who said what: histories in every convention (EP-7, EP-8)."""

from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.episode import PlayedEpisode, repeatable, repeats
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    behind_talk,
    contents,
    messages,
    operator,
    persona,
    turns,
    without,
)
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.conformance.violations import Skip
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.text import normalise

SCENARIOS = 3  # in which all worked histories are tried
SYSTEM = {"role": "system", "content": "You are a kind and patient case manager."}
TASK = persona("Talk to this person, please.")  # a prompt that a client puts in front
OTHER = persona("(the other one speaks)")
TEXTS = (
    ("Hello, how are you?", NO_RESPONSE),
    ("Tell me what happened.", "How do you feel about it? Are you worried?"),
)
"""What the operator says first and then; silence is answered unlike anything that stands beside it."""


DIALOGUES = ((SENTENCES[1], SENTENCES[4]), (NO_RESPONSE, NO_RESPONSE))
"""What an operator says in a whole episode; among silence a line of the persona would be the only word."""


class Said(NamedTuple):
    """An opening, the operator's first message, the observation after it, and what the operator says next."""

    p0: str
    a1: str
    p1: str
    a2: str


class History(NamedTuple):
    """A way to submit a turn; `alike` is the plainest one that means the same, none where nothing is new."""

    what: str
    messages: Callable[[Said], list[Json]]
    alike: Callable[[Said], list[Json]] | None
    documented: bool = False


def _new(said: Said) -> list[Json]:
    return [operator(said.a2)]


WORKED = (
    History("new messages only", _new, _new, documented=True),
    History("the last exchange", lambda said: [operator(said.p1), operator(said.a2)], _new),
    History(
        "the full history, the persona as `assistant`",
        lambda said: [operator(said.p0), operator(said.a1), operator(said.p1), operator(said.a2)],
        _new,
        documented=True,
    ),
    History(
        "the full history, the persona as `user`",
        lambda said: [persona(said.p0), operator(said.a1), persona(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "a system prompt in front",
        lambda said: [SYSTEM, operator(said.p0), operator(said.a1), operator(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "a task prompt in front, the persona as `user`",
        lambda said: [TASK, persona(said.p0), operator(said.a1), persona(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "a task prompt in front, the persona as `assistant`",
        lambda said: [TASK, operator(said.p0), operator(said.a1), operator(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "a history that begins at the operator's first message",
        lambda said: [operator(said.a1), persona(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "an edited history",
        lambda said: [operator(said.p0), operator(f"{said.a1} And so on."), operator(said.p1), operator(said.a2)],
        _new,
    ),
    History(
        "the observation dropped",
        lambda said: [operator(said.p0), operator(said.a1), operator(said.a2)],
        _new,
    ),
    History(
        "the same turn again",
        lambda said: [operator(said.p0), operator(said.a1)],
        lambda said: [operator(said.a1)],
    ),
    History(
        "a history in other letters and spaces",
        lambda said: [*(operator(f" {line.upper()} ") for line in (said.p0, said.a1, said.p1)), operator(said.a2)],
        _new,
    ),
    History(
        "nothing new, the persona as `user`",
        lambda said: [operator(said.p0), operator(said.a1), persona(said.p1)],
        None,
    ),
    History(
        "nothing new, the persona as `assistant`",
        lambda said: [operator(said.p0), operator(said.a1), operator(said.p1)],
        None,
    ),
    History(
        "nothing new behind a task prompt",
        lambda said: [TASK, persona(said.p0), operator(said.a1), persona(said.p1)],
        None,
    ),
    History(
        "nothing new in a history that begins at the operator's first message",
        lambda said: [operator(said.a1), operator(said.p1)],
        None,
    ),
    History(
        "an earlier line of the persona behind the new message",
        lambda said: [operator(said.p1), operator(said.a2), operator(said.p0)],
        _new,
    ),
    History(
        "the operator repeats the persona",
        lambda said: [operator(said.p0), operator(said.a1), operator(said.p1), operator(said.p1)],
        lambda said: [persona(said.p1), operator(said.p1)],
    ),
)
"""The histories of the contract and a few more, each after `[p0, a1, p1]`."""


def _as_assistant(transcript: list[Json]) -> list[Json]:
    return [{**message, "role": "assistant"} for message in transcript]


def _separated(transcript: list[Json]) -> list[Json]:
    return [TASK, *(OTHER if message["role"] == "user" else message for message in transcript[1:])]


Spelling = tuple[str, Callable[[list[Json]], list[Json]]]

SPELLINGS: tuple[Spelling, ...] = (
    ("the persona as `user`", lambda transcript: transcript),
    ("the persona as `assistant`", _as_assistant),
    ("a system prompt, the persona as `user`", lambda transcript: [SYSTEM, *transcript]),
    ("a system prompt, the persona as `assistant`", lambda transcript: [SYSTEM, *_as_assistant(transcript)]),
    ("a task prompt, the persona as `user`", lambda transcript: [TASK, *transcript]),
    ("a task prompt, the persona as `assistant`", lambda transcript: [TASK, *_as_assistant(transcript)]),
    ("two prompts, the persona as `user`", lambda transcript: [SYSTEM, TASK, *transcript]),
    ("two prompts, the persona as `assistant`", lambda transcript: [SYSTEM, TASK, *_as_assistant(transcript)]),
    ("only the opening as `user`", lambda transcript: [transcript[0], *_as_assistant(transcript[1:])]),
    ("only the opening as `assistant`", lambda transcript: [*_as_assistant(transcript[:1]), *transcript[1:]]),
    ("only the last line as `user`", lambda transcript: [*_as_assistant(transcript[:-1]), transcript[-1]]),
    ("other `user` text for the persona's lines", _separated),
    ("without the opening", lambda transcript: transcript[1:]),
)
"""The contract's spellings of one dialogue, of its transcript in which the persona is `user`."""


def _spaced(content: str) -> str:
    """The same text as it is compared: white space and case do not count."""
    return f"\n{content}  ".replace(" ", "  ").replace("I", "i")


CONVENTIONS: tuple[Callable[[list[Json]], list[Json]], ...] = (  # how a transcript may be written
    lambda transcript: transcript,
    lambda transcript: [SYSTEM, *transcript],
    _as_assistant,
    lambda transcript: [SYSTEM, *_as_assistant(transcript)],
    lambda transcript: transcript[-1:],
    lambda transcript: _as_assistant(transcript[-1:]),
    lambda transcript: [{**message, "content": _spaced(message["content"])} for message in transcript],
)


@check("EP-7")
def the_worked_histories_mean_what_the_contract_says(lab: Lab) -> None:
    """After the same first turn, a history gets the turn, observation and reward of the new message alone."""
    scenarios = [one for one in lab.every_scenario[:SCENARIOS] if repeats(lab, one)]
    if not scenarios:
        raise Skip("no scenario in which the same turns get the same answers twice")
    cases = [(scenario, texts, history) for scenario in scenarios for texts in TEXTS for history in WORKED]
    for scenario, texts, history in lab.each(cases):
        _judge_worked(lab, scenario, history, *texts)


@check("EP-7")
def both_documented_forms_are_accepted(lab: Lab) -> None:
    """Behind a first turn, the new message alone and the full history are a turn each."""
    for scenario in lab.each(lab.every_scenario[:SCENARIOS]):
        for whole in (False, True):
            episode = PlayedEpisode(lab, scenario)
            episode.take(operator("Hello, how are you?"))
            if not episode.complete:
                said = [*(_as_assistant(episode.transcript) if whole else []), operator("Tell me what happened.")]
                why = "the full history" if whole else "the new message alone"
                lab.refused(episode.submit(said), 200, "EP-7", inferred=False, why=why)


@check("EP-7")
def a_history_in_any_convention_is_one_turn(lab: Lab, data: DrawExample) -> None:
    """After some turns, the full history, the last exchange and the new message alone get the same answer."""
    scenario = data(repeatable(lab))
    episode, twin = PlayedEpisode(lab, scenario), PlayedEpisode(lab, scenario)
    for message in data(turns(scenario, 3)):
        if not episode.complete:
            episode.take(message)
            twin.take(message)
    new = data(messages(scenario))
    if episode.complete or normalise(new["content"]) in episode.lines:
        return  # a line of the persona is read as the persona's
    written = data(st.sampled_from(CONVENTIONS))(episode.transcript)
    one, sent = without(episode.take(new)), twin.submit([*written, new])
    lab.refused(sent, 200, "EP-7", inferred=True, why="a new message behind a history")
    seen = without(sent.json)
    lab.expect("EP-7", seen == one, f"the answer to the new message alone, {shown(one)}", seen, inferred=True)


@check("EP-7")
def an_earlier_history_is_one_turn_of_a_new_episode(lab: Lab) -> None:
    """However it is spelled, what the operator said in it is one turn, and what the persona said is left out."""
    scenarios = [one for one in lab.every_scenario[:SCENARIOS] if repeats(lab, one)]
    for scenario, texts in lab.each([(scenario, texts) for scenario in scenarios for texts in DIALOGUES]):
        earlier, episode = _two_turns(lab, scenario, texts), PlayedEpisode(lab, scenario)
        operators = [message for message in earlier.transcript if message["role"] == "assistant"]
        if not _can_be_told(earlier):
            continue
        one = without(episode.take(*operators))
        for what, spell in SPELLINGS:
            sent = PlayedEpisode(lab, scenario).submit(spell(earlier.transcript))
            lab.refused(sent, 200, "EP-7", inferred=True, why=f"an earlier history: {what}")
            expected = f"an earlier history, {what}: the answer to all of its operator's messages, {shown(one)}"
            lab.expect("EP-7", without(sent.json) == one, expected, without(sent.json), inferred=True)


@check("EP-7")
def a_turn_without_the_operator_is_refused(lab: Lab) -> None:
    """Where no message is of the operator's role, the request alone decides it."""
    episode = PlayedEpisode(lab, lab.every_scenario[0])
    opening = episode.transcript[0]
    for said in lab.each(([], [opening], [SYSTEM], [SYSTEM, opening, opening])):
        lab.refused(episode.submit(said, limited=False), 400, "EP-7", inferred=True, why="no message of the operator")


@check("EP-8")
def one_dialogue_has_one_reward_in_every_spelling(lab: Lab) -> None:
    """Prompts in front, and the role or the words of the persona's lines, change nothing."""
    scenarios = [one for one in lab.every_scenario if repeats(lab, one)]
    for scenario, texts in lab.each([(scenario, texts) for scenario in scenarios for texts in DIALOGUES]):
        episode = _two_turns(lab, scenario, texts)
        for what, spell in SPELLINGS if _can_be_told(episode) else ():
            _alike(lab, scenario, episode.transcript, spell(episode.transcript), what)


@check("EP-8")
def a_dialogue_in_any_spelling_is_read_by_what_the_persona_says(lab: Lab, data: DrawExample) -> None:
    """A played conversation is judged as the one in which the persona is `user`."""
    scenario = data(repeatable(lab))
    episode = PlayedEpisode(lab, scenario)
    said = data(st.lists(st.lists(messages(scenario), min_size=1, max_size=3), min_size=1, max_size=4))
    for turn in [*([message] for message in behind_talk(scenario)), *said]:
        if not episode.complete:
            episode.take(*turn)
    if _can_be_told(episode):
        # Without its last observation only if another one is left to tell the persona by.
        left = len([message for message in episode.transcript[:-1] if message["role"] == "user"])
        end = data(st.sampled_from([None, -1])) if left > 1 else None
        what, spell = data(st.sampled_from(SPELLINGS))
        _alike(lab, scenario, episode.transcript[:end], spell(episode.transcript[:end]), what)


@check("EP-8")
def a_turn_of_two_messages_is_told_from_two_turns(lab: Lab) -> None:
    """In a played history of assistants nobody takes turns message by message."""
    for scenario in lab.each([one for one in lab.every_scenario if repeats(lab, one)]):
        episode = PlayedEpisode(lab, scenario)
        episode.take(operator(SENTENCES[0]), operator(" ".join(SENTENCES)))
        if _can_be_told(episode):
            _alike(lab, scenario, episode.transcript, _as_assistant(episode.transcript), "the persona as `assistant`")


@check("EP-8")
def a_foreign_history_of_assistants_takes_turns(lab: Lab, data: DrawExample) -> None:
    """Behind the opening, where no line is the persona's, persona and operator alternate."""
    scenario = data(_with_opening(lab))
    said = data(st.lists(contents(scenario), min_size=2, max_size=4))
    foreign = [persona(scenario.opening)]
    for content in said:
        foreign += [operator(content), persona("The seal on the crate is still warm.")]
    if len({*map(normalise, said)} & {normalise(scenario.opening)}) == 0:
        _alike(lab, scenario, foreign[:-1], _as_assistant(foreign[:-1]), "taking turns")


@check("EP-8")
def assistants_without_the_opening_are_the_operator(lab: Lab, data: DrawExample) -> None:
    """Where there is neither the opening nor a `user` message, all are the operator's, in one turn."""
    scenario = data(_with_opening(lab))
    said = [operator(one) for one in data(st.lists(contents(scenario), min_size=1, max_size=3))]
    if normalise(scenario.opening) not in [normalise(message["content"]) for message in said]:
        _alike(lab, scenario, [persona(scenario.opening), *said], said, "the operator alone")


@check("EP-8")
def what_is_in_front_of_the_opening_does_not_count(lab: Lab) -> None:
    """Not even what an `assistant` says there."""
    for scenario in lab.each([one for one in lab.every_scenario if one.opening]):
        conversation = [persona(scenario.opening), operator(SENTENCES[1])]
        in_front = [TASK, *(operator(one) for one in (*SENTENCES, *PROVOCATIONS))]
        _alike(lab, scenario, conversation, [*in_front, *conversation], "an example in front of the opening")


def _judge_worked(lab: Lab, scenario: TargetScenario, history: History, a1: str, a2: str) -> None:
    episode, twin = PlayedEpisode(lab, scenario), PlayedEpisode(lab, scenario)
    p0 = episode.transcript[0]["content"]
    p1 = episode.take(operator(a1))["observation"]["content"]
    if episode.complete or normalise(p0) == normalise(p1) or normalise(a2) in episode.lines:
        return  # the contract's histories have four lines that differ
    twin.take(operator(a1))
    said = Said(p0, a1, p1, a2)
    if history.alike is None:
        sent = twin.submit(history.messages(said), limited=True)
        lab.refused(sent, 400, "EP-7", inferred=True, why=history.what)
        return
    sent = twin.submit(history.messages(said))
    lab.refused(sent, 200, "EP-7", inferred=not history.documented, why=history.what)
    one, other = without(lab.turn(episode.id, history.alike(said))), without(sent.json)
    lab.expect(
        "EP-7", other == one, f"{history.what}: the answer to the new message, {shown(one)}", other, inferred=True
    )


def _two_turns(lab: Lab, scenario: TargetScenario, texts: tuple[str, str]) -> PlayedEpisode:
    """An episode of two turns, if it does not end before."""
    episode = PlayedEpisode(lab, scenario)
    for text in texts:
        if not episode.complete:
            episode.take(operator(text))
    return episode


def _can_be_told(episode: PlayedEpisode) -> bool:
    """Whether the operator says nothing that the persona said, and the persona's first and last line stand only there."""
    said = {normalise(message["content"]) for message in episode.transcript if message["role"] == "assistant"}
    lines = [normalise(message["content"]) for message in episode.transcript if message["role"] == "user"]
    return not said & episode.lines and lines[0] not in lines[1:] and lines[-1] not in lines[:-1]


def _alike(lab: Lab, scenario: TargetScenario, chat: list[Json], history: list[Json], what: str) -> None:
    """Judge that a conversation gets what it gets where the persona is `user`."""
    one, other = (without(lab.evaluate(scenario, messages)) for messages in (chat, history))
    lab.expect("EP-8", other == one, f"{what}: the answer where the persona is `user`, {shown(one)}", other)


def _with_opening(lab: Lab) -> st.SearchStrategy[TargetScenario]:
    return lab.scenarios_with(lambda one: one.opening, "has a known opening")
