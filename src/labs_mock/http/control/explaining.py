"""Why a reward is what it is, over the control plane."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import Evaluate
from labs_mock.contract.unknown_fields import duplicate_keys, unknown_fields
from labs_mock.engine.evaluation import evaluate
from labs_mock.engine.explanation import explanation
from labs_mock.http.control.resources import arrived_of, json_of, resource, world_of
from labs_mock.http.evaluation import served_reward
from labs_mock.http.exchange import Payload


def explain_routes(prefix: str) -> list[BaseRoute]:
    """`POST /explain`, with a body like that of `/evaluate`."""

    async def explain(request: Request) -> Payload:
        value = await json_of(request)
        evaluation = read_model(Evaluate, value)
        player = await world_of(request).player(
            arrived_of(request).revision, None, evaluation.collection_slug, evaluation.scenario_slug
        )
        findings = unknown_fields(Evaluate, value) + duplicate_keys(await request.body(), value)
        result = evaluate(player, evaluation.messages, evaluation.reward_config)
        findings += result.findings
        listed = [{**finding._asdict(), "severity": finding.severity} for finding in findings]
        explained = explanation(player.scenario, result.play, result.assessment)
        served = served_reward(world_of(request), player.scenario, result.assessment, result.conversation)
        return {**explained, "served": served, "findings": listed}

    return [resource(f"{prefix}/explain", POST=explain)]
