"""Conversations given whole: one, many, or two against each other (section 4)."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from labs_mock.contract.findings import Finding
from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import (
    BatchEvaluate,
    BatchItem,
    Compare,
    Evaluate,
    Message,
    Normalised,
    RewardConfig,
)
from labs_mock.contract.unknown_fields import unknown_fields
from labs_mock.contract.wording import NO_OPERATOR_MESSAGE
from labs_mock.engine import evaluation
from labs_mock.engine.assessment import PLACES, Assessment
from labs_mock.engine.canary import canary_reward
from labs_mock.engine.evaluation import Evaluation
from labs_mock.engine.player import Player
from labs_mock.errors import BadRequest, RequestError
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state import World
from labs_mock.state.sums import NormalisationEntry, units_of, z_score

CANARY = Finding("canary", "")


async def evaluate(exchange: Exchange, request: Evaluate) -> Payload:
    """`POST /evaluate`."""
    player = await exchange.world.player(
        exchange.arrived.revision, exchange.account, request.collection_slug, request.scenario_slug
    )
    scenario = player.scenario
    result = _evaluated(exchange, player, request.messages, request.reward_config)
    payload = scored(exchange, scenario, result.assessment, result.conversation)
    if request.normalization_key is not None:
        await _normalise(exchange, [EvaluatedRequest(request, result.assessment.reward, payload)])
    payload["scoring_version"] = (await exchange.world.library(exchange.arrived.revision)).scoring_version
    payload["metadata"] = {"scenario_name": scenario.file.name, "evaluation_time_ms": exchange.elapsed_ms()}
    return payload


async def batch_evaluate(exchange: Exchange, request: BatchEvaluate) -> Payload:
    """`POST /batch/evaluate`: a bad item gives an error item and leaves the others alone (BAT-2)."""
    evaluated: list[EvaluatedRequest] = []
    results = [await _item(exchange, index, item, evaluated) for index, item in enumerate(request.items)]
    await _normalise(exchange, evaluated)
    return {
        "results": results,
        "scoring_version": (await exchange.world.library(exchange.arrived.revision)).scoring_version,
        "total_time_ms": exchange.elapsed_ms(),
    }


async def compare(exchange: Exchange, request: Compare) -> Payload:
    """`POST /compare`: equal rewards tie, and swapping the responses swaps the answer (CMP-1)."""
    player = await exchange.world.player(
        exchange.arrived.revision, exchange.account, request.collection_slug, request.scenario_slug
    )
    results = [
        _evaluated(exchange, player, response.messages, place=f"{name}.")
        for name, response in (("response_a", request.response_a), ("response_b", request.response_b))
    ]
    reward_a, reward_b = [
        record_reward(exchange, player.scenario, result.assessment, result.conversation) for result in results
    ]
    margin = abs(reward_a - reward_b)
    return {
        "winner": "tie" if reward_a == reward_b else "a" if reward_a > reward_b else "b",
        "reward_a": reward_a,
        "reward_b": reward_b,
        "margin": margin if exchange.world.settings.canary else round(margin, PLACES),
        "scoring_version": (await exchange.world.library(exchange.arrived.revision)).scoring_version,
    }


class EvaluatedRequest(NamedTuple):
    """A request that was evaluated: its reward, before a canary replaces it, and what its result has so far."""

    request: Evaluate | BatchItem
    reward: float
    result: Payload


async def _item(exchange: Exchange, index: int, item: dict[str, Any], evaluated: list[EvaluatedRequest]) -> Payload:
    """The result of an item; one that was evaluated goes with its request to the others that were."""
    place = f"items.{index}."
    exchange.findings += [
        Finding("reward_config_in_batch_item", found.place, "set weights in the scenario, or use /evaluate")
        if found.place == f"{place}reward_config"
        else found
        for found in unknown_fields(BatchItem, item, place)
    ]
    try:
        request = read_model(BatchItem, item, place)
        check_windows(request, place)
        player = await exchange.world.player(
            exchange.arrived.revision, exchange.account, request.collection_slug, request.scenario_slug
        )
        result = _evaluated(exchange, player, request.messages, place=place)
    except RequestError as error:
        exchange.rewards.append(None)  # which keeps the places of the others
        exchange.conversations.append(0)
        return {"id": item["id"], "status": "error", "error": exchange.redact(error.message)}
    payload = scored(exchange, player.scenario, result.assessment, result.conversation)
    payload = {"id": request.id, "status": "success", **payload}
    evaluated.append(EvaluatedRequest(request, result.assessment.reward, payload))
    return payload


async def _normalise(exchange: Exchange, evaluated: Iterable[EvaluatedRequest]) -> None:
    """Log the rewards of requests with a normalization key, and add `normalized` to the results of those with windows.

    All are compared with what was logged before any of them (NORM-1, NORM-2).
    """
    keyed = [one for one in evaluated if one.request.normalization_key is not None]
    if not keyed:
        return
    entries = tuple([_entry(exchange, one.request, one.reward) for one in keyed])
    arrived = exchange.arrived
    sums = await exchange.world.store.normalise(arrived.epoch, exchange.token, arrived.now, entries)
    for (request, _, result), entry, found in zip(keyed, entries, sums, strict=True):
        if request.normalization_windows is not None:
            result["normalized"] = {
                window.text: z_score(entry.units, sums_of_window)
                for window, sums_of_window in zip(entry.windows, found, strict=True)
            }


def _entry(exchange: Exchange, request: Evaluate | BatchItem, reward: float) -> NormalisationEntry:
    assert request.normalization_key is not None
    organisation, key = exchange.account.organisation, request.normalization_key
    windows = tuple(request.normalization_windows or ())
    log = organisation, key, request.collection_slug, request.scenario_slug
    return NormalisationEntry(log, units_of(reward), windows)


def _evaluated(
    exchange: Exchange, player: Player, messages: Sequence[Message], config: RewardConfig | None = None, place: str = ""
) -> Evaluation:
    """A conversation at a place of the request, evaluated; its findings go to the exchange."""
    try:
        result = evaluation.evaluate(player, messages, config)
    except BadRequest as error:
        raise BadRequest(place + error.message) from None
    exchange.findings += [found._replace(place=f"{place}{found.place}") for found in result.findings]
    return result


def served_reward(world: World, scenario: Scenario, assessment: Assessment, conversation: int) -> float:
    """The reward that a world serves: the one of the assessment, or a canary in its place."""
    canary = world.settings.canary
    return canary_reward(scenario, assessment, conversation) if canary else assessment.reward


def record_reward(exchange: Exchange, scenario: Scenario, assessment: Assessment, conversation: int) -> float:
    """The reward that is served. Noted for the journal with the hash of its conversation and the scorers that ran (RC-2)."""
    reward = served_reward(exchange.world, scenario, assessment, conversation)
    if exchange.world.settings.canary and CANARY not in exchange.findings:
        exchange.findings.append(CANARY)
    exchange.rewards.append(reward)
    exchange.conversations.append(conversation)
    exchange.scorers_run += len(assessment.results)
    exchange.scorers_skipped += len(scenario.dimensions) - len(assessment.results)
    return reward


def scored(exchange: Exchange, scenario: Scenario, assessment: Assessment, conversation: int) -> Payload:
    """The reward, and of the scores what the key may see (AUTH-3)."""
    account = exchange.account
    payload: Payload = {"reward": record_reward(exchange, scenario, assessment, conversation)}
    if account.score_access != "reward":
        payload["scores"] = assessment.scores
    if account.score_access == "full":
        payload["score_breakdown"] = assessment.breakdown
    return payload


def check_evaluate(_: dict[str, str], request: Evaluate) -> None:
    """What an evaluation decides by itself."""
    check_windows(request)
    require_assistant(request.messages)


def check_batch(_: dict[str, str], request: BatchEvaluate) -> None:
    """What a batch decides by itself: each item is an object with an id of its own (BAT-2)."""
    for index, item in enumerate(request.items):
        if not isinstance(item.get("id"), str):
            raise BadRequest(f"items.{index}.id: expected text")


def check_compare(_: dict[str, str], request: Compare) -> None:
    """What a comparison decides by itself."""
    for name, response in (("response_a", request.response_a), ("response_b", request.response_b)):
        require_assistant(response.messages, f"{name}.")


def check_windows(request: Normalised, place: str = "") -> None:
    """Raises `BadRequest` for windows without a key, or for one that is empty or too long (NORM-1)."""
    windows = request.normalization_windows
    if windows is not None and request.normalization_key is None:
        raise BadRequest(f"{place}normalization_key: is required beside normalization_windows")
    for index, window in enumerate(windows or ()):
        if not 0 < window.number <= window.most:
            raise BadRequest(
                f"{place}normalization_windows.{index}: expected 1{window.unit} to {window.most}{window.unit}"
            )


def require_assistant(messages: Sequence[Message], place: str = "") -> None:
    """Raises `BadRequest` for a conversation in which the operator cannot have said anything."""
    for message in messages:
        if message["role"] == "assistant":
            return
    raise BadRequest(place + NO_OPERATOR_MESSAGE)
