import pytest

from labs_mock.engine.player import Player
from labs_mock.errors import NotFound
from labs_mock.state.episodes import Episode, Episodes
from tests.support import operator, scenario

PLAYER = Player(scenario())


def create(episodes: Episodes, *ids: str, now: float = 0) -> Episode:
    """A new episode of one organisation."""
    return episodes.create(iter(ids), "acme", PLAYER, False, now)


def take(episodes: Episodes, episode: Episode, content: str, now: float = 0) -> bool:
    """A turn on an episode as the caller saw it."""
    turn = [operator(content)]
    return episodes.append(episode, turn, PLAYER.fold(episode.play, [turn]), now)


def test_an_id_that_is_held_moves_on() -> None:
    """The first of the ids that nobody has is taken (DET-3)."""
    episodes = Episodes()
    assert [create(episodes, "a", "b", "c").id for _ in range(3)] == ["a", "b", "c"]


def test_only_the_organisation_finds_it() -> None:
    """Unknown, another organisation's and expired are the same 404 (EP-13)."""
    episodes = Episodes()
    create(episodes, "a", now=0)
    assert episodes.get("a", "acme", 86_399.9).id == "a"
    for name, organisation, now in (("b", "acme", 0), ("a", "other", 0), ("a", "acme", 86_400)):
        with pytest.raises(NotFound, match="Episode not found"):
            episodes.get(name, organisation, now)


def test_a_turn_is_added_to_what_its_caller_saw() -> None:
    """The second of two turns that saw the same episode is refused, and changes nothing (EP-15)."""
    episodes = Episodes()
    seen = create(episodes, "a")
    assert take(episodes, seen, "one")
    assert not take(episodes, seen, "two")
    held = episodes.get("a", "acme", 0)
    assert [line.content for line in held.transcript if line.operator] == ["one"]
    assert take(episodes, held, "two")
    assert episodes.get("a", "acme", 0).play.turn == 2


def test_the_one_without_a_turn_for_longest_goes_first() -> None:
    """The store is bounded by number."""
    episodes = Episodes(limit=2)
    first = create(episodes, "a")
    create(episodes, "b")
    take(episodes, first, "still here")
    create(episodes, "c")
    assert len(episodes) == 2
    assert episodes.get("a", "acme", 0).play.turn == 1
    with pytest.raises(NotFound):
        episodes.get("b", "acme", 0)


def test_the_store_is_bounded_by_characters_too() -> None:
    """Long transcripts push old episodes out, but never the newest itself."""
    episodes = Episodes(characters=1_000)
    old, new = create(episodes, "a"), create(episodes, "b")
    take(episodes, new, "x" * 5_000)
    assert len(episodes) == 1
    assert episodes.get("b", "acme", 0).play.turn == 1
    assert not take(episodes, old, "gone")
    episodes.reset()
    assert len(episodes) == 0
