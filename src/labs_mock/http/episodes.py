"""Episodes: start one, take a turn (section 3)."""

from collections.abc import Iterator
from itertools import count

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import CreateEpisode, TakeTurn
from labs_mock.contract.wording import EPISODE_COMPLETE, quote
from labs_mock.engine.attribution import new_turn
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.detectors import config_findings, invalid_calls
from labs_mock.errors import BadRequest
from labs_mock.http.evaluation import require_assistant, scored
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.ids import episode_id


def create_episode(exchange: Exchange, request: CreateEpisode) -> Payload:
    """`POST /episodes`."""
    player = exchange.world.player(exchange.account, request.collection_slug, request.scenario_slug)
    episode = exchange.world.episodes.create(
        _episode_ids(exchange), exchange.account.organisation, player, bool(request.score_turns), exchange.now
    )
    exchange.episode = episode.id
    if request.config:
        exchange.findings.append(Finding("config_ignored", "config"))
    return {
        "episode_id": episode.id,
        "initial_observation": {"role": "assistant", "content": episode.play.observation},
        "tools": player.scenario.wire_tools,
    }


def take_turn(exchange: Exchange, request: TakeTurn) -> Payload:
    """`POST /episodes/{id}/turns`; nothing is kept of a turn that is refused (EP-15)."""
    episodes, exchange.episode = exchange.world.episodes, exchange.request.parameters["id"]
    episode = episodes.get(exchange.request.parameters["id"], exchange.account.organisation, exchange.now)
    if episode.play.terminal is not None:
        raise BadRequest(EPISODE_COMPLETE)
    player, conversation = episode.player, episode.conversation
    turns, findings = new_turn(player, episode.transcript, request.messages)
    play = player.fold(episode.play, turns)
    exchange.turn = play.turn
    payload: Payload = {
        "turn": play.turn,
        "observation": {"role": "assistant", "content": play.observation},
        "reward": 0.0,
        "episode_complete": play.terminal is not None,
    }
    if not play.valid:
        findings += invalid_calls(player.scenario, request.messages, turns)
    if episode.score_turns:
        conversation = conversation_hash(turns, conversation)
        assessment = player.assess(play, request.reward_config)
        payload |= scored(exchange, player.scenario, assessment, conversation)
        findings += config_findings(player.scenario, request.reward_config)
    elif request.reward_config is not None:
        findings.append(Finding("reward_config_unscored", "reward_config"))
    if play.terminal is not None:
        payload["terminal_reason"] = play.terminal
    if request.id is None:
        findings.append(Finding("missing_body_id", "id"))
    exchange.findings += findings
    messages = [message for turn in turns for message in turn]
    episodes.append(episode, messages, play, exchange.now, conversation)
    return payload


def check_turn(parameters: dict[str, str], request: TakeTurn) -> None:
    """What a turn decides by itself: the id in its body (EP-6), and that the operator may have spoken."""
    if request.id is not None and request.id != parameters["id"]:
        raise BadRequest(f"id: expected the id in the path, got {quote(request.id)}")
    require_assistant(request.messages)


def _episode_ids(exchange: Exchange) -> Iterator[str]:
    return (
        episode_id(exchange.world.settings.seed, exchange.fingerprint, attempt) for attempt in count(exchange.attempt)
    )
