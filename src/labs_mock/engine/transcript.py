"""An episode's transcript as plain data, and the turns in it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from labs_mock.contract.requests import Message, ToolCall


class TranscriptLine(NamedTuple):
    """One message of an episode's transcript; `calls` is a JSON list of its tool calls, empty where there are none."""

    content: str
    operator: bool
    calls: bytes = b""


def transcript_line(message: Message) -> TranscriptLine:
    """A message of the operator as the transcript stores it."""
    tool_calls = message.get("tool_calls")
    calls = orjson.dumps([call.model_dump() for call in tool_calls]) if tool_calls else b""
    return TranscriptLine(message["content"], True, calls)


def turns_of(transcript: Iterable[TranscriptLine]) -> Iterator[list[Message]]:
    """The operator's turns in a transcript; a line of the persona ends each of them."""
    turn: list[Message] = []
    for line in transcript:
        if line.operator:
            turn.append(_message(line))
        elif turn:
            yield turn
            turn = []


def _message(line: TranscriptLine) -> Message:
    """The message of a stored line; nothing is validated again."""
    if not line.calls:
        return {"role": "assistant", "content": line.content}
    calls = [ToolCall.model_construct(**call) for call in orjson.loads(line.calls)]
    return {"role": "assistant", "content": line.content, "tool_calls": calls}
