import asyncio
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from labs_mock.clock import Clock
from labs_mock.config.library import Library
from labs_mock.config.server_file import KeyEntry
from labs_mock.config.settings import settings_from
from labs_mock.contract.responses import TerminalReason
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.transcript import TranscriptLine, transcript_line
from labs_mock.errors import Forbidden, NotFound
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.account import Account
from labs_mock.state.episode import Episode
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.world import World, accounts_of, initial_state, source_of
from tests.http.datasets import LONG, dataset, talks
from tests.state.samples import run
from tests.support import KEY, library, operator, scenario

ALL = Account.from_key("lab_all")
SOME = replace(Account.from_key("lab_some"), subscriptions=("coaching",))
WHERE = "case-management", "back-claim"
SETTINGS = settings_from({"clock": "frozen"})
_ids = count()


def world(known: Library | None = None, **settings: Any) -> World:
    """A world on a frozen clock, of the small claim scenario if nothing else is named."""
    return World(settings_from({"clock": "frozen", **settings}), known or library())


async def revision(of: World) -> int:
    """That of the library of now."""
    return (await of.store.library())[0]


def test_a_scenario_is_found_by_its_slugs() -> None:
    """The same player is found each time, so that what it remembers serves every request."""

    async def check() -> None:
        here = world()
        now = await revision(here)
        player = await here.player(now, ALL, *WHERE)
        assert player.scenario.slug == "back-claim"
        assert await here.player(now, ALL, *WHERE) is player
        assert await here.player(now, None, *WHERE) is player

    run(check())


@pytest.mark.parametrize(
    ("account", "collection", "slug", "error"),
    [
        (ALL, "nope", "back-claim", NotFound),
        (ALL, "case-management", "nope", NotFound),
        (None, "case-management", "nope", NotFound),
        (SOME, "nope", "back-claim", NotFound),
        (SOME, "case-management", "back-claim", Forbidden),
        (SOME, "case-management", "nope", Forbidden),
    ],
)
def test_what_cannot_be_played(account: Account | None, collection: str, slug: str, error: type[Exception]) -> None:
    """An unknown collection is 404, one without a subscription 403, then an unknown scenario 404 (EP-1, AUTH-2)."""
    with pytest.raises(error):
        run(world().player(0, account, collection, slug))


def test_keys_come_from_the_file_or_from_the_settings() -> None:
    """Without a list in server.yaml there is one key, that of the settings, with their plan."""
    accounts = accounts_of(settings_from({"plan": "premium", "api_key": "lab_mine"}), library())
    assert accounts == {"lab_mine": Account.from_key("lab_mine", "local", 300)}
    entries = [KeyEntry(key="lab_a", organisation="a", revoked=True), KeyEntry(key="lab_b", organisation="b")]
    listed = world(library(keys=entries))
    assert listed.first_key == "lab_b"
    assert [one.organisation for one in run(listed.store.accounts())] == ["a", "b"]


def test_added_keys_are_masked_until_the_keys_are_reset() -> None:
    """The process alone knows keys as they are; those of the start stay known (ERR-2)."""

    async def check() -> None:
        here = world()
        here.add_key("lab_added")
        assert here.redactor(f"lab_added {KEY}") == "lab_***** lab_*****"
        await here.reset("journal")
        assert here.redactor("lab_added") == "lab_*****"
        await here.reset("keys")
        assert here.redactor(f"lab_added {KEY}") == "lab_added lab_*****"

    run(check())


def test_an_added_scenario_replaces_the_one_with_its_slugs() -> None:
    """It is served from then on, compiled once; a server that shares the store compiles it from its content."""

    async def check() -> None:
        initial = initial_state(SETTINGS, library(), [ALL])
        store = MemoryStore(initial)
        here, elsewhere = World(SETTINGS, library(), store=store), World(SETTINGS, Library({}), store=store)
        changed = scenario(name="Changed")
        before = await here.library()
        await here.add_scenario(changed)
        for one in (here, elsewhere):
            now = await one.library(await revision(here))
            assert now.collections["case-management"].scenarios["back-claim"].full_name == changed.full_name
            assert now.scoring_version != before.scoring_version
            assert await one.library(await revision(here)) is now
        assert (await here.player(await revision(here), ALL, *WHERE)).scenario is changed

    run(check())


def test_a_library_that_is_published_is_served() -> None:
    """By every server with the store, with the datasets in it; nothing of it is compiled twice where it was loaded (DS-6)."""

    async def check() -> None:
        here = world()
        await here.library()
        new = Library(library(talks()).collections, {LONG: dataset(LONG)})
        await here.publish(new)
        served = await here.library()
        assert served.scenarios[0] is new.scenarios[0]
        assert served.datasets == new.datasets
        assert source_of(served) == source_of(new)

    run(check())


def played(known: Scenario, *contents: str, ended: TerminalReason | None = None) -> Episode:
    """An episode after some turns, in which the persona's lines do not matter."""
    lines = [TranscriptLine(known.first_observation, operator=False)]
    for content in contents:
        lines += [transcript_line(operator(content)), TranscriptLine("I see.", operator=False)]
    name = f"ep-{next(_ids)}"
    return Episode(
        name, name, "acme", *known.full_name, True, tuple(lines), len(contents), ended, Clock.parse("frozen").now()
    )


def test_the_state_of_an_episode_is_folded_again() -> None:
    """Whether it is remembered or not, state and hash are those of the turns that were taken (DET-3)."""

    async def check() -> None:
        here, known = world(), library().scenarios[0]
        player = await here.player(0, ALL, *WHERE)
        turns = [[operator(content)] for content in ("Tell me what happened.", "Hello", "Thank you.")]
        expected = player.fold(player.start(), turns)
        taken = played(known, "Tell me what happened.", "Hello", "Thank you.")
        found = await here.replayed(taken)
        assert (found.play, found.conversation) == (expected, conversation_hash(turns))
        assert (await here.replayed(taken)).play is found.play
        shorter = await here.replayed(played(known, "Hello")._replace(origin=taken.origin))
        assert shorter.play.turn == 1
        here.remember(taken, (), expected, 7)
        assert (await here.replayed(taken)).conversation == 7

    run(check())


def test_other_turns_in_the_place_of_lost_ones_are_folded() -> None:
    """A store that fails over may have lost a turn and have taken another one: no state is one of both (DET-3, EP-15)."""

    async def check() -> None:
        here, known = world(), library().scenarios[0]
        lost, taken = played(known, "Hello", "Thank you."), played(known, "Hello", "Tell me what happened.")
        fresh = await world().replayed(taken)
        await here.replayed(lost)
        found = await here.replayed(taken._replace(origin=lost.origin))
        assert (found.play, found.conversation) == (fresh.play, fresh.conversation)

    run(check())


def test_an_episode_that_was_ended_shows_it() -> None:
    """The state of one that the control plane has ended says so, and the same turns without that do not (EP-14)."""

    async def check() -> None:
        here, known = world(), library().scenarios[0]
        going = played(known, "Hello")
        ended = going._replace(ended="client_terminated")
        assert (await here.replayed(ended)).play.terminal == "client_terminated"
        assert (await here.replayed(going)).play.terminal is None

    run(check())


def test_an_episode_keeps_the_scenario_that_it_began_with() -> None:
    """As long as the store has it; then it is not found (EP-13)."""

    async def check() -> None:
        here, before = world(), library().scenarios[0]
        await here.add_scenario(scenario(name="Changed"))
        assert (await here.replayed(played(before, "Hello"))).player.scenario.full_name == before.full_name
        with pytest.raises(NotFound, match="Episode not found"):
            await here.replayed(played(before, "Hello")._replace(version="unknown"))

    run(check())


def test_rows_are_made_once_for_all_exports_of_a_dataset() -> None:
    """A dataset that has changed is another one, and what was made of one that is no more leaves its share (DS-6)."""

    async def check() -> None:
        here = World(SETTINGS, Library(library(talks()).collections, {LONG: dataset(LONG, count=3)}))
        (state,) = await here.store.datasets()
        exports = [await here.export(state.dataset) for _ in range(2)]
        rows = [b"".join(export.chunks) for export in exports]
        assert rows[0] == rows[1]
        assert rows[0].count(b"\n") == 3
        assert [export.keep_exhausted for export in exports] == [0, 0]
        other = await here.export(dataset(LONG, count=2))
        assert b"".join(other.chunks).count(b"\n") == 2

    run(check())


def test_a_reset_world_is_like_a_fresh_one() -> None:
    """Clock, quotas, attempts and episodes start anew, and the instance stays; tokens never come again."""

    async def check() -> None:
        used = world()
        start, instance, tokens = (await used.store.clock()).now(), used.instance, {used.token()}
        await used.store.advance_clock(100)
        assert await used.reset("clock") == ["clock", "limits", "episodes", "normalisation", "datasets"]
        assert (await used.store.clock()).now() == start
        await used.store.advance_clock(100)
        assert "attempts" in await used.reset()
        assert ((await used.store.clock()).now(), used.instance) == (start, instance)
        assert used.token() not in tokens

    run(check())


def test_servers_with_one_store_have_tokens_of_their_own() -> None:
    """No two requests have the same one, whichever server they are sent to."""
    one, other = world(), world()
    assert len({made.token() for made in (one, other) for _ in range(100)}) == 200


def test_a_compilation_elsewhere_lets_others_run() -> None:
    """It is done in a thread, so that a large scenario delays nobody."""

    async def check() -> None:
        store = MemoryStore(initial_state(SETTINGS, library(), [ALL]))
        elsewhere, ran = World(SETTINGS, Library({}), store=store), []

        async def others() -> None:
            while True:
                ran.append(0)
                await asyncio.sleep(0)

        running = asyncio.create_task(others())
        await elsewhere.library()
        running.cancel()
        assert len(ran) > 1

    run(check())
