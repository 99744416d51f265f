"""The conversations of a drill, and their rewards."""

from dataclasses import dataclass
from typing import Any

from labs_mock.config.library import Library
from labs_mock.contract.requests import Message, as_json
from labs_mock.engine.evaluation import evaluate
from labs_mock.engine.player import Player
from labs_mock.engine.rollout import roll_out

COLLECTION, SCENARIO, OTHER_SCENARIO = "case-management", "lower-back-claim", "return-to-work-plan"

CHOSEN = (  # scenario, operator, turns: neither lengths nor rewards are in order
    (SCENARIO, "expert", 4),
    (SCENARIO, "middling", 2),
    (SCENARIO, "expert", 8),
    (OTHER_SCENARIO, "middling", 6),
    (SCENARIO, "expert", 3),
    (SCENARIO, "middling", 6),
)


@dataclass(frozen=True, slots=True)
class DrilledConversation:
    """A conversation as functions get it, which `/evaluate` takes as it is, and its reward."""

    body: dict[str, Any]
    reward: float


def conversations_of(library: Library) -> list[DrilledConversation]:
    """Six conversations of the shipped library whose rewards all differ, and none of which is 0."""
    return [_conversation(library, *chosen) for chosen in CHOSEN]


def _conversation(library: Library, slug: str, operator: str, turns: int) -> DrilledConversation:
    scenario = library.collections[COLLECTION].scenarios[slug]
    rollout = roll_out(Player(scenario), operator)
    messages = [Message(role="user", content=Player(scenario).start().observation)]
    for turn, observation in list(zip(rollout.turns, rollout.observations, strict=True))[:turns]:
        messages += [*turn, Message(role="user", content=observation)]
    del messages[-1]
    body = {
        "collection_slug": COLLECTION,
        "scenario_slug": slug,
        "messages": [as_json(message) for message in messages],
    }
    return DrilledConversation(body, evaluate(Player(scenario), messages).assessment.reward)
