"""The lines of a saved session: what each may contain, and the plain data that it stands for.

A session is gzipped JSON lines. The first is the head, which has the number of the format; each of the others has one key, which
says what it is; the last is the end, which counts them. No key and no other secret stands in it.
"""

from base64 import b64decode
from itertools import chain, pairwise
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from labs_mock.clock import END, Clock
from labs_mock.config.fault_entry import FaultEntry
from labs_mock.config.server_file import ScoreAccess
from labs_mock.contract.dataset_status import StatusName
from labs_mock.contract.findings import KINDS, Finding
from labs_mock.contract.responses import TerminalReason
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.scenario.compiled.scenario import ScenarioName
from labs_mock.scenario.files.dataset_schema import Generate
from labs_mock.scenario.files.fields import FileModel, Slug
from labs_mock.state.account import Account
from labs_mock.state.dataset_progress import Progress, StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.planned_fault import MaskedKey, PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import JournalCounts, Record, RewardColumns

FORMAT = 1
"""The number of the format, the greatest that can be read."""
MARK = "labs_mock_session"
"""The key of that number in the first line, by which a session is recognised."""

Count = Annotated[int, Field(ge=0, le=2**53)]
Instant = Annotated[float, Field(ge=-6e10, le=END, allow_inf_nan=False)]
RewardValue = Annotated[float, Field(ge=0, le=1)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]


class SavedClock(FileModel):
    """A clock as it stood."""

    specification: str
    mode: str
    now: Instant

    def plain(self) -> Clock:
        """The clock, which stands still."""
        return Clock(self.specification, self.mode, 0.0, self.now, 0.0)


class SavedCounts(FileModel):
    """How many records have gone, and findings of each severity with them."""

    dropped: Count
    dropped_findings: dict[str, Count]


class SavedHead(FileModel):
    """The first line. `settings` have neither a key nor another secret; `rewards` counts those that have gone."""

    labs_mock_session: Count
    version: str
    instance: str
    settings: dict[str, str | int | bool | None]
    clock: SavedClock
    journal: SavedCounts
    rewards: Count


class SavedQuota(FileModel):
    """What was left of a quota; `reset` is in unix seconds."""

    remaining: Count
    reset: Count


class SavedAccount(FileModel):
    """A key's terms and its quota."""

    key: str
    key_id: str
    organisation: str
    name: str | None
    requests_per_minute: Count
    subscriptions: list[str] | None
    score_access: ScoreAccess
    expires: Instant | None
    revoked: bool
    quota: SavedQuota

    def plain(self, place: int) -> tuple[Account, Quota]:
        """The account; its place among all takes that of the digest of its key."""
        subscriptions = None if self.subscriptions is None else tuple(self.subscriptions)
        account = Account(
            b"%d" % place,
            self.key_id,
            self.key,
            self.organisation,
            self.name,
            self.requests_per_minute,
            subscriptions,
            self.score_access,
            self.expires,
            self.revoked,
        )
        left = self.quota.remaining
        return account, Quota(self.requests_per_minute, left, self.quota.reset, left > 0)


class SavedCollection(FileModel):
    """A collection without its scenarios."""

    slug: Slug
    name: str
    description: str


class SavedScenario(FileModel):
    """A scenario as the JSON of its file; one that is not `served` any more is there for the episodes that have it."""

    collection: Slug
    slug: Slug
    version: str
    content: str
    served: bool


class SavedStage(FileModel):
    """A stage of a lifecycle."""

    status: StatusName
    message: str
    polls: Count | None
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None
    row_count: Count | None
    error: str | None


class SavedProgress(FileModel):
    """Where a dataset stands; `forced` is the stage in which it was made to stay."""

    forced: SavedStage | None
    since: Instant
    position: Count
    polls: Count
    polled: list[Instant]


class SavedDataset(FileModel):
    """A dataset, whose rows stand in the lines behind it unless they are generated of a scenario."""

    id: str
    slug: str
    name: str
    stages: Annotated[list[SavedStage], Field(min_length=1)]
    generate: Generate | None
    scenario: list[str] | None
    progress: SavedProgress
    keep_exhausted: Count | None

    def plain(self, scenario: ScenarioName | None, lines: tuple[bytes, ...]) -> StoredDataset:
        """The dataset with the scenario that its rows are made of, or with its rows. Raises `ValueError` for a place that is none."""
        stages, saved = _stages(self.stages), self.progress
        dataset = Dataset(self.id, self.slug, self.name, stages, lines, self.generate, scenario)
        standing = stages if saved.forced is None else _stages([saved.forced])
        if saved.position >= len(standing):
            raise ValueError("dataset.progress.position: beyond its last stage")
        progress = Progress(standing, saved.since, saved.position, saved.polls, tuple(saved.polled))
        return StoredDataset(dataset, progress, self.keep_exhausted)


def _stages(saved: list[SavedStage]) -> tuple[Stage, ...]:
    return tuple(Stage(one.status, one.message, one.polls, one.seconds, one.row_count, one.error) for one in saved)


class SavedKeyFilter(FileModel):
    """The key by which a fault filters: as stars, and the place of its account, if there is one."""

    masked: str
    account: Count | None


class SavedFault(FileModel):
    """A fault of the plan and what was counted of it."""

    id: Slug
    entry: FaultEntry
    key: SavedKeyFilter | None
    matched: Count
    applied: Count

    def plain(self) -> PlannedFault:
        """The fault."""
        key = None
        if self.key is not None:
            digest = b"" if self.key.account is None else b"%d" % self.key.account
            key = MaskedKey(digest, self.key.masked)
        return PlannedFault(self.id, self.entry, key, self.matched, self.applied)


class SavedCall(FileModel):
    """A tool call of the operator."""

    type: str
    name: str
    input: Any


class SavedMessage(FileModel):
    """A message of a transcript."""

    operator: bool
    content: str
    calls: list[SavedCall]


class SavedEpisode(FileModel):
    """An episode with its transcript; `version` is that of its scenario."""

    id: str
    origin: str
    organisation: str
    collection: Slug
    slug: Slug
    version: str
    score_turns: bool
    ended: TerminalReason | None
    touched: Instant
    transcript: list[SavedMessage]

    def plain(self, lines: tuple[TranscriptLine, ...], version: str) -> Episode:
        """The episode with the lines of its transcript. Raises `ValueError` unless it goes from observation to observation."""
        if not lines or lines[0].operator or lines[-1].operator:
            raise ValueError("episode.transcript: expected the opening first, and an observation at the end")
        turns = sum(one.operator and not behind.operator for one, behind in pairwise(lines))
        if turns != sum(not line.operator for line in lines) - 1:
            raise ValueError("episode.transcript: expected a message of the operator between two observations")
        return Episode(
            self.id,
            self.origin,
            self.organisation,
            self.collection,
            self.slug,
            version,
            self.score_turns,
            lines,
            turns,
            self.ended,
            self.touched,
        )


class SavedBytes(FileModel):
    """A body that is no text, in base64."""

    base64: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


SavedBody = str | SavedBytes | None


def body_of(saved: SavedBody) -> bytes | None:
    """A body as it was. Raises `ValueError` for what is no base64."""
    if isinstance(saved, SavedBytes):
        return b64decode(saved.base64, validate=True)
    return None if saved is None else saved.encode()


class SavedFinding(FileModel):
    """A finding on a request."""

    code: str
    place: str
    hint: str

    def plain(self) -> Finding:
        """The finding. Raises `ValueError` for an unknown code."""
        if self.code not in KINDS:
            raise ValueError(f"record.findings: unknown code {self.code[:40]!r}")
        return Finding(self.code, self.place, self.hint)


class SavedRecord(FileModel):
    """A request and its response; `credentials` are numbers that tell what it came with from what others did."""

    number: Annotated[int, Field(ge=1, le=2**53)]
    received: Instant
    method: str
    path: str
    query: str
    organisation: str | None
    key: str | None
    credentials: list[Count]
    request_id: str
    size: Count
    request: SavedBody
    status: Annotated[int, Field(ge=100, le=999)]
    response: SavedBody
    duration_ms: Count
    findings: list[SavedFinding]
    faults: list[str]
    rewards: list[RewardValue | None]
    run: Count
    skipped: Count
    episode: str | None
    turn: Count | None
    delivery: list[str]
    fingerprint: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$", max_length=200)]
    order: Count
    window_end: Count | None
    peer: Annotated[list[Any], Field(min_length=2, max_length=2)] | None
    user_agent: str
    answered: Count
    amended: Instant | None

    def plain(self) -> Record:
        """The record. Raises `ValueError` for what could not have been one."""
        peer = None if self.peer is None else (self.peer[0], self.peer[1])
        if peer is not None and not (isinstance(peer[0], str) and type(peer[1]) is int):
            raise ValueError("record.peer: expected an address and a port")
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Record(
            **fields
            | {
                "credentials": tuple(map(str, self.credentials)),
                "request": body_of(self.request),
                "response": body_of(self.response),
                "findings": tuple(finding.plain() for finding in self.findings),
                "faults": tuple(self.faults),
                "rewards": tuple(self.rewards),
                "delivery": tuple(self.delivery),
                "fingerprint": bytes.fromhex(self.fingerprint),
                "peer": peer,
                "user_agent": self.user_agent.encode("latin-1", "replace"),
            }
        )


class SavedRewards(FileModel):
    """A part of the log of rewards in columns of one length."""

    requests: list[Count]
    items: list[Count]
    conversations: list[Hash]
    rewards: list[RewardValue]

    def check(self) -> None:
        """Raises `ValueError` for columns that are not of one length."""
        if len({len(column) for column in (self.requests, self.items, self.conversations, self.rewards)}) > 1:
            raise ValueError("rewards: expected columns of one length")


class SavedVerdict(FileModel):
    """A verdict that was posted."""

    posted: Instant
    label: str
    text: str

    def plain(self) -> PostedVerdict:
        """The verdict."""
        return PostedVerdict(self.posted, self.label, self.text)


class SavedEnd(FileModel):
    """The last line: how many there are with it, and how many were left out since the file would have become too large."""

    lines: Count
    left_out: Count


class SessionLine(FileModel):
    """A line behind the head: exactly one of these."""

    account: SavedAccount | None = None
    collection: SavedCollection | None = None
    scenario: SavedScenario | None = None
    dataset: SavedDataset | None = None
    rows: list[str] | None = None
    fault: SavedFault | None = None
    episode: SavedEpisode | None = None
    rewards: SavedRewards | None = None
    verdict: SavedVerdict | None = None
    record: SavedRecord | None = None
    end: SavedEnd | None = None


def counts_of_head(head: SavedHead, stored: int) -> JournalCounts:
    """The counts of a journal with so many records behind those that have gone."""
    return JournalCounts(stored, head.journal.dropped, tuple(sorted(head.journal.dropped_findings.items())))


def columns_of(saved: list[SavedRewards], dropped: int) -> RewardColumns:
    """The whole log, of which so many rewards have gone."""
    requests = tuple(chain.from_iterable(part.requests for part in saved))
    items = tuple(chain.from_iterable(part.items for part in saved))
    conversations = tuple(int(one, 16) for part in saved for one in part.conversations)
    rewards = tuple(chain.from_iterable(part.rewards for part in saved))
    return RewardColumns(dropped, requests, items, conversations, rewards, len(rewards), dropped)
