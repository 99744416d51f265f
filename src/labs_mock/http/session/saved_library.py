"""Keys, scenarios, datasets and faults in a saved session, and the plain data that they stand for."""

from typing import Annotated

from pydantic import Field

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.config.server_file import ScoreAccess
from labs_mock.contract.dataset_status import StatusName
from labs_mock.http.session.saved_fields import Count, Instant
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.scenario.compiled.scenario import ScenarioName
from labs_mock.scenario.files.dataset_schema import Generate
from labs_mock.scenario.files.fields import FileModel, Slug
from labs_mock.state.account import Account
from labs_mock.state.dataset_progress import Progress, StoredDataset
from labs_mock.state.planned_fault import MaskedKey, PlannedFault
from labs_mock.state.quota import Quota


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
