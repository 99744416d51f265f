"""Text about nothing earns nothing in the scenarios that are shipped (RC-6)."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.starter import starter_files
from labs_mock.contract.requests import RewardConfig
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.scenario.files.loader import parse_scenario
from tests.support import operator

LATE_PARCEL = parse_scenario(
    starter_files("scenarios")["support/late-parcel.yaml"], file="late-parcel.yaml", collection="support"
)
PLAYERS = {
    f"{one.collection}/{one.slug}": Player(one) for one in (*load_library(shipped_library()).scenarios, LATE_PARCEL)
}
every_player = pytest.mark.parametrize("player", PLAYERS.values(), ids=PLAYERS)

COMMON = re.findall(
    r"\w+",
    """
    the be to of and a in that have I it for not on with he as you do at this but his by from they we say her she
    or an will my one all would there their what so up out if about who get which go me when make can like time no
    just him know take people into year your good some could them see other than then now look only come its over
    think also back after use two how our work first well way even new want because any these give day most us
    money family work sleep arm doctor report pain help tax winter budget plan job school house night week
    """,
)
"""The most common words of English, and some that scenarios listen to."""
GREETINGS = (
    "Hello.",
    "Hi there!",
    "Good morning.",
    "Good afternoon, nice to meet you.",
    "Hello, how are you?",
    "How are you today?",
    "How are you doing?",
    "Welcome! My name is Alex.",
    "Thank you for calling. How can I help you?",
    "Good to hear from you. Take care, goodbye.",
    "Hello, I'm glad you called. How are you doing? How do you feel?",
    "Good that you called, thank you for sharing. Take your time.",
    "Welcome, I appreciate you. What is on your mind? Anything else?",
    "Good morning, what would you like to talk about?",
)
ABOUT_NOTHING = (
    "qwerty",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
    "The weather is lovely today, isn't it? Do you like trains?",
    "Any plans for the weekend? I might watch the football.",
    "I understand. Thank you for telling me. That must be hard, I am so sorry.",
    "ok",
    "...",
    "<no_response/>",
    "1 2 3 4 5 6 7 8 9",
    "SELECT * FROM users; --",
)
words = st.sampled_from(COMMON) | st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9)
nonsense = st.lists(words, min_size=1, max_size=12).map(" ".join)


def reward(player: Player, texts: Iterable[str], config: RewardConfig | None = None) -> float:
    """The reward of some turns of text, or of as many of them as the scenario takes."""
    play = player.fold(player.start(), [[operator(text)] for text in texts])
    return assess(player.scenario, play, config).reward


@every_player
@settings(max_examples=60)
@given(st.lists(nonsense, min_size=1, max_size=18))
@example([" ".join(COMMON)] * 18)
def test_random_words_earn_nothing(player: Player, texts: list[str]) -> None:
    """However many turns of them (RC-6)."""
    assert reward(player, texts) == 0


@every_player
@pytest.mark.parametrize("text", [*GREETINGS, *ABOUT_NOTHING])
def test_one_text_about_nothing_earns_nothing_however_often(player: Player, text: str) -> None:
    """A greeting, keys at random, sympathy for nothing: after one turn and after all of them (RC-6)."""
    turns = player.scenario.file.max_turns
    assert reward(player, [text]) == reward(player, [text] * turns) == 0
    assert reward(player, [text] * turns, RewardConfig(skip_safety_gate=True)) == 0


@every_player
def test_an_operator_that_only_greets_earns_nothing(player: Player) -> None:
    """In any order and over all turns (RC-6)."""
    turns = player.scenario.file.max_turns
    for start in range(len(GREETINGS)):
        assert reward(player, [GREETINGS[(start + turn) % len(GREETINGS)] for turn in range(turns)]) == 0


@every_player
def test_scores_of_nothing_stay_what_they_are(player: Player) -> None:
    """It is the reward that is 0: avoiding mistakes is still a score (RC-6)."""
    play = player.fold(player.start(), [[operator("qwerty")]])
    assessment = assess(player.scenario, play)
    assert assessment.results["failure_metrics"].value > 0
    assert not assessment.earned
