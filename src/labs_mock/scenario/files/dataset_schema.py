"""The format of `datasets/<any>.yaml`: frozen models, from which the printed JSON Schema comes too."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from labs_mock.contract.dataset_status import StatusName
from labs_mock.contract.limits import UUID
from labs_mock.scenario.files.fields import FileModel, Id, ScenarioName, Share, Text


class StageFile(FileModel):
    """A stage of a dataset's lifecycle; the last one is final and has neither polls nor seconds."""

    status: StatusName
    polls: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seconds: Annotated[float, Field(gt=0, le=1e9)] | None = None
    row_count: Annotated[int, Field(ge=0)] | None = None
    message: Text | None = None
    error: Text | None = None


class AtLeast(FileModel):
    """A lower bound."""

    at_least: Share


class Keep(FileModel):
    """Which rollouts become rows."""

    quality_score: AtLeast | None = None
    complexity_score: AtLeast | None = None


class Generate(FileModel):
    """Rows made by simulated operators."""

    scenario: ScenarioName
    operators: Annotated[list[Id], Field(min_length=1)]
    count: Annotated[int, Field(ge=1, le=10_000_000)]
    temperatures: Annotated[list[Annotated[float, Field(ge=0, le=2)]], Field(min_length=1)] = [1.0]
    keep: Keep = Keep.model_construct()  # not validated, as the defaults in `schema`


class Rows(FileModel):
    """Where rows come from: exactly one of the three."""

    generate: Generate | None = None
    file: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    inline: Annotated[list[dict[str, Any]], Field(min_length=1)] | None = None


class DatasetFile(FileModel):
    """`datasets/<any>.yaml`."""

    id: Annotated[str, StringConstraints(pattern=UUID)]
    name: Text
    lifecycle: Annotated[list[StageFile], Field(min_length=1)]
    rows: Rows | None = None
