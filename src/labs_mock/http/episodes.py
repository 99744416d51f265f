"""Episodes: start one, take a turn (section 3)."""

from functools import partial

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import CreateEpisode, TakeTurn
from labs_mock.contract.wording import EPISODE_COMPLETE, EPISODE_NOT_FOUND, quote
from labs_mock.engine.attribution import new_turn
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.detectors import config_findings, invalid_calls
from labs_mock.engine.transcript import TranscriptLine, transcript_line
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.evaluation import require_assistant, scored
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.ids import episode_id
from labs_mock.state.episode import AppendedTurn, Episode


async def create_episode(exchange: Exchange, request: CreateEpisode) -> Payload:
    """`POST /episodes`. Where the id is taken, the next attempt is made under the next one (DET-3)."""
    arrived = exchange.arrived
    player = await exchange.world.player(
        arrived.revision, exchange.account, request.collection_slug, request.scenario_slug
    )
    scenario, observation = player.scenario, player.start().observation
    attempt = arrived.attempt + exchange.conflicts
    exchange.episode = episode_id(exchange.world.settings.seed, arrived.fingerprint, attempt)
    exchange.created = Episode(
        exchange.episode,
        exchange.token,
        exchange.account.organisation,
        scenario.collection,
        scenario.slug,
        scenario.version,
        bool(request.score_turns),
        (TranscriptLine(observation, False),),
        0,
        None,
        arrived.now,
    )
    if request.config:
        exchange.findings.append(Finding("config_ignored", "config"))
    return {
        "episode_id": exchange.episode,
        "initial_observation": {"role": "assistant", "content": observation},
        "tools": scenario.wire_tools,
    }


async def take_turn(exchange: Exchange, request: TakeTurn) -> Payload:
    """`POST /episodes/{id}/turns`; nothing is kept of a turn that is refused (EP-15)."""
    episode = await _load(exchange)
    if episode.ended is not None:
        raise BadRequest(EPISODE_COMPLETE)
    player, play, conversation = await exchange.world.replayed(episode)
    turns, findings = new_turn(player, episode.transcript, request.messages)
    play = player.fold(play, turns)
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
    operator_lines = [transcript_line(message) for turn in turns for message in turn]
    lines = *operator_lines, TranscriptLine(play.observation, False)
    exchange.appended = AppendedTurn(episode.id, episode.turns, lines, play.terminal, exchange.arrived.now)
    exchange.remember = partial(exchange.world.remember, episode, lines, play, conversation)
    return payload


async def _load(exchange: Exchange) -> Episode:
    """The episode in the path. Raises `NotFound` if it is unknown, expired or another organisation's (EP-13)."""
    arrived = exchange.arrived
    exchange.episode = exchange.request.parameters["id"]
    episode = await exchange.world.store.load_episode(arrived.epoch, exchange.episode, arrived.now)
    if episode is None or episode.organisation != exchange.account.organisation:
        raise NotFound(EPISODE_NOT_FOUND)
    return episode


def check_turn(parameters: dict[str, str], request: TakeTurn) -> None:
    """What a turn decides by itself: the id in its body (EP-6), and that the operator may have spoken."""
    if request.id is not None and request.id != parameters["id"]:
        raise BadRequest(f"id: expected the id in the path, got {quote(request.id)}")
    require_assistant(request.messages)
