"""The broken clients of the issue by number, with the check that finds each, and sound ones. Generated tests and a page are made of it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import httpx

from labs_mock.testing import LabsMock
from tests.broken_clients import batches, episodes, evaluations, exports, training
from tests.broken_clients.conversations import CONVERSATIONS, GROUPS, SCENARIO

NOTHING = ""
CALLS: Mapping[str, Callable[[LabsMock, Any], Any]] = {
    "assert_rewards": lambda mock, used: mock.assert_rewards(used, CONVERSATIONS, **SCENARIO),
    "assert_advantages": lambda mock, used: mock.assert_advantages(used, CONVERSATIONS, GROUPS, **SCENARIO),
    "assert_trained": lambda mock, used: mock.assert_trained(used, CONVERSATIONS, special=["<|im_end|>"]),
}
"""The assertions on what a client returns."""


class Broken(NamedTuple):
    """A client that makes a mistake.

    `call`, one of `CALLS`, finds it; where it is `NOTHING`, its test fails by default. `text` is in the failure. `marker` are arguments
    of the marker `labs_mock`.
    """

    number: int
    mistake: str
    client: Callable[[httpx.Client, Any], Any]
    call: str
    text: str
    marker: Mapping[str, Any] = {}


class Sound(NamedTuple):
    """A client that makes none: its test passes with that call, and prints nothing."""

    kind: str
    client: Callable[[httpx.Client, Any], Any]
    call: str
    marker: Mapping[str, Any] = {}


def fault(path: str, **entry: Any) -> dict[str, Any]:
    """Arguments of the marker: a fault of requests with that path."""
    return {"faults": [{"path": f"/api/v1/{path}", **entry}]}


REWARDS, ADVANTAGES, TRAINED = "assert_rewards", "assert_advantages", "assert_trained"
LOST = fault("episodes/*/turns", nth=2, reset=40)
TOKEN = "<no_response/>"
NEAR_MISS = "near_miss_token at messages.5.content"

BROKEN = [
    Broken(
        1,
        "sorts conversations by length, and does not sort the rewards back",
        evaluations.sorted_by_length,
        REWARDS,
        "AssertionError: sorted(characters)",
    ),
    Broken(2, "gives rewards in reverse order", evaluations.backwards, REWARDS, "AssertionError: reversed"),
    Broken(
        3,
        "appends rewards in the order in which responses arrive",
        evaluations.as_they_come,
        REWARDS,
        "AssertionError: permuted",
        {"clock": "real", **fault("evaluate", delay={"low": 0, "high": 0.5})},
    ),
    Broken(
        4,
        "uses for each conversation the reward of the one before",
        evaluations.one_off,
        REWARDS,
        "AssertionError: shifted(1)",
    ),
    Broken(
        5,
        "takes a late response for the response to the next request",
        evaluations.late_replies,
        REWARDS,
        "AssertionError: shifted",
        {"clock": "real", **fault("evaluate", nth=1, delay=0.9)},
    ),
    Broken(
        6,
        "pads a list that is too short",
        batches.padded,
        REWARDS,
        "AssertionError: shifted(-1)",
        fault("batch/evaluate", drop_result=0),
    ),
    Broken(
        7,
        "uses 0 for an item of a batch with an error",
        batches.zero_for_an_error,
        REWARDS,
        "AssertionError: failure_became_zero",
        fault("batch/evaluate", fail_item=2),
    ),
    Broken(
        8,
        "uses 0 when a request times out",
        evaluations.zero_for(httpx.TimeoutException),
        REWARDS,
        "AssertionError: failure_became_zero",
        fault("evaluate", nth=2, stall="head"),
    ),
    Broken(
        9,
        "uses 0 for a 503 that a fault causes",
        evaluations.zero_for(httpx.HTTPStatusError),
        REWARDS,
        "AssertionError: failure_became_zero",
        fault("evaluate", nth=2, status=503),
    ),
    Broken(
        10,
        "uses 0 for a 401",
        evaluations.zero_for(httpx.HTTPStatusError, headers={"Authorization": "Bearer lab_old"}),
        NOTHING,
        "POST /api/v1/evaluate -> 401",
    ),
    Broken(11, "uses 0 for a 404", evaluations.misspelt, NOTHING, "POST /api/v1/evaluate -> 404: Scenario not found"),
    Broken(
        12,
        "retries a 429 at once",
        evaluations.beyond_the_quota(evaluations.retried_at_once),
        NOTHING,
        "ignored_rate_limit",
        {"plan": "standard"},
    ),
    Broken(
        13,
        "retries a 400",
        evaluations.retried_at_once,
        NOTHING,
        "retried_on_400: answered 400, and sent again 3 times",
        fault("evaluate", first=3, status=400),
    ),
    Broken(
        14,
        "sends the new messages of a turn again after a lost response",
        episodes.retried,
        NOTHING,
        "duplicate_turn at ",
        LOST,
    ),
    Broken(
        15,
        "sends the whole history of a turn again after a lost response",
        episodes.retried_with_history,
        NOTHING,
        "duplicate_turn at messages",
        LOST,
    ),
    Broken(
        16,
        "sends the history twice to `/evaluate`",
        evaluations.history_twice,
        NOTHING,
        "POST /api/v1/evaluate -> 200: repeated_opening",
    ),
    Broken(17, "sends the history twice in a turn", episodes.history_twice, NOTHING, "/turns -> 200: repeated_opening"),
    Broken(18, "cuts `<no_response/>` short", evaluations.saying(TOKEN[:-1]), NOTHING, NEAR_MISS),
    Broken(19, "sends `<no_response/>` twice in a message", evaluations.saying(TOKEN * 2), NOTHING, NEAR_MISS),
    Broken(20, "adds text around `<no_response/>`", evaluations.saying(f"{TOKEN}<|im_end|>"), NOTHING, NEAR_MISS),
    Broken(
        21,
        "leaves marks of a template in a completion",
        evaluations.saying("I see.<|im_end|>"),
        NOTHING,
        "leaked_markup at messages.5.content",
    ),
    Broken(
        22,
        "computes mean and deviation of equal prompts instead of groups",
        training.advantages_by_prompt,
        ADVANTAGES,
        "probably means and deviations are of rollouts with equal prompts, not of groups",
    ),
    Broken(
        23,
        "accepts an export that was cut",
        exports.accepted,
        NOTHING,
        "partial_export_accepted",
        fault("training-datasets/*/export", nth=1, cut_in_line=2),
    ),
    Broken(24, "sends a history to another episode than its own", episodes.stale_id, NOTHING, "stale_episode"),
    Broken(
        25,
        "uses NaN as a reward",
        evaluations.not_a_number,
        REWARDS,
        "AssertionError: nan",
        fault("evaluate", nth=2, nan_reward=0),
    ),
    Broken(26, "adds up the rewards of the turns", episodes.summed, REWARDS, "AssertionError: summed_over_turns"),
    Broken(27, "does not submit the last turn", episodes.last_turn_kept, REWARDS, "AssertionError: last_but_one_turn"),
    Broken(28, "trains on observations", training.texts_with_observations, TRAINED, "has the observation messages[2]"),
    Broken(29, "forgets `score_turns`: all rewards are 0", episodes.unscored, REWARDS, "AssertionError: became_zero"),
]

SOUND = [
    Sound("single evaluations", evaluations.sound, REWARDS),
    Sound(
        "single evaluations, and one of them fails", evaluations.sound, REWARDS, fault("evaluate", nth=2, status=503)
    ),
    Sound(
        "single evaluations, and one of them is refused",
        evaluations.sound,
        NOTHING,
        fault("evaluate", nth=2, status=400),
    ),
    Sound(
        "single evaluations when a quota is used up",
        evaluations.beyond_the_quota(evaluations.sound),
        REWARDS,
        {"plan": "standard"},
    ),
    Sound("a batch", batches.sound, REWARDS),
    Sound("episodes", episodes.sound, REWARDS),
    Sound("episodes, and an answer is lost", episodes.sound, REWARDS, LOST),
    Sound("an export", exports.sound, NOTHING),
    Sound("an export that is cut", exports.sound, NOTHING, fault("*/export", nth=1, cut_in_line=2)),
    Sound("comparisons", exports.sound_pairs, NOTHING),
    Sound("advantages", training.sound_advantages, ADVANTAGES),
    Sound("training texts", training.sound_texts, TRAINED),
]
