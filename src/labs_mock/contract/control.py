"""What the control plane responds with, as `LabsMock` returns it and as its OpenAPI document describes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, NotRequired, Self

from typing_extensions import TypedDict  # pydantic reads that of typing from Python 3.12 on

Json = dict[str, Any]


class JsonObject:
    """A part of a JSON response, as a frozen dataclass."""

    __slots__ = ()

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """The fields of an object; others that it has are left out."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class HealthInfo(JsonObject):
    """Which server responds: `instance` is another one for each start, `scenarios` a number, `clock` the mode of its clock."""

    status: str
    instance: str
    version: str
    scenarios: int
    seed: int
    clock: str


@dataclass(frozen=True, slots=True)
class ReadyInfo(JsonObject):
    """That a server can respond: `status` is `ready`."""

    status: str


@dataclass(frozen=True, slots=True)
class ClockInfo(JsonObject):
    """The time in ISO 8601, and how the clock runs: `real`, `frozen`, or `x` and a number."""

    now: str
    mode: str


class ResetParts(TypedDict):
    """The names of what was reset."""

    reset: list[str]


class Fault(TypedDict):
    """A fault of the plan: the fields that it is written with, and beside them how many requests it `matched`, how often it was
    `applied`, and `warnings`, one for each filter that can match nothing.
    """

    id: str
    matched: int
    applied: int
    warnings: list[str]


class FaultList(TypedDict):
    """The fault plan, in the order in which faults were added."""

    faults: list[Fault]


@dataclass(frozen=True, slots=True)
class FaultInfo(JsonObject):
    """A fault of the plan: its `entry` as a fault is written, without the id; how many requests it `matched`, how often it was
    `applied`; and `warnings`, one for each filter that can match nothing.
    """

    id: str
    entry: Mapping[str, Any]
    matched: int
    applied: int
    warnings: Sequence[str]

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """A fault as `/_mock/faults` shows it."""
        entry = dict(value)
        own = [entry.pop(name) for name in ("id", "matched", "applied", "warnings")]
        return cls(own[0], entry, *own[1:])


class KeyOptions(TypedDict, total=False):
    """Terms of a key, as `keys` of `server.yaml` have them; None for the default (AUTH-1, AUTH-2, AUTH-3, KEY-1, RL-2)."""

    name: str | None
    plan: str | None
    requests_per_minute: int | None
    subscriptions: Sequence[str] | Literal["*"]
    score_access: Literal["full", "scores", "reward"]
    expires: str | None
    revoked: bool


@dataclass(frozen=True, slots=True)
class KeyInfo(JsonObject):
    """A key and its terms; `key` is masked, `expires` is in ISO 8601, `subscriptions` are slugs of collections, or `*` for all."""

    key: str
    key_id: str
    name: str | None
    organisation: str
    requests_per_minute: int
    subscriptions: Sequence[str] | Literal["*"]
    score_access: str
    expires: str | None
    revoked: bool


class QuotaInfo(TypedDict):
    """What a key, masked, has left in the present minute of the clock, which ends at `reset`, in ISO 8601 (RL-1)."""

    key: str
    key_id: str
    organisation: str
    limit: int
    remaining: int
    reset: str


class QuotaList(TypedDict):
    """The quota of each key, in the order in which they were added."""

    quotas: list[QuotaInfo]


class SettingValues(TypedDict):
    """All settings by name, but for keys, tokens and passwords."""

    settings: dict[str, str | int | bool | None]


class KeyList(TypedDict):
    """All keys, in the order in which they were added."""

    keys: list[KeyInfo]


@dataclass(frozen=True, slots=True)
class ScenarioInfo(JsonObject):
    """A scenario that was added, and the version of its content."""

    collection_slug: str
    scenario_slug: str
    version: str


class LifecycleStage(TypedDict):
    """A stage: it ends after so many polls or seconds, and the last one never."""

    status: str
    message: str
    polls: int | None
    seconds: float | None
    row_count: int | None
    error: str | None


class Lifecycle(TypedDict):
    """Where a dataset stands: the `position` of its stage, from 0, the polls that it has had there, and when that began, in ISO 8601.

    Of one that was forced into a status, `stages` has that alone.
    """

    stages: list[LifecycleStage]
    position: int
    polls: int
    since: str


@dataclass(frozen=True, slots=True)
class ScenarioSummary(JsonObject):
    """A scenario of the library; `max_turns` is how many turns an episode of it has at most."""

    collection_slug: str
    scenario_slug: str
    version: str
    name: str
    description: str
    shape: str
    difficulty: str
    max_turns: int


class ScenarioList(TypedDict):
    """The scenarios that are served, by collection and slug."""

    scenarios: list[ScenarioSummary]


@dataclass(frozen=True, slots=True)
class DatasetInfo(JsonObject):
    """A dataset and its status.

    `row_count` is what the API shows of it in this status, `rows` how many it has. `keep_exhausted` counts the rows of
    which no attempt passed the keep-filter; it is None before the first complete export.
    """

    id: str
    name: str
    status: str
    row_count: int | None
    message: str
    error: str | None
    rows: int
    keep_exhausted: int | None
    lifecycle: Lifecycle


class DatasetRows(TypedDict):
    """The first rows of a dataset as its export has them, and how many it has."""

    rows: list[Json]
    count: int


class DatasetList(TypedDict):
    """All datasets: those of files, then those that were added."""

    datasets: list[DatasetInfo]


MAX_VERDICT = 20_000
"""Characters of the text of a verdict that is posted."""


@dataclass(frozen=True, slots=True)
class VerdictInfo(JsonObject):
    """A verdict that was posted, and when, in ISO 8601."""

    posted: str
    label: str
    text: str


class VerdictList(TypedDict):
    """The newest verdicts, in the order in which they were posted."""

    verdicts: list[VerdictInfo]


class TranscriptEntry(TypedDict):
    """A line of a transcript: the opening is in turn 0, the speaker is `persona` or `operator`.

    A tool call is as it was sent, with `valid` and, where that is false, `path` and `reason` (EP-12).
    """

    turn: int
    speaker: str
    content: str
    tool_calls: NotRequired[list[Json]]


class GateExplanation(TypedDict):
    """The factor of the gate, from 0 to 1, and the violations that lower it."""

    factor: float
    violations: list[str]


class DimensionExplanation(TypedDict):
    """A dimension that ran: its name in the scenario, its score from 0 to 1, its weight, and a sentence."""

    dimension: str
    name: str
    score: float
    weight: float
    why: str


class RuleExplanation(TypedDict):
    """A rule of the scenario: the part that it stands in, its id, the turns that it matches, and what results from it."""

    part: str
    id: str
    turns: list[int]
    result: str


class Explanation(TypedDict):
    """Why a conversation has its reward.

    `served` and `findings` are those of `explain()`: what `/evaluate` responds to it, which under `canary` is another reward.
    """

    turns: int
    terminal_reason: str | None
    reward: float
    earned: bool
    critical: bool
    gate: GateExplanation
    dimensions: list[DimensionExplanation]
    rules: list[RuleExplanation]
    served: NotRequired[float]
    findings: NotRequired[list[Json]]


@dataclass(frozen=True, slots=True)
class EpisodeSummary(JsonObject):
    """An episode; `turn` is how many it has, `terminal_reason` None while it goes on, `touched` when it was last used, in ISO 8601."""

    id: str
    organisation: str
    collection_slug: str
    scenario_slug: str
    score_turns: bool
    turn: int
    terminal_reason: str | None
    touched: str


@dataclass(frozen=True, slots=True)
class EpisodePage(JsonObject):
    """Episodes, the one with the newest turn first; `next` is the `before` of the next page, None for the last one."""

    episodes: Sequence[EpisodeSummary]
    next: str | None

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """A page as `/_mock/episodes` shows it."""
        return cls([EpisodeSummary.from_json(episode) for episode in value["episodes"]], value["next"])


@dataclass(frozen=True, slots=True)
class EpisodeInfo(EpisodeSummary):
    """An episode with what its client does not see; `context` is what the persona knows of the time that passed (TOK-3)."""

    transcript: Sequence[TranscriptEntry]
    context: Sequence[str]
    explanation: Explanation


class TurnReward(TypedDict):
    """The reward after a turn; `served` says that a response in the journal has it, else the engine computes it."""

    turn: int
    reward: float
    served: bool


class TurnRewards(TypedDict):
    """The reward after each turn of an episode."""

    rewards: list[TurnReward]


@dataclass(frozen=True, slots=True)
class RewardPage(JsonObject):
    """Rewards in columns of one length: the number of the request, the item's place in it from 0, a hash of the conversation.

    `after` is the number of the reward before the first one, `count` how many the log has, and `dropped` how many older ones
    it has no more.
    """

    after: int
    requests: Sequence[int]
    items: Sequence[int]
    conversations: Sequence[str]
    rewards: Sequence[float]
    count: int
    dropped: int


@dataclass(frozen=True, slots=True)
class ExpectedReward(JsonObject):
    """The reward of a conversation, from 0 to 1, and what the server knows of it.

    `rewards_by_turn` are those after each of the operator's turns, the last of them the reward; `conversation` is the hash that
    the log of rewards has; `failed_requests` are the numbers of requests that asked for its reward, or for one of its turns, and
    were refused, failed or cut. Of a conversation that `/evaluate` refuses, `error` is the message; reward and hash are null.
    """

    reward: float | None
    rewards_by_turn: Sequence[float]
    conversation: str | None
    failed_requests: Sequence[int]
    error: str | None


class ExpectedRewards(TypedDict):
    """For each conversation what is expected, in the order in which they were sent."""

    conversations: list[ExpectedReward]


class RecordedScorers(TypedDict):
    """How many scorers ran, and how many had no weight (RC-2)."""

    run: int
    skipped: int


class FindingJson(TypedDict):
    """A finding on a request: its code, its place in the body, what to do about it, and how severe it is."""

    code: str
    place: str
    hint: str
    severity: Literal["info", "warning"]


class RequestSummary(TypedDict):
    """Which request it was, who sent it, and how it was answered, with keys masked.

    `received` is in ISO 8601, of the server's clock. `peer` is the address and port of the connection, null without one of the
    server's own; `user_agent` is cut after 200 characters.
    """

    number: int
    received: str
    method: str
    path: str
    query: str
    organisation: str | None
    peer: str | None
    user_agent: str
    status: int
    delivery: list[str]
    episode_id: str | None
    turn: int | None


class SlimRecord(RequestSummary):
    """A request and its response without their bodies, as the event stream has them.

    `duration_ms` is in milliseconds of the server's clock. `rewards` has null for an item that failed.
    """

    key: str | None
    request_id: str
    duration_ms: int
    rewards: list[float | None]
    scorers: RecordedScorers
    findings: list[FindingJson]
    faults: list[str]
    request_size: int
    dropped_bodies: list[Literal["request", "response"]]


class RecordInfo(SlimRecord):
    """A request and its response as the journal has them.

    Bodies are JSON, or text where they are none; null where they are empty, not kept, or among the `dropped_bodies`.
    """

    request: Any
    response: Any


@dataclass(frozen=True, slots=True)
class FindingInfo(JsonObject):
    """A finding and the numbers of the requests that prove it: one, or several that show it together.

    `over_run` is False for what can be seen of the one request by itself: `place` is then a path in its body. Otherwise it is the
    id of an episode, or empty.
    """

    code: str
    severity: Literal["info", "warning"]
    over_run: bool
    place: str
    hint: str
    requests: Sequence[int]

    def __str__(self) -> str:
        return f"{self.code}{self.place and ' at '}{self.place}{self.hint and ': '}{self.hint}"


class FindingList(TypedDict):
    """Findings by their first request, and the requests that prove them by number.

    `dropped` counts requests that the journal has no more, and `dropped_findings` those of single ones among them.
    """

    findings: list[FindingInfo]
    requests: list[RequestSummary]
    dropped: int
    dropped_findings: dict[Literal["info", "warning"], int]


class RecordList(TypedDict):
    """Records by number, without bodies where these are not wanted; how many were found, and how many records, and findings with them, the journal has no more."""

    requests: list[RecordInfo] | list[SlimRecord]
    count: int
    dropped: int
    dropped_findings: dict[Literal["info", "warning"], int]


class ExpectedRequests(TypedDict):
    """What was expected of requests, with keys masked."""

    method: str
    path: str
    times: int | None
    json: Any


class NearMiss(TypedDict):
    """A request that comes near to what was expected, and the place in its body that differs, if that is what differs."""

    request: RecordInfo
    differs_at: str | None


class Verification(TypedDict):
    """Whether requests were made, and which; `expected` and `nearest` only where the verdict is not `met`.

    The numbers of requests whose bodies were dropped, and how many requests were, are those on which it may depend.
    """

    requests: list[RecordInfo]
    verdict: Literal["met", "unmet", "undecidable"]
    bodies_dropped: list[int]
    requests_dropped: int
    expected: NotRequired[ExpectedRequests]
    nearest: NotRequired[list[NearMiss]]
