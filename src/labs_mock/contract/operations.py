"""The one table of operations: routes, validation and documentation are derived from it."""

from dataclasses import dataclass

from labs_mock.contract import models
from labs_mock.contract.limits import BASE_PATH


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the API.

    `path` is relative to the base path, its parameters in braces; `request` is None where there is no body; `statuses` are the codes that it may
    answer with beside 200, 400, 401, 413, 429 and 500, which every operation has.
    """

    name: str
    method: str
    path: str
    request: type[models.WireModel] | None
    response: type[models.WireModel]
    statuses: tuple[int, ...]
    clauses: tuple[str, ...]

    @property
    def full_path(self) -> str:
        """The path with `/api/v1` in front (GEN-1)."""
        return BASE_PATH + self.path


OPERATIONS = (
    Operation(
        name="list_catalog",
        method="GET",
        path="/catalog",
        request=None,
        response=models.CatalogListed,
        statuses=(),
        clauses=("CAT-1", "CAT-2"),
    ),
    Operation(
        name="create_episode",
        method="POST",
        path="/episodes",
        request=models.CreateEpisode,
        response=models.EpisodeCreated,
        statuses=(403, 404),
        clauses=("EP-1", "EP-2", "EP-3", "AUTH-2"),
    ),
    Operation(
        name="take_turn",
        method="POST",
        path="/episodes/{id}/turns",
        request=models.TakeTurn,
        response=models.TurnTaken,
        statuses=(404,),
        clauses=(*(f"EP-{number}" for number in range(3, 16)), *(f"RC-{number}" for number in range(1, 6))),
    ),
    Operation(
        name="evaluate",
        method="POST",
        path="/evaluate",
        request=models.Evaluate,
        response=models.Evaluated,
        statuses=(403, 404),
        clauses=(
            "EV-1",
            "EV-2",
            "NORM-1",
            "NORM-2",
            "EP-8",
            "EP-9",
            "AUTH-2",
            "AUTH-3",
            *(f"RC-{number}" for number in range(1, 6)),
        ),
    ),
    Operation(
        name="batch_evaluate",
        method="POST",
        path="/batch/evaluate",
        request=models.BatchEvaluate,
        response=models.BatchEvaluated,
        statuses=(),
        clauses=("BAT-1", "BAT-2", "BAT-3", "BAT-4", "NORM-1", "NORM-2", "EP-8", "AUTH-2", "AUTH-3"),
    ),
    Operation(
        name="compare",
        method="POST",
        path="/compare",
        request=models.Compare,
        response=models.Compared,
        statuses=(403, 404),
        clauses=("CMP-1", "EP-8", "AUTH-2"),
    ),
)
