"""Episodes over the control plane: list them, look into one, end one."""

from collections.abc import Iterable, Iterator
from typing import cast

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.limits import MAX_NESTING
from labs_mock.contract.wording import EPISODE_COMPLETE, EPISODE_NOT_FOUND
from labs_mock.engine.explanation import explanation
from labs_mock.engine.transcript import TranscriptLine, turns_of
from labs_mock.engine.turn_results import turn_results
from labs_mock.errors import BadRequest, Conflict, NotFound
from labs_mock.http.control.episode_list import episode_summary, list_episodes
from labs_mock.http.control.journal import hidden, records_of, settled
from labs_mock.http.control.resources import arrived_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state import World
from labs_mock.state.episode import Episode


def episode_routes(prefix: str) -> list[BaseRoute]:
    """`GET /episodes`, `/episodes/{id}` and `/episodes/{id}/rewards`, and `POST /episodes/{id}/terminate`."""

    async def show_episode(request: Request) -> Payload:
        arrived = arrived_of(request)
        episode = await world_of(request).store.load_episode(arrived.epoch, request.path_params["id"], arrived.now)
        return await _shown(request, episode)

    async def show_rewards(request: Request) -> Payload:
        arrived = arrived_of(request)
        episode = await world_of(request).store.load_episode(arrived.epoch, request.path_params["id"], arrived.now)
        if episode is None:
            raise NotFound(EPISODE_NOT_FOUND)
        await settled()
        return {"rewards": await rewards_by_turn(world_of(request), episode)}

    async def terminate_episode(request: Request) -> Payload:
        try:
            episode = await world_of(request).store.end_episode(request.path_params["id"])
        except Conflict:
            raise BadRequest(EPISODE_COMPLETE) from None
        return await _shown(request, episode)

    return [
        resource(f"{prefix}/episodes", GET=list_episodes),
        resource(f"{prefix}/episodes/{{id}}", GET=show_episode),
        resource(f"{prefix}/episodes/{{id}}/rewards", GET=show_rewards),
        resource(f"{prefix}/episodes/{{id}}/terminate", POST=terminate_episode),
    ]


async def rewards_by_turn(world: World, episode: Episode) -> list[Payload]:
    """The reward after each turn: the one with which it was answered, where the journal has that, else the one that the engine computes."""
    counts = await world.store.journal_counts()
    answered = {
        record.turn: reward
        async for record in records_of(world, counts)
        if record.episode == episode.id and record.turn is not None and record.status == 200
        for reward in record.rewards
        if reward is not None
    }
    results = turn_results((await world.replayed(episode)).player, list(turns_of(episode.transcript)))
    return [
        {"turn": turn, "reward": answered.get(turn, result.assessment.reward), "served": turn in answered}
        for turn, result in enumerate(results, 1)
    ]


async def _shown(request: Request, episode: Episode | None) -> Payload:
    """An episode with all that its clients do not see, its keys masked. Raises `NotFound` for none."""
    if episode is None:
        raise NotFound(EPISODE_NOT_FOUND)
    world = world_of(request)
    player, play, _ = await world.replayed(episode)
    scenario = player.scenario
    explained = explanation(scenario, play, player.assess(play))
    found = {
        **episode_summary(episode),
        "transcript": list(_transcript(scenario, episode.transcript)),
        "context": list(play.context),
        "explanation": {**explained, "terminal_reason": episode.ended},
    }
    # The input of a call may have as many levels as a request: it may have come as text.
    return cast("Payload", hidden(found, world.redactor, 2 * MAX_NESTING))


def _transcript(scenario: Scenario, transcript: Iterable[TranscriptLine]) -> Iterator[Payload]:
    """Who spoke in which turn, the opening in turn 0, and each tool call with what is wrong with it (EP-12)."""
    turn = 0
    for line in transcript:
        if not line.operator:
            yield {"turn": turn, "speaker": "persona", "content": line.content}
            turn += 1
            continue
        calls = [_call(scenario, call) for call in orjson.loads(line.calls or b"[]")]
        yield {"turn": turn, "speaker": "operator", "content": line.content, **({"tool_calls": calls} if calls else {})}


def _call(scenario: Scenario, call: Payload) -> Payload:
    problem = scenario.call_problem(call["name"], call["type"], call["input"])
    if problem is None:
        return {**call, "valid": True}
    return {**call, "valid": False, "path": problem[0], "reason": problem[1]}
