"""Where a training dataset stands: its stages end with polls or seconds (DS-1…7)."""

from typing import NamedTuple

from labs_mock.contract.limits import MAX_POLLS
from labs_mock.scenario.compiled.datasets import Dataset, Stage


class Progress(NamedTuple):
    """The stage of a dataset, by its `position`: it has had so many `polls` and began at `since`, in unix seconds (DS-7).

    `polled` has the moments of the last polls, the oldest first, at most ten.
    """

    stages: tuple[Stage, ...]
    since: float
    position: int = 0
    polls: int = 0
    polled: tuple[float, ...] = ()

    @property
    def stage(self) -> Stage:
        """The present stage, as of the moment for which this was made."""
        return self.stages[self.position]

    def at(self, now: float) -> "Progress":
        """It at a moment: a stage of seconds ends so many of them after it began, whether or not anybody polls."""
        progress = self
        while (seconds := progress.stage.seconds) is not None and now - progress.since >= seconds:
            progress = progress._entered(progress.position + 1, progress.since + seconds)
        return progress

    def after_poll(self, now: float) -> "Progress":
        """It after a poll at a moment, made of what it is `at` that moment; the last poll of a stage ends it."""
        polled = (*self.polled[1 - MAX_POLLS :], now)
        if self.polls + 1 == self.stage.polls:
            return self._entered(self.position + 1, now)._replace(polled=polled)
        return self._replace(polls=self.polls + 1, polled=polled)

    def too_often(self, now: float) -> bool:
        """Whether a poll at a moment is the eleventh within a second, or one still later."""
        return len(self.polled) == MAX_POLLS and now - self.polled[0] < 1

    def forced(self, stage: Stage) -> "Progress":
        """It in one stage from now on, whatever the file says (DS-3)."""
        return self._replace(stages=(stage,), position=0)

    def _entered(self, position: int, since: float) -> "Progress":
        return self._replace(position=position, polls=0, since=since)


class Poll(NamedTuple):
    """A poll of a dataset: the stage that it sees, and whether there were more than ten within a second."""

    dataset: Dataset
    stage: Stage
    too_often: bool


class StoredDataset(NamedTuple):
    """A dataset as it stands; `keep_exhausted` is how many of its rows passed the keep-filter in no attempt, None before the
    first whole export of generated rows.
    """

    dataset: Dataset
    progress: Progress
    keep_exhausted: int | None

    @property
    def stage(self) -> Stage:
        """The present stage."""
        return self.progress.stage
