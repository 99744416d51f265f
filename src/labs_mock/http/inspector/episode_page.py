"""Episodes as a table with filters, and one of them as a chat with its rewards."""

from collections.abc import Iterable
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock.contract.responses import TerminalReason
from labs_mock.contract.wording import EPISODE_NOT_FOUND
from labs_mock.errors import NotFound
from labs_mock.http.control.episode_list import episode_summary, listed_episodes
from labs_mock.http.control.journal import records_of
from labs_mock.http.control.resources import arrived_of, resource, world_of
from labs_mock.http.inspector.conversation import AnsweredReward, episode_view
from labs_mock.http.inspector.rendering import page
from labs_mock.state import World
from labs_mock.state.episode import Episode
from labs_mock.state.record import Record

ROWS = 50
FILTERS = ("scenario", "organisation", "state", "finding")
STATES = ("", "open", "ended", *get_args(TerminalReason))


def episode_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET /episodes` and `/episodes/{id}`."""

    async def list_episodes(request: Request) -> Response:
        world, query = world_of(request), {name: value for name, value in request.query_params.items() if value}
        found = await listed_episodes(request, {**query, "limit": str(ROWS)})
        return await page(
            request,
            "episodes",
            rows=[await _row(world, episode) for episode in found.episodes],
            filters={name: query.get(name, "") for name in FILTERS},
            states=STATES,
            before=query.get("before"),
            older=found.next,
        )

    async def show_episode(request: Request) -> Response:
        world, arrived = world_of(request), arrived_of(request)
        episode = await world.store.load_episode(arrived.epoch, request.path_params["id"], arrived.now)
        if episode is None:
            raise NotFound(EPISODE_NOT_FOUND)
        player = (await world.replayed(episode)).player
        records = await _records(world, episode.id)
        view = episode_view(player, episode, _served(records), world.redactor)
        return await page(
            request,
            "episode",
            episode=episode_summary(episode),
            scenario=player.scenario.file.name,
            view=view,
            canary=world.settings.canary,
            numbers=[record.number for record in records],
            by_turn={record.turn or 0: record.number for record in records if record.status == 200},
        )

    return [
        resource(f"{prefix}/episodes", GET=list_episodes),
        resource(f"{prefix}/episodes/{{id}}", GET=show_episode),
    ]


async def _row(world: World, episode: Episode) -> dict[str, Any]:
    """An episode in the table; its reward is None where its scenario is gone."""
    try:
        player, play, _ = await world.replayed(episode)
    except NotFound:
        return {**episode_summary(episode), "reward": None}
    return {**episode_summary(episode), "reward": player.assess(play).reward if play.turn else None}


async def _records(world: World, name: str) -> list[Record]:
    """The requests of an episode that the journal still has, in their order."""
    counts = await world.store.journal_counts()
    return [record async for record in records_of(world, counts) if record.episode == name]


def _served(records: Iterable[Record]) -> dict[int, AnsweredReward]:
    """The rewards with which turns were answered, by turn; of an episode without `score_turns` there are none."""
    return {
        record.turn: AnsweredReward(reward, record.number)
        for record in records
        if record.turn is not None and record.status == 200
        for reward in record.rewards
        if reward is not None
    }
