"""Play a scenario as its operator: the persona's reply, the reward and every rule after each turn.

The conversation is in the page alone, which sends all of it behind the opening with each turn. Nothing is stored: no episode, no quota, no reward logged.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import Evaluate, Message
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine.evaluation import Evaluation, evaluate
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine, transcript_line
from labs_mock.http.control.resources import arrived_of, json_of, resource, world_of
from labs_mock.http.inspector.conversation import episode_view
from labs_mock.http.inspector.rendering import environment, page
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.episode import Episode


def play_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /scenarios/{collection}/{scenario}/play`."""

    async def show_play(request: Request) -> Response:
        scenario = (await _player(request)).scenario
        return await page(
            request,
            "play",
            scenario={"collection": scenario.collection, "slug": scenario.slug, "name": scenario.file.name},
            opening=scenario.first_observation,
            tools=[_tool(scenario, name) for name in scenario.tools],
            silence=NO_RESPONSE,
        )

    async def take_turn(request: Request) -> Response:
        player, sent = await _player(request), await json_of(request)
        scenario = player.scenario
        slugs = {"collection_slug": scenario.collection, "scenario_slug": scenario.slug}
        opening = Message(role="user", content=scenario.first_observation)
        messages = [opening, *read_model(Evaluate, {"messages": sent.get("messages"), **slugs}).messages]
        result = evaluate(player, messages)
        view = episode_view(player, _episode(scenario, messages, result), {}, world_of(request).redactor)
        answer = {
            "html": environment().get_template("played.html").render(view=view),
            "observation": result.play.observation,
            "turn": result.play.turn,
            "reward": result.assessment.reward,
            "ended": result.play.terminal,
        }
        return JSONResponse(answer)

    path = f"{prefix}/scenarios/{{collection}}/{{scenario}}/play"
    return [resource(path, GET=show_play, POST=take_turn)]


async def _player(request: Request) -> Player:
    """The player of the scenario that a path names. Raises `NotFound` for one that the library has not."""
    names = request.path_params["collection"], request.path_params["scenario"]
    return await world_of(request).player(arrived_of(request).revision, None, *names)


def _tool(scenario: Scenario, name: str) -> dict[str, Any]:
    """A tool with an example of what it takes."""
    tool = scenario.tools[name]
    return {"name": name, "type": tool.type, "options": tool.options or (), "example": tool.example}


def _episode(scenario: Scenario, messages: Sequence[Message], result: Evaluation) -> Episode:
    """The conversation as an episode would have it, for its page; nothing stores it."""
    lines = [
        transcript_line(one) if one["role"] == "assistant" else TranscriptLine(one["content"], False)
        for one in messages
    ]
    if lines[-1].operator:
        lines.append(TranscriptLine(result.play.observation, False))
    named = scenario.collection, scenario.slug, scenario.version
    return Episode("", "", "", *named, False, tuple(lines), result.play.turn, result.play.terminal, 0.0)
