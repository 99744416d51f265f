"""Episodes over the control plane: look into one, end one."""

from collections.abc import Iterator

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.wording import EPISODE_COMPLETE
from labs_mock.engine.explanation import explanation
from labs_mock.engine.reward import assess
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.episodes import Episode


def episode_routes(prefix: str) -> list[BaseRoute]:
    """`GET /episodes/{id}` and `POST /episodes/{id}/terminate`."""

    async def show_episode(request: Request) -> Payload:
        world = world_of(request)
        return _shown(world.episodes.find(request.path_params["id"], world.clock.now()))

    async def terminate_episode(request: Request) -> Payload:
        world = world_of(request)
        episode = world.episodes.find(request.path_params["id"], world.clock.now())
        if episode.play.terminal is not None:
            raise BadRequest(EPISODE_COMPLETE)
        return _shown(world.episodes.terminate(episode))

    return [
        resource(f"{prefix}/episodes/{{id}}", GET=show_episode),
        resource(f"{prefix}/episodes/{{id}}/terminate", POST=terminate_episode),
    ]


def _shown(episode: Episode) -> Payload:
    """An episode with all that its clients do not see."""
    scenario, play = episode.player.scenario, episode.play
    return {
        "id": episode.id,
        "organisation": episode.organisation,
        "collection_slug": scenario.collection,
        "scenario_slug": scenario.slug,
        "score_turns": episode.score_turns,
        "turn": play.turn,
        "terminal_reason": play.terminal,
        "touched": instant_text(episode.touched),
        "transcript": list(_transcript(episode)),
        "context": list(play.context),
        "explanation": explanation(scenario, play, assess(scenario, play)),
    }


def _transcript(episode: Episode) -> Iterator[Payload]:
    """Who spoke in which turn, the opening in turn 0, and each tool call with what is wrong with it (EP-12)."""
    scenario, turn = episode.player.scenario, 0
    for line in episode.transcript:
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
