"""Simulated operators in a scenario file: frozen models, from which the printed JSON Schema comes too."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, StringConstraints, Tag

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.files.fields import FileModel, Id, LongText, Text
from labs_mock.scenario.rules.operators import RuleFile


class Choice(FileModel):
    """A part that is said only when a rule holds over the conversation so far."""

    when: RuleFile
    say: Text | Annotated[list[Text], Field(min_length=1)]


class Call(FileModel):
    """A tool call."""

    call: Id
    input: dict[str, Any]


class Silence(FileModel):
    """Deliberate silence; it is the whole turn."""

    silent: Literal[True]


def _part_kind(value: Any) -> str:
    if isinstance(value, list):
        return "(choices)"
    if not isinstance(value, dict | BaseModel):
        return "(text)"
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "(call)" if "call" in keys else "(silence)" if "silent" in keys else "(choice)"


Part = Annotated[
    Annotated[Text, Tag("(text)")]
    | Annotated[Annotated[list[Text], Field(min_length=1)], Tag("(choices)")]
    | Annotated[Call, Tag("(call)")]
    | Annotated[Silence, Tag("(silence)")]
    | Annotated[Choice, Tag("(choice)")],
    Discriminator(_part_kind),
]


class OperatorTurn(FileModel):
    """One turn of a simulated operator."""

    parts: Annotated[list[Part], Field(min_length=1)]
    thinking: LongText | None = None


def _short_turn(value: Any) -> Any:
    if isinstance(value, str):
        return {"parts": [value]}
    return {"parts": value} if isinstance(value, list) else value


Turn = Annotated[OperatorTurn, BeforeValidator(_short_turn, json_schema_input_type=Text | list[Part] | OperatorTurn)]


class Operator(FileModel):
    """A simulated operator: what it says, one entry a turn."""

    agent_template_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    says: Annotated[list[Turn], Field(min_length=1, max_length=MAX_TURNS)]
