"""The one table of operations, from which routes, validation, the OpenAPI document and the conformance suite are derived.

A new operation is one entry here, its handler in `http.endpoints`, and its checks in `conformance.checks`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from labs_mock.contract import requests, responses, rows, wording
from labs_mock.contract.clauses import Part
from labs_mock.contract.dataset_status import DATASET_STATUSES, WITH_ERROR
from labs_mock.contract.limits import BASE_PATH


class Consistency(NamedTuple):
    """What the fields of a response say together: by which part of a clause, in words, and whether a body keeps it."""

    part: Part
    expected: str
    holds: Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    `path` is relative to the base path, its parameter in braces; `request` is None where there is no body. `errors` are those
    that are its own, each with the message of an example; `statuses` adds those that all operations share. The response to one
    that `streams` is a line for every row, each of them a `response`. `clauses` are those that it keeps beside `EVERYWHERE`.

    `success` is the part of a clause that makes a valid request a 200, `shape` the one that says what stands in the response
    (lines of a stream have clauses of their own), and `consistency` what its fields say together.
    """

    name: str
    summary: str
    method: str
    path: str
    request: type[requests.WireModel] | None
    response: type[responses.ClosedModel]
    errors: Mapping[int, str]
    clauses: tuple[str, ...]
    success: Part
    shape: Part | None
    consistency: Consistency | None = None
    streams: bool = False

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every status of its responses, in order (GEN-2, GEN-3)."""
        return tuple(sorted({200, 401, *self.errors, *self.states, 413, 429, 431, 500}))

    @property
    def states(self) -> tuple[int, ...]:
        """Statuses of an export that come with the dataset's status instead (DS-3)."""
        return _EXPORTS if self.streams else ()

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

_INVALID = {400: "messages.0.content: expected at most 10,000 characters, got 12,345"}
_UNSUBSCRIBED = {403: wording.NO_SUBSCRIPTION}
_NO_SCENARIO = {404: wording.unknown_scenario("case-management", "upper-back-claim")}
_NO_DATASET = {400: "id: expected a UUID, got 'weekly-check-ins'", 404: wording.DATASET_NOT_FOUND}

_EXPORTS = tuple(sorted({status.export for status in DATASET_STATUSES.values()} - {200}))

OPERATIONS = (
    Operation(
        name="describe_key",
        summary="Describe the key of the request",
        method="GET",
        path="/key",
        request=None,
        response=responses.KeyDescribed,
        errors={},
        clauses=("KEY-1",),
        success=Part("KEY-1"),
        shape=Part("KEY-1", inferred=True),
    ),
    Operation(
        name="list_catalog",
        summary="List collections and scenarios",
        method="GET",
        path="/catalog",
        request=None,
        response=responses.CatalogListed,
        errors={},
        clauses=("CAT-1", "CAT-2", "AUTH-2"),
        success=Part("CAT-1"),
        shape=Part("CAT-2", inferred=True),
    ),
    Operation(
        name="create_episode",
        summary="Start an episode",
        method="POST",
        path="/episodes",
        request=requests.CreateEpisode,
        response=responses.EpisodeCreated,
        errors={**_INVALID, **_UNSUBSCRIBED, **_NO_SCENARIO},
        clauses=("EP-1", "EP-2", "EP-3", "EP-16", "AUTH-2"),
        success=Part("EP-1"),
        shape=Part("EP-1"),
        consistency=Consistency(
            Part("EP-1"),
            "an episode_id that begins with ep_",
            lambda body: str(body.get("episode_id")).startswith("ep_"),
        ),
    ),
    Operation(
        name="take_turn",
        summary="Take a turn",
        method="POST",
        path="/episodes/{id}/turns",
        request=requests.TakeTurn,
        response=responses.TurnTaken,
        errors={400: wording.EPISODE_COMPLETE, 404: wording.EPISODE_NOT_FOUND},
        clauses=(*(f"EP-{number}" for number in range(3, 16)), "AUTH-3", *_REWARDS),
        success=Part("EP-4"),
        shape=Part("EP-4"),
        consistency=Consistency(
            Part("EP-11"),
            "terminal_reason exactly when the episode is complete",
            lambda body: ("terminal_reason" in body) == (body.get("episode_complete") is True),
        ),
    ),
    Operation(
        name="evaluate",
        summary="Score a conversation",
        method="POST",
        path="/evaluate",
        request=requests.Evaluate,
        response=responses.Evaluated,
        errors={**_INVALID, **_UNSUBSCRIBED, **_NO_SCENARIO},
        clauses=("EV-1", "EV-2", "SV-1", "NORM-1", "NORM-2", "EP-8", "EP-9", "AUTH-2", "AUTH-3", *_REWARDS),
        success=Part("EV-1"),
        shape=Part("EV-1"),
        consistency=Consistency(
            Part("AUTH-3"),
            "score_breakdown only beside scores",
            lambda body: "scores" in body or "score_breakdown" not in body,
        ),
    ),
    Operation(
        name="batch_evaluate",
        summary="Score up to 100 conversations",
        method="POST",
        path="/batch/evaluate",
        request=requests.BatchEvaluate,
        response=responses.BatchEvaluated,
        errors=_INVALID,
        clauses=("BAT-1", "BAT-2", "BAT-3", "BAT-4", "SV-1", "NORM-1", "NORM-2", "EP-8", "AUTH-2", "AUTH-3"),
        success=Part("BAT-1"),
        shape=Part("BAT-1"),
    ),
    Operation(
        name="compare",
        summary="Compare two conversations",
        method="POST",
        path="/compare",
        request=requests.Compare,
        response=responses.Compared,
        errors={**_INVALID, **_UNSUBSCRIBED, **_NO_SCENARIO},
        clauses=("CMP-1", "SV-1", "EP-8", "AUTH-2"),
        success=Part("CMP-1"),
        shape=Part("CMP-1"),
    ),
    Operation(
        name="dataset_status",
        summary="Get the status of a training dataset",
        method="GET",
        path="/training-datasets/{id}/status",
        request=None,
        response=responses.DatasetState,
        errors=_NO_DATASET,
        clauses=("DS-1", "DS-2", "DS-5", "DS-7"),
        success=Part("DS-2", inferred=True),
        shape=Part("DS-2", inferred=True),
        consistency=Consistency(
            Part("DS-2", inferred=True),
            "error exactly when it failed",
            lambda body: ("error" in body) == (body.get("status") in WITH_ERROR),
        ),
    ),
    Operation(
        name="export_dataset",
        summary="Export a training dataset as NDJSON",
        method="GET",
        path="/training-datasets/{id}/export",
        request=None,
        response=rows.Row,
        errors=_NO_DATASET,
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
        success=Part("DS-3"),
        shape=None,
        streams=True,
    ),
)

BY_NAME = {operation.name: operation for operation in OPERATIONS}
