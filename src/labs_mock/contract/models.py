"""The wire models. Requests are strict; `None` for an optional field equals its absence (GEN-5)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS, MAX_MESSAGES, MAX_TOOL_CALLS, MAX_TURNS, MAX_WINDOWS

Weight = Annotated[float, Field(ge=0, le=1)]


class WireModel(BaseModel):
    """Unknown fields are ignored (GEN-4); no value is converted to another type."""

    model_config = ConfigDict(strict=True, extra="ignore")


# Requests


class ToolCall(WireModel):
    """`input` is judged by the scenario, never refused here (EP-12)."""

    type: str
    name: str
    input: Any


class Message(WireModel):
    """One message of a conversation (EP-9)."""

    role: Literal["user", "assistant", "system"]
    content: Annotated[str, StringConstraints(max_length=MAX_CONTENT)]
    tool_calls: Annotated[list[ToolCall], Field(max_length=MAX_TOOL_CALLS, fail_fast=True)] | None = None


Messages = Annotated[list[Message], Field(max_length=MAX_MESSAGES, fail_fast=True)]


class QualityWeights(WireModel):
    """Weights 0..1 a dimension; an omitted one is 0 (RC-1)."""

    model_config = ConfigDict(extra="forbid")

    success_metrics: Weight | None = None
    failure_metrics: Weight | None = None
    best_practices: Weight | None = None
    rubrics: Weight | None = None
    discovery: Weight | None = None
    output_similarity: Weight | None = None
    decision_match: Weight | None = None


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
    """What an evaluation may be normalised by (NORM-1)."""

    normalization_key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    normalization_windows: (
        Annotated[
            list[Annotated[str, StringConstraints(pattern=r"^[0-9]+[dwmn]$", max_length=10)]],
            Field(max_length=MAX_WINDOWS, fail_fast=True),
        ]
        | None
    ) = None


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
    """`POST /batch/evaluate`; each item is judged by itself (BAT-2)."""

    items: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MAX_ITEMS, fail_fast=True)]


class Response(WireModel):
    """One of two conversations."""

    messages: Messages


class Compare(WireModel):
    """`POST /compare` (CMP-1)."""

    collection_slug: str
    scenario_slug: str
    response_a: Response
    response_b: Response


# Responses


class Observation(WireModel):
    """The persona's message; its role is `assistant` (EP-1, EP-4)."""

    role: Literal["assistant"]
    content: str


class Tool(WireModel):
    """A tool as clients see it (EP-2)."""

    id: str
    type: Literal["artifact", "decision"]
    name: str
    mode: Literal["json_schema", "options"]
    description: str | None = None
    json_schema: dict[str, Any] | None = None
    options: list[str] | None = None


Reward = Annotated[float, Field(ge=0, le=1)]


class EpisodeCreated(WireModel):
    """The answer to `CreateEpisode`."""

    episode_id: Annotated[str, StringConstraints(pattern=r"^ep_[0-9a-hjkmnp-tv-z]{26}$")]
    initial_observation: Observation
    tools: list[Tool]
    request_id: str


TerminalReason = Literal["completed", "error", "max_turns_reached", "client_terminated"]


class TurnTaken(WireModel):
    """The answer to `TakeTurn` (EP-3, EP-4, EP-5, EP-11)."""

    turn: Annotated[int, Field(ge=1)]
    observation: Observation
    reward: Reward
    episode_complete: bool
    scores: dict[str, Reward] | None = None
    score_breakdown: dict[str, str] | None = None
    terminal_reason: TerminalReason | None = None
    request_id: str


class EvaluationMetadata(WireModel):
    """`evaluation_time_ms` is read from the mock's clock (DET-1)."""

    scenario_name: str
    evaluation_time_ms: Annotated[int, Field(ge=0)]


class Evaluated(WireModel):
    """The answer to `Evaluate` (EV-1)."""

    reward: Reward
    scoring_version: str
    scores: dict[str, Reward] | None = None
    score_breakdown: dict[str, str] | None = None
    normalized: dict[str, float | None] | None = None
    metadata: EvaluationMetadata
    request_id: str


class BatchResult(WireModel):
    """A success has a reward, an error item has none (BAT-2)."""

    id: str
    status: Literal["success", "error"]
    reward: Reward | None = None
    scores: dict[str, Reward] | None = None
    score_breakdown: dict[str, str] | None = None
    normalized: dict[str, float | None] | None = None
    error: str | None = None


class BatchEvaluated(WireModel):
    """The answer to `BatchEvaluate`, in the order of the items (BAT-1)."""

    results: list[BatchResult]
    scoring_version: str
    total_time_ms: Annotated[int, Field(ge=0)]
    request_id: str


class Compared(WireModel):
    """The answer to `Compare` (CMP-1)."""

    winner: Literal["a", "b", "tie"]
    reward_a: Reward
    reward_b: Reward
    margin: Reward
    scoring_version: str
    request_id: str


class CatalogScenario(WireModel):
    """A scenario in the catalog; `tools` has their ids (CAT-2)."""

    slug: str
    name: str
    description: str
    difficulty: Literal["easy", "medium", "hard"]
    shape: Literal["decision_task", "conversation", "journey"]
    max_turns: Annotated[int, Field(ge=1, le=MAX_TURNS)]
    tools: list[str]


class CatalogCollection(WireModel):
    """A collection in the catalog (CAT-2)."""

    slug: str
    name: str
    description: str
    scenarios: list[CatalogScenario]


class CatalogListed(WireModel):
    """The answer to `GET /catalog` (CAT-1, CAT-2)."""

    collections: list[CatalogCollection]
    request_id: str


class ErrorData(WireModel):
    """Where an error body has its request id (ID-2)."""

    request_id: str


class ErrorBody(WireModel):
    """The error envelope (ERR-1)."""

    model_config = ConfigDict(extra="forbid")

    message: str
    data: ErrorData
