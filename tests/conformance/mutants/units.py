"""What has the right shape in the wrong unit, on the wrong scale or from the wrong origin, in all sections."""

import time
from collections.abc import Callable
from typing import Any

from labs_mock.http import evaluation, request
from tests.conformance.mutants import ChangedResponse, instead, on_response, on_rows

# The end of a window


def _reset(change: Callable[[int], float]) -> Callable[[ChangedResponse], None]:
    """Another reset, where there is one."""

    def changed(response: ChangedResponse) -> None:
        if "x-ratelimit-reset" in response.headers:
            response.headers["x-ratelimit-reset"] = str(int(change(int(response.headers["x-ratelimit-reset"]))))

    return changed


on_response("RL-1", "the reset is in milliseconds", status=None, inferred=False)(_reset(lambda reset: reset * 1000))
on_response("RL-1", "the reset is in microseconds", status=None, inferred=False)(
    _reset(lambda reset: reset * 1_000_000)
)
on_response("RL-1", "the reset is in minutes", status=None, inferred=False)(_reset(lambda reset: reset / 60))
on_response("RL-1", "the reset is in seconds from now", status=None, inferred=False)(_reset(lambda _: 60))
on_response("RL-2", "the reset is when the window began", status=None, inferred=True)(_reset(lambda reset: reset - 60))
on_response("RL-2", "the reset is an hour ahead", status=None, inferred=True)(_reset(lambda reset: reset + 3600))
on_response("RL-2", "the reset is in local time", status=None, inferred=True)(_reset(lambda reset: reset - 5 * 3600))


@on_response("RL-1", "what remains is what was used", status=None, inferred=True)
def _(response: ChangedResponse) -> None:
    if "x-ratelimit-remaining" in response.headers:
        limit, remaining = (int(response.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
        response.headers["x-ratelimit-remaining"] = str(limit - remaining)


@on_response("RL-1", "what remains is in percent", status=None, inferred=True)
def _(response: ChangedResponse) -> None:
    if "x-ratelimit-remaining" in response.headers:
        limit, remaining = (int(response.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining"))
        response.headers["x-ratelimit-remaining"] = str(100 * remaining // limit)


@on_response("KEY-1", "the reset of a limit is in milliseconds", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    for limit in response.body["rate_limits"]:
        limit["reset"] *= 1000


@on_response("KEY-1", "what remains of a limit is what was used", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    for limit in response.body["rate_limits"]:
        limit["remaining"] = limit["limit"] - limit["remaining"]


# Times


@on_response("EV-1", "evaluation_time_ms is in microseconds", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["metadata"]["evaluation_time_ms"] = 900_000


@on_response("BAT-1", "total_time_ms is in microseconds", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    response.body["total_time_ms"] = 900_000


def _slow(messages: Any) -> bool:
    """Whether a conversation is long, for which this server takes seven tenths of a second."""
    return isinstance(messages, list) and any(300 < len(one["content"]) < 1000 for one in messages)


@on_response("EV-1", "evaluation_time_ms is in seconds", "evaluate")
def _(response: ChangedResponse) -> None:
    if _slow(response.request_json["messages"]):
        time.sleep(0.7)
        response.body["metadata"]["evaluation_time_ms"] = 1


@on_response("BAT-1", "total_time_ms is in seconds", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    if len(response.request_json["items"]) == 1 and _slow(response.request_json["items"][0].get("messages")):
        time.sleep(0.7)
        response.body["total_time_ms"] = 1


# Sizes


@instead("GEN-3", "the largest body has 16 MB", request, "read_body")
async def _(original: Any, receive: Any, length: Any, _limit: int) -> Any:
    return await original(receive, length, 16_000_000)


# Rewards and scores


@on_response("EP-5", "the reward of a turn is in percent", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["reward"] *= 100


@on_response("EP-5", "the reward of an evaluation is in percent", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["reward"] *= 100


@on_response("RC-4", "scores are in percent", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["scores"] = {name: score * 100 for name, score in response.body["scores"].items()}


@on_response("RC-4", "scores are halves of what they should be", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["scores"] = {name: round(score / 2, 6) for name, score in response.body["scores"].items()}


@on_response("RC-4", "a reward is on a scale from a half to 1", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["reward"] = round(0.5 + response.body["reward"] / 2, 6)


@on_response("CMP-1", "the margin is in percent", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["margin"] = min(1.0, response.body["margin"] * 100)


@on_response("BAT-3", "the rewards of items are on a scale from a half to 1", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        if "reward" in result:
            result["reward"] = round(0.5 + result["reward"] / 2, 6)


@instead("NORM-2", "scores are T-scores", evaluation, "z_score")
def _(original: Any, *arguments: Any) -> Any:
    score = original(*arguments)
    return score if score is None else 50 + 10 * score


@instead("NORM-2", "scores are in percent of a deviation", evaluation, "z_score")
def _(original: Any, *arguments: Any) -> Any:
    score = original(*arguments)
    return score if score is None else score * 100


# Turns and rows


@on_response("EP-10", "max_turns counts the persona's messages, too", "list_catalog", inferred=True)
def _(response: ChangedResponse) -> None:
    for collection in response.body["collections"]:
        for scenario in collection["scenarios"]:
            scenario["max_turns"] = min(50, 2 * scenario["max_turns"])


@on_response("DS-2", "row_count is in thousands", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["row_count"]:
        response.body["row_count"] = response.body["row_count"] // 1000 + 1


@on_response("DS-4", "X-Row-Count counts bytes", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["x-row-count"] = str(len(response.body))


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
