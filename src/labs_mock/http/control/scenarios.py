"""Scenarios over the control plane: add one, or replace one."""

import asyncio
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.errors import BadRequest, ScenarioError
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.fields import FileModel, is_slug
from labs_mock.scenario.files.loader import parse_scenario


def _slug(text: str) -> str:
    if not is_slug(text):
        raise PydanticCustomError("slug", "expected at most 80 lower-case letters, digits and '-'")
    return text


Slug = Annotated[str, AfterValidator(_slug)]


class NewScenario(FileModel):
    """A scenario as the text of a file, or as the object that such a file contains."""

    collection_slug: Slug
    scenario_slug: Slug
    yaml: str | None = None
    scenario: dict[str, Any] | None = None


def scenario_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /scenarios`."""

    async def list_scenarios(request: Request) -> Payload:
        return {"scenarios": [_summary(scenario) for scenario in (await world_of(request).library()).scenarios]}

    async def add_scenario(request: Request) -> Payload:
        new = read_model(NewScenario, await json_of(request))
        if (new.yaml is None) == (new.scenario is None):
            raise BadRequest("scenario: expected either 'scenario' or 'yaml'")
        text = orjson.dumps(new.scenario) if new.yaml is None else new.yaml
        try:
            # In a thread, since a large file takes seconds, and other requests would have to wait.
            scenario = await asyncio.to_thread(
                parse_scenario, text, file=f"{new.scenario_slug}.yaml", collection=new.collection_slug
            )
        except ScenarioError as error:
            raise BadRequest(str(error)) from None
        await world_of(request).add_scenario(scenario)
        return {"collection_slug": scenario.collection, "scenario_slug": scenario.slug, "version": scenario.version}

    return [resource(f"{prefix}/scenarios", GET=list_scenarios, POST=add_scenario)]


def _summary(scenario: Scenario) -> Payload:
    file = scenario.file
    return {
        "collection_slug": scenario.collection,
        "scenario_slug": scenario.slug,
        "version": scenario.version,
        "name": file.name,
        "description": file.description,
        "shape": file.shape,
        "difficulty": file.difficulty,
        "max_turns": file.max_turns,
    }
