"""A check of `scoring.requires`: a meaningless operator must not fulfil what a scenario requires before it rewards anything (RC-6)."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from labs_mock.contract.requests import Message
from labs_mock.engine.evidence import requires_met
from labs_mock.engine.player import Player
from labs_mock.scenario.compiled.scenario import compile_scenario
from labs_mock.scenario.files.paths import Mistake, find
from labs_mock.scenario.files.schema import ScenarioFile

NOTHING = "zqxj vwkq"
"""A text that no phrase matches."""


def check_requires(data: dict[str, Any]) -> Iterator[Mistake]:
    """A warning about a scenario without mistakes: `scoring.requires` holds whatever the operator sends."""
    if not any(find(data, "scoring.requires")):
        return
    scenario = compile_scenario("local", "local", ScenarioFile.model_validate(data))
    player = Player(scenario)
    turn = [Message(role="assistant", content=NOTHING)]
    play = player.fold(player.start(), repeat(turn, scenario.file.max_turns))
    if requires_met(scenario, play):
        yield Mistake(
            ("scoring", "requires"),
            f"'requires' holds after {play.turn} turns of text that matches no phrase",
            "expected what the operator must ask or do; volunteered items come to light by themselves",
        )
