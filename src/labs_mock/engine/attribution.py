"""Who said what: the operator's turns in what a client submits (EP-7, EP-8)."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from labs_mock.contract.findings import Finding
from labs_mock.contract.models import Message
from labs_mock.contract.tokens import NEAR_MISS, is_near_miss
from labs_mock.contract.wording import NO_OPERATOR_MESSAGE
from labs_mock.engine.play import Player, Turn
from labs_mock.errors import BadRequest


class Line(NamedTuple):
    """One message of an episode's transcript."""

    content: str
    operator: bool


class Attributed(NamedTuple):
    """The operator's turns, and what was noticed."""

    turns: list[Turn]
    findings: list[Finding]


def new_turn(player: Player, transcript: Sequence[Line], submitted: Sequence[Message]) -> Attributed:
    """The one new turn in a submission to an episode (EP-7). Raises `BadRequest` if there is none.

    `transcript` starts with the opening and ends with the latest observation.
    """
    messages = [message for message in submitted if message.role != "system"]
    lines = [player.text(line.content) for line in transcript]
    said = [player.text(message.content) for message in messages]
    findings: list[Finding] = []
    if said == lines:  # also where a line that the persona repeats would make an old turn look new
        raise BadRequest(NO_OPERATOR_MESSAGE)

    answered = _after_latest_observation(lines[-1], said, messages)
    start = _common_prefix(lines, said) if answered is None else answered
    if answered is None and messages and start == len(messages) and messages[-1].role == "assistant":
        start -= 1
    if said == lines[:-1]:
        findings.append(Finding("duplicate_turn", "messages"))
    elif lines[len(lines) - start :] != said[:start]:
        findings.append(Finding("history_diverged", "messages"))

    persona = {text for text, line in zip(lines, transcript, strict=True) if not line.operator}
    runs = _runs(messages[start:], [text in persona for text in said[start:]])
    if not runs and answered is not None:
        runs = [[message for message in messages[start:] if message.role == "assistant"][-1:]]
    if not runs:
        raise BadRequest(NO_OPERATOR_MESSAGE)
    if len(runs) > 1:
        findings.append(Finding("split_turn", "messages"))
    turn = [message for run in runs for message in run]
    return Attributed([turn], findings + near_misses(submitted))


def conversation(player: Player, submitted: Sequence[Message]) -> Attributed:
    """The operator's turns in a conversation given whole (EP-8). Raises `BadRequest` if there are none."""
    findings = near_misses(submitted)
    roles = [message.role for message in submitted]
    messages = [message for message in submitted if message.role != "system"] if "system" in roles else list(submitted)
    turns: list[Turn]
    if "user" in roles:
        turns = [list(run) for role, run in groupby(messages, attrgetter("role")) if role == "assistant"]
    elif messages and player.text(messages[0].content) == player.scenario.opening:
        findings.append(Finding("all_assistant_history", "messages"))
        turns = _played(player, messages[1:]) or [[message] for message in messages[1::2]]
    else:
        if messages:
            findings.append(Finding("unattributable_history", "messages"))
        turns = [messages] if messages else []
    if not turns:
        raise BadRequest(NO_OPERATOR_MESSAGE)
    return Attributed(turns, findings)


def near_misses(messages: Sequence[Message]) -> list[Finding]:
    """Assistant messages that were probably meant to be `<no_response/>` (TOK-1)."""
    if not [message for message in messages if len(message.content) <= NEAR_MISS]:
        return []
    return [
        Finding("near_miss_token", f"messages.{index}.content")
        for index, message in enumerate(messages)
        if message.role == "assistant" and is_near_miss(message.content)
    ]


def _played(player: Player, messages: list[Message]) -> list[Turn]:
    """The operator's turns where both speak as `assistant`; none if no message is what the persona says there."""
    play, start = player.start(), 0
    turns: list[Turn] = []
    while start < len(messages) and play.terminal is None:
        for end, after in enumerate(player.growing(play, messages[start:]), start + 1):
            if end < len(messages) and player.text(after.observation) == player.text(messages[end].content):
                turns.append(messages[start:end])
                play, start = after, end + 1
                break
        else:
            break
    if start == 0 and len(messages) > 1:
        return []
    return turns if start == len(messages) else [*turns, messages[start:]]


def _after_latest_observation(latest: str, said: list[str], messages: list[Message]) -> int | None:
    """The index behind the last occurrence of the latest observation with an assistant message after it."""
    answered = False
    for index in range(len(said) - 1, -1, -1):
        if answered and said[index] == latest:
            return index + 1
        answered = answered or messages[index].role == "assistant"
    return None


def _common_prefix(lines: list[str], said: list[str]) -> int:
    length = 0
    while length < min(len(lines), len(said)) and lines[length] == said[length]:
        length += 1
    return length


def _runs(messages: list[Message], persona: list[bool]) -> list[list[Message]]:
    """The operator's messages in runs, which a message of anybody else ends."""
    runs: list[list[Message]] = []
    running = False
    for message, is_persona in zip(messages, persona, strict=True):
        operator = message.role == "assistant" and not is_persona
        if operator and running:
            runs[-1].append(message)
        elif operator:
            runs.append([message])
        running = operator
    return runs
