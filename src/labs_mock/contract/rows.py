"""Rows of training datasets: their fields, and the bytes of a line (ROW-1…4, TOK-1, TOK-2)."""

from typing import Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticKnownError

from labs_mock.contract.responses import ClosedModel, Reward
from labs_mock.contract.tokens import NO_RESPONSE

Filled = Annotated[str, StringConstraints(min_length=1)]


def _never_null(value: Any) -> Any:
    if value is None:
        raise PydanticKnownError("string_type")
    return value


class RowMessage(ClosedModel):
    """The persona is `user`, the operator `assistant`; `thinking` is the latter's, and absent where there is none."""

    role: Literal["user", "assistant"]
    content: str
    thinking: Annotated[Filled | None, BeforeValidator(_never_null)] = None


class RowMetadata(ClosedModel):
    """`temperature` is at least 0; `quality_score` and `complexity_score` are in [0, 1]; `ifd_score` may be null."""

    temperature: Annotated[float, Field(ge=0)]
    rollout_index: Annotated[int, Field(ge=0, le=2**63 - 1)]
    turn_count: Annotated[int, Field(ge=1)]
    quality_score: Reward
    complexity_score: Reward
    ifd_score: float | None


class Row(ClosedModel):
    """One rollout: a conversation in which `user` begins and the roles take turns (ROW-1, ROW-2)."""

    scenario_id: Filled
    agent_template_id: Filled
    messages: Annotated[list[RowMessage], Field(min_length=2)]
    metadata: RowMetadata

    @property
    def has_thinking(self) -> bool:
        """Whether any of its messages has `thinking`."""
        return any(message.thinking is not None for message in self.messages)

    def line(self) -> bytes:
        """The row as it is exported."""
        return line({**self.model_dump(exclude_none=True), "metadata": self.metadata.model_dump()})


def row_mistakes(row: Row) -> list[str]:
    """What is wrong with a row beyond the types of its fields, each with its place."""
    mistakes = []
    for index, message in enumerate(row.messages):
        role = ("user", "assistant")[index % 2]
        if message.role != role:
            mistakes.append(f"messages.{index}.role: expected '{role}'; roles take turns and 'user' begins")
        if message.role == "user" and message.thinking is not None:
            mistakes.append(f"messages.{index}.thinking: only 'assistant' messages have it")
        if message.role == "user" and NO_RESPONSE in message.content:
            mistakes.append(f"messages.{index}.content: the persona never says {NO_RESPONSE} (TOK-3)")
    spoken = sum(message.role == "assistant" for message in row.messages)
    if row.metadata.turn_count != spoken:
        mistakes.append(f"metadata.turn_count: expected {spoken}, the number of 'assistant' messages")
    return mistakes


_LINE_ENDS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


def line(row: dict[str, Any]) -> bytes:
    """A row as one line, without any character in it that some clients take for the end of a line (ROW-4)."""
    return _escaped(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))


def part(value: Any) -> orjson.Fragment:
    """A part of a row that is encoded once for many rows."""
    return orjson.Fragment(_escaped(orjson.dumps(value)))


def line_of_parts(row: dict[str, Any]) -> bytes:
    """The same line as `line` makes, of a row all of whose texts are parts; to look for the ends of lines takes longer."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _escaped(encoded: bytes) -> bytes:
    for raw, escaped in _LINE_ENDS:
        if raw in encoded:
            encoded = encoded.replace(raw, escaped)
    return encoded
