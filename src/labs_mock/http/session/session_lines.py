"""The lines of a saved session: what each may contain, and the plain data that it stands for.

A session is gzipped JSON lines. The first is the head, which has the number of the format; each of the others has one key, which
says what it is; the last is the end, which counts them. No key and no other secret stands in it.
"""

from itertools import chain
from typing import Annotated

from pydantic import StringConstraints

from labs_mock.clock import Clock
from labs_mock.http.session.saved_fields import Count, Instant, RewardValue
from labs_mock.http.session.saved_library import SavedAccount, SavedCollection, SavedDataset, SavedFault, SavedScenario
from labs_mock.http.session.saved_talk import SavedEpisode, SavedRecord
from labs_mock.scenario.files.fields import FileModel
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.record import JournalCounts, RewardColumns

FORMAT = 1
"""The number of the format, the greatest that can be read."""
MARK = "labs_mock_session"
"""The key of that number in the first line, by which a session is recognised."""

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
