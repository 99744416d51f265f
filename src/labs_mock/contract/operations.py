"""The one table of operations: routes, validation and documentation are derived from it."""

from dataclasses import dataclass

from labs_mock.contract import requests, responses, rows
from labs_mock.contract.limits import BASE_PATH


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    `path` is relative to the base path, its parameters in braces; `request` is None where there is no body. `refusals` are
    the errors that are its own; `statuses` adds those that all operations share. One that `streams` answers with a line for
    every row, each of them an `answer`.
    """

    name: str
    summary: str
    method: str
    path: str
    request: type[requests.WireModel] | None
    answer: type[responses.Answer]
    refusals: tuple[int, ...]
    clauses: tuple[str, ...]
    streams: bool = False

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status that it answers with, in order (GEN-2, GEN-3)."""
        invalid = (400,) if self.request or self.has_id else ()
        return tuple(sorted({200, *invalid, 401, *self.refusals, *self.states, 413, 429, 431, 500}))

    @property
    def states(self) -> tuple[int, ...]:
        """Statuses of an export that come with the dataset's status instead (DS-3)."""
        return (202, 409, 500) if self.streams else ()

    @property
    def has_id(self) -> bool:
        """Whether its path has a parameter."""
        return "{" in self.path

    @property
    def full_path(self) -> str:
        """The path with `/api/v1` in front (GEN-1)."""
        return BASE_PATH + self.path


EVERYWHERE = (
    "GEN-1",
    "GEN-2",
    "GEN-3",
    "GEN-4",
    "GEN-5",
    "GEN-6",
    "AUTH-1",
    "ID-1",
    "ID-2",
    "ERR-1",
    "ERR-2",
    "RL-1",
    "RL-2",
)
"""Clauses that every operation keeps beside its own; `NEVER` and `DET` are of the server as a whole."""

_REWARDS = tuple(f"RC-{number}" for number in range(1, 7))

OPERATIONS = (
    Operation(
        name="describe_key",
        summary="Describe the key that asks",
        method="GET",
        path="/key",
        request=None,
        answer=responses.KeyDescribed,
        refusals=(),
        clauses=("KEY-1",),
    ),
    Operation(
        name="list_catalog",
        summary="List collections and scenarios",
        method="GET",
        path="/catalog",
        request=None,
        answer=responses.CatalogListed,
        refusals=(),
        clauses=("CAT-1", "CAT-2", "AUTH-2"),
    ),
    Operation(
        name="create_episode",
        summary="Start an episode",
        method="POST",
        path="/episodes",
        request=requests.CreateEpisode,
        answer=responses.EpisodeCreated,
        refusals=(403, 404),
        clauses=("EP-1", "EP-2", "EP-3", "EP-16", "AUTH-2"),
    ),
    Operation(
        name="take_turn",
        summary="Take a turn",
        method="POST",
        path="/episodes/{id}/turns",
        request=requests.TakeTurn,
        answer=responses.TurnTaken,
        refusals=(404,),
        clauses=(*(f"EP-{number}" for number in range(3, 16)), "AUTH-3", *_REWARDS),
    ),
    Operation(
        name="evaluate",
        summary="Score a conversation",
        method="POST",
        path="/evaluate",
        request=requests.Evaluate,
        answer=responses.Evaluated,
        refusals=(403, 404),
        clauses=(
            "EV-1",
            "EV-2",
            "SV-1",
            "NORM-1",
            "NORM-2",
            "EP-8",
            "EP-9",
            "AUTH-2",
            "AUTH-3",
            *_REWARDS,
        ),
    ),
    Operation(
        name="batch_evaluate",
        summary="Score up to 100 conversations",
        method="POST",
        path="/batch/evaluate",
        request=requests.BatchEvaluate,
        answer=responses.BatchEvaluated,
        refusals=(),
        clauses=("BAT-1", "BAT-2", "BAT-3", "BAT-4", "SV-1", "NORM-1", "NORM-2", "EP-8", "AUTH-2", "AUTH-3"),
    ),
    Operation(
        name="compare",
        summary="Compare two conversations",
        method="POST",
        path="/compare",
        request=requests.Compare,
        answer=responses.Compared,
        refusals=(403, 404),
        clauses=("CMP-1", "SV-1", "EP-8", "AUTH-2"),
    ),
    Operation(
        name="dataset_status",
        summary="Ask how far a training dataset is",
        method="GET",
        path="/training-datasets/{id}/status",
        request=None,
        answer=responses.DatasetState,
        refusals=(404,),
        clauses=("DS-1", "DS-2", "DS-5", "DS-7"),
    ),
    Operation(
        name="export_dataset",
        summary="Export a training dataset as NDJSON",
        method="GET",
        path="/training-datasets/{id}/export",
        request=None,
        answer=rows.Row,
        refusals=(404,),
        clauses=(
            "DS-3",
            "DS-4",
            "DS-5",
            "DS-6",
            "DS-7",
            *(f"ROW-{number}" for number in range(1, 5)),
            "TOK-1",
            "TOK-2",
            "TOK-3",
        ),
        streams=True,
    ),
)
