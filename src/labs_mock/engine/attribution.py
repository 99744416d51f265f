"""Who spoke: the operator's turns in what a client submits (EP-7, EP-8)."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress, groupby, islice
from operator import not_
from typing import NamedTuple

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message
from labs_mock.contract.tokens import LONGEST_CUT, has_leaked_markup, is_near_miss
from labs_mock.contract.wording import NO_OPERATOR_MESSAGE
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import BadRequest


class Attributed(NamedTuple):
    """The operator's turns, and the findings about who spoke."""

    turns: list[Turn]
    findings: list[Finding]


Run = tuple[list[Message], Message | None]
"""Messages in a row that may be the operator's, and the message behind them, which is not."""


# One turn of an episode


def new_turn(player: Player, transcript: Sequence[TranscriptLine], submitted: Sequence[Message]) -> Attributed:
    """The one new turn in a submission to an episode (EP-7). Raises `BadRequest` if there is none.

    `transcript` starts with the opening and ends with the latest observation.
    """
    contents, by_operator, _ = zip(*transcript, strict=True)
    lines = player.all_normalised(contents)
    persona = frozenset(compress(lines, map(not_, by_operator)))
    messages = _without_prompts(player, persona, submitted)
    texts = player.all_normalised([message["content"] for message in messages])
    after_latest = _after_latest_observation(lines[-1], texts, messages)
    if texts == lines or (after_latest is None and texts == lines[-len(texts) :]):
        raise BadRequest(NO_OPERATOR_MESSAGE)  # the transcript or its end; a line that is repeated makes nothing new

    start = _shared_length(transcript, lines, texts) if after_latest is None else after_latest
    if after_latest is None and messages and start == len(messages) and messages[-1]["role"] == "assistant":
        start -= 1
    new = messages[start:]
    runs = _runs(
        new, [one["role"] == "assistant" and text not in persona for one, text in zip(new, texts[start:], strict=True)]
    )
    if not runs and after_latest is not None:
        runs = _runs(new, [one["role"] == "assistant" for one in new])[-1:]
        runs = [(messages[-1:], behind) for messages, behind in runs]
    if not runs:
        raise BadRequest(NO_OPERATOR_MESSAGE)
    turns = _split_runs(player, runs)[0] if len(lines) == 1 else [run for run, _ in runs]
    turn = [message for part in turns for message in part]

    findings = _differences(lines, texts, start)
    if len(turns) > 1:
        findings.append(Finding("split_turn", "messages"))
    return Attributed([turn], findings + _suspicious_messages(submitted, [turn]))


def _without_prompts(player: Player, persona: frozenset[str], submitted: Sequence[Message]) -> list[Message]:
    """The messages without `system` ones, and without `user` messages in front that no persona line equals."""
    messages = [message for message in submitted if message["role"] != "system"]
    prompts = 0
    for message in messages:
        if message["role"] != "user" or player.normalised(message["content"]) in persona:
            break
        prompts += 1
    return messages[prompts:]


def _after_latest_observation(latest: str, texts: list[str], messages: list[Message]) -> int | None:
    """The index behind the last occurrence of the latest observation with an assistant message after it."""
    followed = False
    for index in range(len(texts) - 1, -1, -1):
        if followed and texts[index] == latest:
            return index + 1
        followed = followed or messages[index]["role"] == "assistant"
    return None


def _shared_length(transcript: Sequence[TranscriptLine], lines: list[str], texts: list[str]) -> int:
    """The length of the longest beginning that a submission shares with the transcript.

    A submission that begins at the operator's first message is a history only if it shares a line of the persona, since new
    messages may repeat the operator's earlier ones.
    """
    length = _common_prefix(lines, texts)
    if length:
        return length
    length = _common_prefix(lines[1:], texts)
    return 0 if all(line.operator for line in transcript[1 : 1 + length]) else length


def _common_prefix(lines: list[str], texts: list[str]) -> int:
    length = 0
    while length < min(len(lines), len(texts)) and lines[length] == texts[length]:
        length += 1
    return length


def _differences(lines: list[str], texts: list[str], start: int) -> list[Finding]:
    """How the history in front of what is new differs from the transcript, if it does."""
    history = texts[:start]
    if not history:
        return []
    if texts in (lines[:-1], lines[1:-1]):
        return [Finding("duplicate_turn", "messages")]
    if history.count(lines[0]) > lines.count(lines[0]):
        return [Finding("repeated_opening", "messages")]
    return [Finding("history_diverged", "messages")] if lines[len(lines) - start :] != history else []


# A complete conversation


def operator_turns(player: Player, submitted: Sequence[Message]) -> Attributed:
    """The operator's turns in a complete conversation (EP-8). Raises `BadRequest` if there are none."""
    messages = [message for message in submitted if message["role"] != "system"]
    opening, behind = _opening(player, messages)
    roles = tuple([message["role"] for message in behind])
    by_role = "user" in roles
    findings: list[Finding] = []
    turns: list[Turn]
    if opening is None and not by_role:
        turns = [messages] if messages else []
        findings.append(Finding("unattributable_history", "messages"))
    else:
        turns, recognised = _split_runs(player, _assistant_runs(behind, roles))
        if opening is not None and opening["role"] == "assistant":
            turns = turns if by_role or recognised else [[message] for message in behind[::2]]
            recognised = True
        if recognised:
            findings.append(Finding("all_assistant_history", "messages"))
    if not turns:
        raise BadRequest(NO_OPERATOR_MESSAGE)
    if opening is not None and opening["content"] in [message["content"] for message in behind]:
        findings += _repeated_opening(player, submitted, opening, turns)
    return Attributed(turns, findings + _suspicious_messages(submitted, turns))


def _opening(player: Player, messages: list[Message]) -> tuple[Message | None, list[Message]]:
    """The persona's opening, whatever stands before it, and the messages behind it; all of them where there is none."""
    for index, message in enumerate(messages):
        if message["content"][:1] not in player.no_opening_begins_with and player.is_opening(message["content"]):
            return message, messages[index + 1 :]
    return None, messages


def _repeated_opening(
    player: Player, submitted: Sequence[Message], opening: Message, turns: list[Turn]
) -> list[Finding]:
    """Whether the opening stands, to the letter, more often than the persona has it as an observation.

    Where the opening is a `user` message, an `assistant` message with its text is an operator that repeats the persona.
    """
    copies = [
        index
        for index, message in enumerate(submitted)
        if message["content"] == opening["content"] and message["role"] in ("user", opening["role"])
    ]
    states = accumulate(turns, lambda play, turn: player.fold(play, [turn]), initial=player.start())
    times = [player.normalised(play.observation) for play in states].count(player.scenario.opening)
    return [Finding("repeated_opening", f"messages.{copies[-1]}.content")] if len(copies) > times else []


# Both


def _runs(messages: Iterable[Message], operator: Iterable[bool]) -> list[Run]:
    """The messages that may be the operator's, in runs, which any other message ends."""
    runs: list[Run] = []
    run: list[Message] = []
    for message, may_be_operator in zip(messages, operator, strict=True):
        if may_be_operator:
            run.append(message)
        elif run:
            runs.append((run, message))
            run = []
    if run:
        runs.append((run, None))
    return runs


def _assistant_runs(messages: list[Message], roles: tuple[str, ...]) -> list[Run]:
    """The messages with the role `assistant`, in runs."""
    last = len(messages)
    return [(messages[start:end], messages[end] if end < last else None) for start, end in _places_of_assistants(roles)]


@lru_cache(maxsize=256)
def _places_of_assistants(roles: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where runs of assistants begin and end: most conversations take turns, and differ in their lengths alone."""
    runs = [(role, len(list(run))) for role, run in groupby(roles)]
    ends = accumulate(length for _, length in runs)
    return [(end - length, end) for (role, length), end in zip(runs, ends, strict=True) if role == "assistant"]


def _split_runs(player: Player, runs: Iterable[Run]) -> tuple[list[Turn], bool]:
    """The operator's turns, and whether some message in the runs equals the observation that is due there, and so is the persona's."""
    turns: list[Turn] = []
    play, folded, recognised = player.start(), 0, False
    for messages, behind in runs:
        rest = messages
        while len(rest) > 1:
            play, folded = player.fold(play, turns[folded:]), len(turns)
            index = _observation_index(player, play, rest, behind)
            if index is None:
                break
            turns.append(rest[:index])
            rest, recognised = rest[index + 1 :], True
        if rest:
            turns.append(rest)
    return turns, recognised


def _observation_index(player: Player, play: Play, messages: list[Message], behind: Message | None) -> int | None:
    """The index of the first message that equals the observation after those before it, unless a `user` message behind them does."""
    if play.terminal is not None:
        return None
    quoted = player.normalised(behind["content"]) if behind is not None and behind["role"] == "user" else None
    # Most turns of several messages have two, and where a turn of the first leads may be cached.
    states = chain([player.fold(play, [messages[:1]])], islice(player.grow_turn(play, messages), 1, None))
    for index, (message, after) in enumerate(zip(messages[1:], states, strict=False), 1):
        text = player.normalised(message["content"])
        if text != quoted and text == player.normalised(after.observation):
            return index
    return None


def _suspicious_messages(submitted: Sequence[Message], turns: list[Turn]) -> list[Finding]:
    """Findings of messages that were probably not meant so: a near miss of the token, marks of a chat template, calls of a `user`."""
    texts = [message["content"] for message in submitted]
    whole = "\n".join(texts)
    suspects: set[int] = set()  # of most conversations none
    if "<" in whole or "[" in whole:
        suspects.update(index for index, text in enumerate(texts) if "<" in text or "[" in text)
    if min(map(len, texts)) <= LONGEST_CUT:
        short = [index for index, text in enumerate(texts) if len(text) <= LONGEST_CUT]
        suspects.update(index for index in short if submitted[index]["role"] == "assistant")
    if max(map(len, submitted)) > 2:
        suspects.update(index for index, message in enumerate(submitted) if message.get("tool_calls"))
    operators = {id(message) for turn in turns for message in turn} if suspects else ()
    findings = []
    for index in sorted(suspects):
        message, place = submitted[index], f"messages.{index}"
        if message.get("tool_calls") and message["role"] != "assistant":
            findings.append(Finding("tool_calls_of_user", f"{place}.tool_calls"))
        if message["role"] == "assistant" and is_near_miss(message["content"]):
            findings.append(Finding("near_miss_token", f"{place}.content"))
        if id(message) in operators and has_leaked_markup(message["content"]):
            findings.append(Finding("leaked_markup", f"{place}.content"))
    return findings
