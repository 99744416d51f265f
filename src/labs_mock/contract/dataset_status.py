"""The one table of what a training dataset can be (DS-1), from which files, responses, exports and checks are derived."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """A row of the table: the status in files and responses, its default message, and the HTTP status of an export (DS-3).

    `has_error` says that an `error` stands beside it, the reason of the failure (DS-2).
    """

    name: str
    message: str
    export: int
    has_error: bool = False

    @property
    def final(self) -> bool:
        """Whether a dataset stays so (DS-6)."""
        return self.export != 202


_TABLE = (
    DatasetStatus("pending", "Waiting to start", export=202),
    DatasetStatus("preview", "A preview is being made", export=202),
    DatasetStatus("running", "Rollouts are being made", export=202),
    DatasetStatus("filtering", "Rollouts are being filtered", export=202),
    DatasetStatus("ready", "Ready to export", export=200),
    DatasetStatus("cancelled", "Cancelled", export=409),
    DatasetStatus("failed", "Failed", export=500, has_error=True),
)
DATASET_STATUSES = {status.name: status for status in _TABLE}
FINAL = tuple(status.name for status in _TABLE if status.final)
WITH_ERROR = tuple(status.name for status in _TABLE if status.has_error)

if TYPE_CHECKING:
    StatusName = str
else:  # a type that pydantic checks, made of the table
    StatusName = Literal[tuple(DATASET_STATUSES)]
