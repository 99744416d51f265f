"""The messages of a conversation by turns, as pages show them: who said what, and each tool call with what is wrong with it."""

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from labs_mock.contract.requests import Message, RewardConfig, ToolCall
from labs_mock.engine.player import Player, Turn
from labs_mock.engine.turn_results import TurnResult
from labs_mock.redaction import Redact
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.episode import Episode

MAX_INPUT = 20_000  # characters of a tool call's input that are looked at
MAX_CALLS = 10  # of one message


class ShownCall(NamedTuple):
    """A tool call; `problem` is the place in it and the reason where it is invalid, None for a valid one (EP-12)."""

    name: str
    kind: str
    input: str
    problem: tuple[str, str] | None


class Submitted(NamedTuple):
    """A conversation that a request gave whole, and the weights that it gave with it."""

    messages: Sequence[Message]
    config: RewardConfig | None = None


class ChatLine(NamedTuple):
    """A message; the `speaker` is operator, persona or system, and `note` says what else there is to know about it.

    `more_calls` are those that are not shown.
    """

    speaker: str
    text: str
    calls: tuple[ShownCall, ...] = ()
    more_calls: int = 0
    note: str = ""


def episode_lines(scenario: Scenario, episode: Episode, turns: Sequence[Turn], redact: Redact) -> list[list[ChatLine]]:
    """The transcript of an episode, whose turns these are, by turns: the opening first, then each with its observation."""
    observed = [ChatLine("persona", redact(one.content)) for one in episode.transcript if not one.operator]
    spoken = [[_operator_line(scenario, message, redact) for message in turn] for turn in turns]
    return [observed[:1], *([*lines, *observed[place + 1 : place + 2]] for place, lines in enumerate(spoken))]


def submitted_lines(
    player: Player, messages: Sequence[Message], turns: Sequence[Turn], results: Sequence[TurnResult], redact: Redact
) -> list[list[ChatLine]]:
    """The messages by turns, each persona's line with what the scenario's persona says at that place, if that is another."""
    first = {id(turn[0]): number for number, turn in enumerate(turns, 1)}
    operators = {id(message) for turn in turns for message in turn}
    groups: list[list[ChatLine]] = [[]]
    answered = True  # whether the persona has spoken behind the turn
    for message in messages:
        if id(message) in operators:
            if id(message) in first:
                _add_answer(groups, results, answered, redact)
                groups.append([])
                answered = False
            groups[-1].append(_operator_line(player.scenario, message, redact))
        elif message["role"] == "system":
            groups[-1].append(ChatLine("system", redact(message["content"])))
        else:
            note = f"sent as {message['role']}"
            place = len(groups) - 2
            if not answered and 0 <= place < len(results):
                answered = player.normalised(message["content"]) == player.normalised(results[place].play.observation)
                note += "" if answered else "; the scenario's persona says something else here"
            groups[-1].append(ChatLine("persona", redact(message["content"]), note=note))
    _add_answer(groups, results, answered, redact)
    return groups


def _add_answer(groups: list[list[ChatLine]], results: Sequence[TurnResult], answered: bool, redact: Redact) -> None:
    """What the scenario's persona says behind the last turn so far, where it was not sent."""
    place = len(groups) - 2
    if not answered and 0 <= place < len(results):
        said = redact(results[place].play.observation)
        groups[-1].append(ChatLine("persona", said, note="not in the request: what the scenario's persona says here"))


def _operator_line(scenario: Scenario, message: Message, redact: Redact) -> ChatLine:
    calls = message.get("tool_calls") or []
    shown = tuple(_call(scenario, call, redact) for call in calls[:MAX_CALLS])
    return ChatLine("operator", redact(message["content"]), shown, len(calls) - len(shown))


def _call(scenario: Scenario, call: ToolCall, redact: Redact) -> ShownCall:
    text = orjson.dumps(call.input, option=orjson.OPT_INDENT_2).decode()[:MAX_INPUT]
    problem = scenario.call_problem(call.name, call.type, call.input)
    reason = None if problem is None else (redact(problem[0]), redact(problem[1]))
    return ShownCall(redact(call.name), redact(call.type), redact(text), reason)


def plain_lines(messages: Sequence[Message], redact: Redact) -> list[ChatLine]:
    """Messages by their roles alone."""
    return [
        ChatLine("operator" if one["role"] == "assistant" else one["role"], redact(one["content"])) for one in messages
    ]
