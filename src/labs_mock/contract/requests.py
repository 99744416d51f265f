"""What clients send. Requests are strict; `None` for an optional field equals its absence (GEN-5)."""

from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
    with_config,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import TypedDict

from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS, MAX_MESSAGES, MAX_TOOL_CALLS, MAX_WINDOWS
from labs_mock.contract.windows import Window
from labs_mock.text import utf16_length

Weight = Annotated[float, Field(ge=0, le=1)]


class WireModel(BaseModel):
    """Unknown fields are ignored (GEN-4); no value is converted to another type."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)


# Requests


class ToolCall(WireModel):
    """`input` is checked by the scenario, never refused here (EP-12)."""

    type: str
    name: str
    input: Any


Content = Annotated[
    str,
    # No maxLength: that of JSON Schema counts code points.
    Field(
        description=f"At most {MAX_CONTENT:,} UTF-16 code units, as JavaScript counts: a character beyond U+FFFF is two (EP-9)."
    ),
]


@with_config(strict=True, extra="ignore")
class Message(TypedDict):
    """One message of a conversation (EP-9)."""

    # A dict: it is checked in a third of the time that a model takes, and most of a request is messages.

    role: Literal["user", "assistant", "system"]
    content: Content
    tool_calls: NotRequired[Annotated[list[ToolCall], Field(max_length=MAX_TOOL_CALLS, fail_fast=True)] | None]


def as_json(message: Message) -> dict[str, Any]:
    """A message as JSON has it, without calls where it has none."""
    calls = {"tool_calls": [call.model_dump() for call in message.get("tool_calls") or ()]}
    return {"role": message["role"], "content": message["content"], **(calls if calls["tool_calls"] else {})}


def _check_lengths(messages: list[Message]) -> list[Message]:
    """Raises an error for the first text of too many UTF-16 code units (EP-9); one of half as many characters cannot have them."""
    # Once for all messages: to be called back for each takes as long as all the rest of its validation.
    if max(map(len, map(itemgetter("content"), messages)), default=0) > MAX_CONTENT // 2:
        for index, message in enumerate(messages):
            content = message["content"]
            length = utf16_length(content)
            if length > MAX_CONTENT:
                unit = "" if content.isascii() else " UTF-16 code units, of which characters beyond U+FFFF have two"
                error = PydanticCustomError(
                    "too_many_units", f"expected at most {MAX_CONTENT:,} characters, got {length:,}{unit}"
                )
                place = InitErrorDetails(type=error, loc=(index, "content"), input=content)
                raise ValidationError.from_exception_data("Messages", [place])
    return messages


Messages = Annotated[
    list[Message],
    Field(
        max_length=MAX_MESSAGES,
        fail_fast=True,
        json_schema_extra={"contains": {"properties": {"role": {"const": "assistant"}}}},  # EP-7, EP-8
    ),
    AfterValidator(_check_lengths),
]


class QualityWeights(WireModel):
    """Weights 0..1 a dimension; an omitted one is 0 (RC-1)."""

    model_config = ConfigDict(extra="forbid")


if not TYPE_CHECKING:  # a field for each dimension of the table
    _FIELDS = dict.fromkeys(DIMENSIONS, (Weight | None, None))
    QualityWeights = create_model(
        "QualityWeights", __base__=QualityWeights, __module__=__name__, __doc__=QualityWeights.__doc__, **_FIELDS
    )


class RewardConfig(WireModel):
    """What is scored, and whether the safety gate counts (RC-1, RC-3)."""

    quality_weights: QualityWeights | None = None
    skip_safety_gate: bool | None = None


class CreateEpisode(WireModel):
    """`POST /episodes` (section 3)."""

    collection_slug: str
    scenario_slug: str
    score_turns: bool | None = None
    config: dict[str, Any] | None = None


class TakeTurn(WireModel):
    """`POST /episodes/{id}/turns` (section 3)."""

    id: str | None = None
    messages: Messages
    reward_config: RewardConfig | None = None


class Normalised(WireModel):
    """What an evaluation may be normalised by; windows need a key (NORM-1)."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"properties": {"normalization_windows": {"type": "null"}}},
                {"properties": {"normalization_key": {"type": "string"}}, "required": ["normalization_key"]},
            ]
        }
    )

    normalization_key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    normalization_windows: Annotated[list[Window], Field(max_length=MAX_WINDOWS, fail_fast=True)] | None = None


class Evaluate(Normalised):
    """`POST /evaluate` (EV-1)."""

    collection_slug: str
    scenario_slug: str
    messages: Messages
    reward_config: RewardConfig | None = None


class BatchItem(Normalised):
    """One item of a batch (BAT-1)."""

    id: str
    collection_slug: str
    scenario_slug: str
    messages: Messages


class BatchEvaluate(WireModel):
    """`POST /batch/evaluate`; an item is any object with an id, and each is checked by itself (BAT-2)."""

    items: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=MAX_ITEMS,
            fail_fast=True,
            json_schema_extra={
                "items": {
                    "description": "What is no `BatchItem` gets an error item (BAT-2).",
                    "type": "object",
                    "properties": {"id": {"type": "string"}},
                    "required": ["id"],
                    "anyOf": [{"$ref": "#/components/schemas/BatchItem"}, {}],
                }
            },
        ),
    ]


class ComparedResponse(WireModel):
    """One of two conversations."""

    messages: Messages


class Compare(WireModel):
    """`POST /compare` (CMP-1)."""

    collection_slug: str
    scenario_slug: str
    response_a: ComparedResponse
    response_b: ComparedResponse
