"""The list of episodes over the control plane, with filters and in pages."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request

from labs_mock.clock import instant_text
from labs_mock.errors import BadRequest
from labs_mock.http.control.findings import findings_of, recorded
from labs_mock.http.control.journal import number_of
from labs_mock.http.control.resources import arrived_of, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state import World
from labs_mock.state.episode import Episode
from labs_mock.text import did_you_mean

FILTERS: dict[str, Callable[[Episode, str], bool]] = {
    "scenario": lambda episode, name: name in (episode.slug, f"{episode.collection}/{episode.slug}"),
    "organisation": lambda episode, name: episode.organisation == name,
    "state": lambda episode, state: state in (episode.ended or "open", "ended" if episode.ended else "open"),
}
NAMES = (*FILTERS, "finding", "limit", "before")
DEFAULT_LIMIT, MAX_LIMIT = 100, 1_000


class ListedEpisodes(NamedTuple):
    """A page of episodes, and the id behind which the next one begins; None for the last page."""

    episodes: list[Episode]
    next: str | None


async def list_episodes(request: Request) -> Payload:
    """A page of the episodes that pass all filters, the one with the newest turn first; `next` is where the next page begins."""
    page = await listed_episodes(request, dict(request.query_params))
    return {"episodes": [episode_summary(episode) for episode in page.episodes], "next": page.next}


async def listed_episodes(request: Request, query: Mapping[str, str]) -> ListedEpisodes:
    """The page that a query asks for. Raises `BadRequest` for one that cannot be answered."""
    world, filters = world_of(request), dict(query)
    for name in filters:
        if name not in NAMES:
            raise BadRequest(f"{name[:80]}: unknown filter; {did_you_mean(name, NAMES)}")
    limit = number_of(filters.pop("limit", str(DEFAULT_LIMIT)), "limit")
    if not 0 < limit <= MAX_LIMIT:
        raise BadRequest(f"limit: expected 1 to {MAX_LIMIT:,}")
    before, code = filters.pop("before", None), filters.pop("finding", None)
    await _check_present(request, before)
    chosen = None if code is None else await _with_finding(world, code)
    found: list[Episode] = []
    async for episode in world.episodes(before):
        if all(FILTERS[name](episode, filters[name]) for name in filters) and (chosen is None or episode.id in chosen):
            if len(found) == limit:
                return ListedEpisodes(found, found[-1].id)
            found.append(episode)
    return ListedEpisodes(found, None)


async def _check_present(request: Request, name: str | None) -> None:
    """Raises `BadRequest` for an episode that there is not, behind which there is no page."""
    arrived = arrived_of(request)
    if name and await world_of(request).store.load_episode(arrived.epoch, name, arrived.now) is None:
        raise BadRequest(f"before: no episode {name[:80]!r}; leave it out, and begin with the first page")


async def _with_finding(world: World, code: str) -> set[str | None]:
    """The episodes of the requests that prove a finding of a code."""
    records = await recorded(world, await world.store.journal_counts())
    found = [finding for finding in await findings_of(world, records) if finding.code == code]
    return {records[number].episode for finding in found for number in finding.requests}


def episode_summary(episode: Episode) -> Payload:
    """An episode without its transcript."""
    return {
        "id": episode.id,
        "organisation": episode.organisation,
        "collection_slug": episode.collection,
        "scenario_slug": episode.slug,
        "score_turns": episode.score_turns,
        "turn": episode.turns,
        "terminal_reason": episode.ended,
        "touched": instant_text(episode.touched),
    }
