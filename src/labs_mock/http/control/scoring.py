"""Why a reward is what it is, and scenarios to be scored by, over the control plane."""

import asyncio
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import Evaluate
from labs_mock.contract.unknown_fields import duplicate_keys, unknown_fields
from labs_mock.engine.evaluation import evaluate
from labs_mock.engine.explanation import explanation
from labs_mock.errors import BadRequest, ScenarioError
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.files.fields import FileModel, is_slug
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.state.accounts import Account

ANYBODY = Account("")


def _slug(text: str) -> str:
    if not is_slug(text):
        raise PydanticCustomError("slug", "expected at most 80 lower-case letters, digits and '-'")
    return text


Slug = Annotated[str, AfterValidator(_slug)]


class NewScenario(FileModel):
    """A scenario as the text of a file, or as what such a file holds."""

    collection_slug: Slug
    scenario_slug: Slug
    yaml: str | None = None
    scenario: dict[str, Any] | None = None


def scoring_routes(prefix: str) -> list[BaseRoute]:
    """`POST /explain` and `POST /scenarios`."""

    async def explain(request: Request) -> Payload:
        world = world_of(request)
        value = await json_of(request)
        asked = read_model(Evaluate, value)
        player = world.player(ANYBODY, asked.collection_slug, asked.scenario_slug)
        findings = unknown_fields(Evaluate, value) + duplicate_keys(await request.body(), value)
        result = evaluate(player, asked.messages, asked.reward_config)
        findings += result.findings
        listed = [{**finding._asdict(), "severity": finding.severity} for finding in findings]
        return {**explanation(player.scenario, result.play, result.assessment), "findings": listed}

    async def add_scenario(request: Request) -> Payload:
        world = world_of(request)
        given = read_model(NewScenario, await json_of(request))
        if (given.yaml is None) == (given.scenario is None):
            raise BadRequest("scenario: expected either 'scenario' or 'yaml'")
        text = orjson.dumps(given.scenario) if given.yaml is None else given.yaml
        try:
            # In a thread, since a large file takes seconds, in which others want answers.
            scenario = await asyncio.to_thread(
                parse_scenario, text, file=f"{given.scenario_slug}.yaml", collection=given.collection_slug
            )
        except ScenarioError as error:
            raise BadRequest(str(error)) from None
        world.add(scenario)
        return {"collection_slug": scenario.collection, "scenario_slug": scenario.slug, "version": scenario.version}

    return [resource(f"{prefix}/explain", POST=explain), resource(f"{prefix}/scenarios", POST=add_scenario)]
