"""Episodes over the control plane: look into one, end one."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.wording import EPISODE_COMPLETE
from labs_mock.engine.explain import explanation
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import resource
from labs_mock.http.exchange import Payload
from labs_mock.world import World
from labs_mock.world.episodes import Episode


def episode_routes(world: World, prefix: str) -> list[BaseRoute]:
    """`GET /episodes/{id}` and `POST /episodes/{id}/terminate`."""

    async def show_episode(request: Request) -> Payload:
        return _shown(world.episodes.find(request.path_params["id"], world.clock.now()))

    async def terminate_episode(request: Request) -> Payload:
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
        "transcript": [
            {"speaker": "operator" if line.operator else "persona", "content": line.content}
            for line in episode.transcript
        ],
        "context": list(play.context),
        "explanation": explanation(scenario, play),
    }
