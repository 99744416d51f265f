"""The base of all models of files, and the types of their fields."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from labs_mock.contract.limits import MAX_TURNS

_SLUG = "[a-z0-9]+(-[a-z0-9]+)*"
MAX_SLUG = 80

Slug = Annotated[str, StringConstraints(pattern=f"^{_SLUG}$", max_length=MAX_SLUG)]
ScenarioName = Annotated[str, StringConstraints(pattern=f"^{_SLUG}/{_SLUG}$")]
"""`<collection>/<scenario>`."""
ApiKey = Annotated[str, StringConstraints(pattern=r"^lab_[A-Za-z0-9_-]+$", max_length=200)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=8_000)]
Phrases = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=200)]], Field(min_length=1)]
Weight = Annotated[float, Field(gt=0, le=1_000)]
Share = Annotated[float, Field(ge=0, le=1)]
TurnNumber = Annotated[int, Field(ge=1, le=MAX_TURNS)]


class FileModel(BaseModel):
    """Every part of every file: unknown keys are errors, nothing is converted, nothing changes later."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False, defer_build=True)

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """The JSON Schema. Before version 2.14 pydantic can print no default that is a model which is not built yet."""
        for model in FileModel.__subclasses__():
            model.model_rebuild()
        return super().model_json_schema(*arguments, **options)


def is_slug(text: str) -> bool:
    """Whether a name can be the slug of a collection, a scenario, an organisation or a fault."""
    return len(text) <= MAX_SLUG and re.fullmatch(_SLUG, text) is not None
