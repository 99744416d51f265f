"""The operations: from a validated request to a payload. None of them waits for anything."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.contract.models import CreateEpisode, Evaluate, Message, RewardConfig, TakeTurn
from labs_mock.contract.operations import OPERATIONS, Operation
from labs_mock.contract.wording import EPISODE_COMPLETE, NO_OPERATOR_MESSAGE, quote
from labs_mock.engine.attribution import conversation, new_turn
from labs_mock.engine.reward import assess, unknown_dimensions
from labs_mock.engine.state import Play
from labs_mock.errors import BadRequest
from labs_mock.http.exchange import Exchange
from labs_mock.ids import episode_id
from labs_mock.scenario.scenario import Scenario
from labs_mock.world.accounts import Account

Payload = dict[str, Any]


def create_episode(exchange: Exchange, request: CreateEpisode) -> Payload:
    """`POST /episodes`."""
    player = exchange.world.player(exchange.account, request.collection_slug, request.scenario_slug)
    episode = exchange.world.episodes.create(
        _episode_ids(exchange), exchange.account.organisation, player, bool(request.score_turns), exchange.now
    )
    return {
        "episode_id": episode.id,
        "initial_observation": {"role": "assistant", "content": episode.play.observation},
        "tools": player.scenario.wire_tools,
    }


def take_turn(exchange: Exchange, request: TakeTurn) -> Payload:
    """`POST /episodes/{id}/turns`."""
    episodes = exchange.world.episodes
    episode = episodes.get(exchange.parameters["id"], exchange.account.organisation, exchange.now)
    if episode.play.terminal is not None:
        raise BadRequest(EPISODE_COMPLETE)
    player = episode.player
    turns, findings = new_turn(player, episode.transcript, request.messages)
    play = player.fold(episode.play, turns)
    payload: Payload = {
        "turn": play.turn,
        "observation": {"role": "assistant", "content": play.observation},
        "reward": 0.0,
        "episode_complete": play.terminal is not None,
    }
    if episode.score_turns:
        payload |= _scored(exchange.account, player.scenario, play, request.reward_config)
    if play.terminal is not None:
        payload["terminal_reason"] = play.terminal
    if request.id is None:
        findings.append(Finding("missing_body_id", "id"))
    exchange.findings += findings + unknown_dimensions(player.scenario, request.reward_config)
    episodes.append(episode, [message.content for turn in turns for message in turn], play, exchange.now)
    return payload


def evaluate(exchange: Exchange, request: Evaluate) -> Payload:
    """`POST /evaluate`."""
    player = exchange.world.player(exchange.account, request.collection_slug, request.scenario_slug)
    scenario = player.scenario
    turns, findings = conversation(player, request.messages)
    play = player.fold(player.start(), turns)
    if play.turn < len(turns):
        findings.append(Finding("turns_after_end", "messages"))
    exchange.findings += findings + unknown_dimensions(scenario, request.reward_config)
    payload: Payload = _scored(exchange.account, scenario, play, request.reward_config)
    payload["scoring_version"] = scenario.scoring_version
    payload["metadata"] = {
        "scenario_name": scenario.file.name,
        "evaluation_time_ms": int((exchange.world.clock.now() - exchange.now) * 1000),
    }
    return payload


def _scored(account: Account, scenario: Scenario, play: Play, config: RewardConfig | None) -> Payload:
    """The reward, and of the scores what the key may see (AUTH-3)."""
    assessment = assess(scenario, play, config)
    payload: Payload = {"reward": assessment.reward}
    if account.score_access != "reward":
        payload["scores"] = assessment.scores
    if account.score_access == "full":
        payload["score_breakdown"] = assessment.breakdown
    return payload


def _episode_ids(exchange: Exchange) -> Iterator[str]:
    return (episode_id(exchange.world.settings.seed, exchange.asked, attempt) for attempt in count(exchange.attempt))


# What a request decides by itself, before it uses any quota (RL-1).


def _check_turn(parameters: dict[str, str], request: TakeTurn) -> None:
    if request.id is not None and request.id != parameters["id"]:
        raise BadRequest(f"id: expected the id in the path, got {quote(request.id)}")
    _require_assistant(request.messages)


def _check_evaluate(_: dict[str, str], request: Evaluate) -> None:
    _require_assistant(request.messages)


def _require_assistant(messages: list[Message]) -> None:
    if "assistant" not in [message.role for message in messages]:
        raise BadRequest(NO_OPERATOR_MESSAGE)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation of the contract and what carries it out."""

    operation: Operation
    handle: Callable[[Exchange, Any], Payload]
    check: Callable[[dict[str, str], Any], None] | None = None


_HANDLERS: dict[str, tuple[Callable[[Exchange, Any], Payload], Callable[[dict[str, str], Any], None] | None]] = {
    "create_episode": (create_episode, None),
    "take_turn": (take_turn, _check_turn),
    "evaluate": (evaluate, _check_evaluate),
}

ENDPOINTS = tuple(Endpoint(operation, *_HANDLERS[operation.name]) for operation in OPERATIONS)
