"""What clients get. Responses are closed: they have these fields and no others, and what is optional is absent, never null."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from labs_mock.contract.dataset_status import StatusName
from labs_mock.contract.limits import MAX_TURNS
from labs_mock.contract.requests import WireModel
from labs_mock.ids import ID_PATTERN

RequestId = Annotated[str, StringConstraints(pattern=f"^req_{ID_PATTERN}$")]
EpisodeId = Annotated[str, StringConstraints(pattern=f"^ep_{ID_PATTERN}$")]
KeyId = Annotated[str, StringConstraints(pattern=f"^key_{ID_PATTERN}$")]
Reward = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0)]
TerminalReason = Literal["completed", "error", "max_turns_reached", "client_terminated"]


class ClosedModel(WireModel):
    """A response, or a part of one; it has its own fields and no others."""

    model_config = ConfigDict(extra="forbid")


class RateLimit(ClosedModel):
    """A limit of a key: requests in a window, what is left of them, and when the next one starts in unix seconds."""

    limit: Annotated[int, Field(ge=1)]
    remaining: Annotated[int, Field(ge=0)]
    reset: Annotated[int, Field(ge=0)]


class KeyDescribed(ClosedModel):
    """The key of the request; all fields are always there (KEY-1)."""

    key_id: KeyId
    name: str | None
    expires_at: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None
    rate_limits: list[RateLimit] | None
    request_id: RequestId


class Observation(ClosedModel):
    """The persona's message; its role is `assistant` (EP-1, EP-4)."""

    role: Literal["assistant"]
    content: str


class SchemaTool(ClosedModel):
    """A tool whose input a JSON Schema describes (EP-2)."""

    id: str
    type: Literal["artifact", "decision"]
    name: str
    mode: Literal["json_schema"]
    description: str | None = None
    json_schema: dict[str, Any]


class OptionsTool(ClosedModel):
    """A tool whose input is one of some options (EP-2)."""

    id: str
    type: Literal["artifact", "decision"]
    name: str
    mode: Literal["options"]
    description: str | None = None
    options: list[str]


class EpisodeCreated(ClosedModel):
    """An episode has begun (EP-1)."""

    episode_id: EpisodeId
    initial_observation: Observation
    tools: list[Annotated[SchemaTool | OptionsTool, Field(discriminator="mode")]]
    request_id: RequestId


class Scored(ClosedModel):
    """A reward in [0, 1], and of the scores what the key may see (AUTH-3)."""

    reward: Reward
    scores: dict[str, Reward] | None = None
    score_breakdown: dict[str, str] | None = None


class TurnTaken(Scored):
    """The observation and the reward so far (EP-3, EP-4, EP-5, EP-11)."""

    turn: Annotated[int, Field(ge=1, le=MAX_TURNS)]
    observation: Observation
    episode_complete: bool
    terminal_reason: TerminalReason | None = None
    request_id: RequestId


class EvaluationMetadata(ClosedModel):
    """`evaluation_time_ms` is read from the mock's clock (DET-1)."""

    scenario_name: str
    evaluation_time_ms: Milliseconds


class Evaluated(Scored):
    """The reward of a conversation (EV-1); `normalized` has a z-score or null for each window (NORM-2)."""

    scoring_version: str
    normalized: dict[str, float | None] | None = None
    metadata: EvaluationMetadata
    request_id: RequestId


class BatchSuccess(Scored):
    """An item that was scored (BAT-2)."""

    id: str
    status: Literal["success"]
    normalized: dict[str, float | None] | None = None


class BatchError(ClosedModel):
    """An item that could not be scored; it has no reward (BAT-2)."""

    id: str
    status: Literal["error"]
    error: str


class BatchEvaluated(ClosedModel):
    """The results in the order of the items (BAT-1)."""

    results: list[Annotated[BatchSuccess | BatchError, Field(discriminator="status")]]
    scoring_version: str
    total_time_ms: Milliseconds
    request_id: RequestId


class Compared(ClosedModel):
    """The winner of two conversations and by how much (CMP-1)."""

    winner: Literal["a", "b", "tie"]
    reward_a: Reward
    reward_b: Reward
    margin: Reward
    scoring_version: str
    request_id: RequestId


class CatalogScenario(ClosedModel):
    """A scenario in the catalog; `tools` has their ids (CAT-2)."""

    slug: str
    name: str
    description: str
    difficulty: Literal["easy", "medium", "hard"]
    shape: Literal["decision_task", "conversation", "journey"]
    max_turns: Annotated[int, Field(ge=1, le=MAX_TURNS)]
    tools: list[str]


class CatalogCollection(ClosedModel):
    """A collection in the catalog (CAT-2)."""

    slug: str
    name: str
    description: str
    scenarios: list[CatalogScenario]


class CatalogListed(ClosedModel):
    """The subscribed collections, sorted by slug (CAT-1, CAT-2)."""

    collections: list[CatalogCollection]
    request_id: RequestId


class DatasetState(ClosedModel):
    """The status of a training dataset; `error` exactly when it failed (DS-1, DS-2)."""

    status: StatusName
    row_count: Annotated[int, Field(ge=0)] | None
    message: str
    error: str | None = None
    request_id: RequestId


class ErrorData(ClosedModel):
    """Where an error body has its request id (ID-2)."""

    request_id: RequestId


class ErrorBody(ClosedModel):
    """The error envelope: these fields, exactly (ERR-1)."""

    message: str
    data: ErrorData
