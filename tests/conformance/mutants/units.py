"""What has the right shape in the wrong unit, on the wrong scale or from the wrong origin, in all sections."""

import time
from collections.abc import Callable
from typing import Any

from labs_mock.http import request
from labs_mock.state.normalisation import Log
from tests.conformance.mutants import Answer, instead, on_answer, on_rows

# The end of a window


def _reset(change: Callable[[int], float]) -> Callable[[Answer], None]:
    """Tell another reset, where one is told."""

    def changed(answer: Answer) -> None:
        if "x-ratelimit-reset" in answer.headers:
            answer.headers["x-ratelimit-reset"] = str(int(change(int(answer.headers["x-ratelimit-reset"]))))

    return changed


on_answer("RL-1", "the reset is in milliseconds", status=None, inferred=False)(_reset(lambda reset: reset * 1000))
on_answer("RL-1", "the reset is in microseconds", status=None, inferred=False)(_reset(lambda reset: reset * 1_000_000))
on_answer("RL-1", "the reset is in minutes", status=None, inferred=False)(_reset(lambda reset: reset / 60))
on_answer("RL-1", "the reset is in seconds from now", status=None, inferred=False)(_reset(lambda _: 60))
on_answer("RL-2", "the reset is when the window began", status=None, inferred=True)(_reset(lambda reset: reset - 60))
on_answer("RL-2", "the reset is an hour ahead", status=None, inferred=True)(_reset(lambda reset: reset + 3600))
on_answer("RL-2", "the reset is in local time", status=None, inferred=True)(_reset(lambda reset: reset - 5 * 3600))


@on_answer("RL-1", "what remains is what was used", status=None, inferred=True)
def _(answer: Answer) -> None:
    if "x-ratelimit-remaining" in answer.headers:
        limit, remaining = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
        answer.headers["x-ratelimit-remaining"] = str(limit - remaining)


@on_answer("RL-1", "what remains is in percent", status=None, inferred=True)
def _(answer: Answer) -> None:
    if "x-ratelimit-remaining" in answer.headers:
        limit, remaining = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
        answer.headers["x-ratelimit-remaining"] = str(100 * remaining // limit)


@on_answer("KEY-1", "the reset of a limit is in milliseconds", "describe_key", inferred=True)
def _(answer: Answer) -> None:
    for limit in answer.body["rate_limits"]:
        limit["reset"] *= 1000


@on_answer("KEY-1", "what remains of a limit is what was used", "describe_key", inferred=True)
def _(answer: Answer) -> None:
    for limit in answer.body["rate_limits"]:
        limit["remaining"] = limit["limit"] - limit["remaining"]


# Times


@on_answer("EV-1", "evaluation_time_ms is in microseconds", "evaluate")
def _(answer: Answer) -> None:
    answer.body["metadata"]["evaluation_time_ms"] = 900_000


@on_answer("BAT-1", "total_time_ms is in microseconds", "batch_evaluate")
def _(answer: Answer) -> None:
    answer.body["total_time_ms"] = 900_000


def _slow(messages: Any) -> bool:
    """Whether much is said at once, for which this server takes seven tenths of a second."""
    return isinstance(messages, list) and any(300 < len(one["content"]) < 1000 for one in messages)


@on_answer("EV-1", "evaluation_time_ms is in seconds", "evaluate")
def _(answer: Answer) -> None:
    if _slow(answer.asked["messages"]):
        time.sleep(0.7)
        answer.body["metadata"]["evaluation_time_ms"] = 1


@on_answer("BAT-1", "total_time_ms is in seconds", "batch_evaluate")
def _(answer: Answer) -> None:
    if len(answer.asked["items"]) == 1 and _slow(answer.asked["items"][0].get("messages")):
        time.sleep(0.7)
        answer.body["total_time_ms"] = 1


# Sizes


@instead("GEN-3", "the largest body has 16 MB", request, "read_body")
async def _(original: Any, receive: Any, length: Any, _limit: int) -> Any:
    return await original(receive, length, 16_000_000)


# Rewards and scores


@on_answer("EP-5", "the reward of a turn is in percent", "take_turn")
def _(answer: Answer) -> None:
    answer.body["reward"] *= 100


@on_answer("EP-5", "the reward of an evaluation is in percent", "evaluate")
def _(answer: Answer) -> None:
    answer.body["reward"] *= 100


@on_answer("RC-4", "scores are in percent", "evaluate")
def _(answer: Answer) -> None:
    answer.body["scores"] = {name: score * 100 for name, score in answer.body["scores"].items()}


@on_answer("RC-4", "scores are halves of what they should be", "evaluate")
def _(answer: Answer) -> None:
    answer.body["scores"] = {name: round(score / 2, 6) for name, score in answer.body["scores"].items()}


@on_answer("RC-4", "a reward is on a scale from a half to 1", "evaluate")
def _(answer: Answer) -> None:
    answer.body["reward"] = round(0.5 + answer.body["reward"] / 2, 6)


@on_answer("CMP-1", "the margin is in percent", "compare", inferred=False)
def _(answer: Answer) -> None:
    answer.body["margin"] = min(1.0, answer.body["margin"] * 100)


@on_answer("BAT-3", "the rewards of items are on a scale from a half to 1", "batch_evaluate")
def _(answer: Answer) -> None:
    for result in answer.body["results"]:
        if "reward" in result:
            result["reward"] = round(0.5 + result["reward"] / 2, 6)


@instead("NORM-2", "scores are T-scores", Log, "z_score")
def _(original: Any, self: Log, *given: Any) -> Any:
    score = original(self, *given)
    return score if score is None else 50 + 10 * score


@instead("NORM-2", "scores are in percent of a deviation", Log, "z_score")
def _(original: Any, self: Log, *given: Any) -> Any:
    score = original(self, *given)
    return score if score is None else score * 100


# Turns and rows


@on_answer("EP-10", "max_turns counts the persona's messages, too", "list_catalog", inferred=True)
def _(answer: Answer) -> None:
    for collection in answer.body["collections"]:
        for scenario in collection["scenarios"]:
            scenario["max_turns"] = min(50, 2 * scenario["max_turns"])


@on_answer("DS-2", "row_count is in thousands", "dataset_status", inferred=True)
def _(answer: Answer) -> None:
    if answer.body["row_count"]:
        answer.body["row_count"] = answer.body["row_count"] // 1000 + 1


@on_answer("DS-4", "X-Row-Count counts bytes", "export_dataset", inferred=False)
def _(answer: Answer) -> None:
    answer.headers["x-row-count"] = str(len(answer.body))


@on_rows("ROW-2", "turn_count counts from 0", inferred=True)
def _(rows: list[Any]) -> None:
    for row in rows:
        row["metadata"]["turn_count"] -= 1


@on_rows("ROW-1", "complexity is from 1 to 10", inferred=False)
def _(rows: list[Any]) -> None:
    for row in rows:
        row["metadata"]["complexity_score"] = 1.0 + 9 * row["metadata"]["complexity_score"]


@on_rows("ROW-1", "rollout_index counts down from -1", inferred=False)
def _(rows: list[Any]) -> None:
    for row in rows:
        row["metadata"]["rollout_index"] = -1 - row["metadata"]["rollout_index"]
