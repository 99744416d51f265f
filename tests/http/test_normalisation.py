from typing import Any

import pytest

from labs_mock.config.server_file import KeyEntry
from tests.http.test_batch import WHERE, conversation
from tests.support import Live, live, world

LOW, HIGH = conversation("nonsense"), conversation("Tell me what happened.")


def evaluate(server: Live, messages: Any, key: str = "lab_local", **fields: Any) -> Any:
    """An evaluation under a normalisation key."""
    body = {**WHERE, "messages": messages, "normalization_key": "run", **fields}
    return server.post("/evaluate", body, key=key).json()


def test_rewards_are_normalised_by_earlier_ones(server: Live) -> None:
    """`null` until there are two samples that differ; this one is appended afterwards (NORM-2)."""
    windows: dict[str, Any] = {"normalization_windows": ["7d", "2n"]}
    assert evaluate(server, LOW, **windows)["normalized"] == {"7d": None, "2n": None}
    assert evaluate(server, HIGH, **windows)["normalized"] == {"7d": None, "2n": None}
    assert evaluate(server, HIGH, **windows)["normalized"] == {"7d": 1.0, "2n": 1.0}
    server.advance(8 * 86_400)
    third = evaluate(server, LOW, **windows)["normalized"]
    assert third == {"7d": None, "2n": None}


def test_normalized_needs_both(server: Live) -> None:
    """With a key alone the reward is logged and not normalised; with windows alone it is a 400 (NORM-1)."""
    for messages in (LOW, HIGH):
        assert "normalized" not in evaluate(server, messages)
    assert evaluate(server, HIGH, normalization_windows=["2n"])["normalized"] == {"2n": 1.0}
    refused = server.post("/evaluate", {**WHERE, "messages": HIGH, "normalization_windows": ["2n"]})
    assert refused.status_code == 400
    assert refused.json()["message"] == "normalization_key: is required beside normalization_windows"


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        (["1d"] * 6, "normalization_windows: expected at most 5 entries"),
        (["7"], "normalization_windows.0: expected a whole number and d, w, m or n, such as 7d, got '7'"),
        (["7 d"], "normalization_windows.0: expected a whole number"),
        (["\N{ARABIC-INDIC DIGIT SEVEN}d"], "normalization_windows.0: expected a whole number"),
        (["7d\n"], "normalization_windows.0: expected a whole number"),
        (["1d", "0d"], "normalization_windows.1: expected 1d to 366d"),
        (["367d"], "normalization_windows.0: expected 1d to 366d"),
        (["53w"], "normalization_windows.0: expected 1w to 52w"),
        (["13m"], "normalization_windows.0: expected 1m to 12m"),
        (["10001n"], "normalization_windows.0: expected 1n to 10000n"),
        ([7], "normalization_windows.0: expected text, got 7"),
        ("7d", "normalization_windows: expected a list"),
    ],
)
def test_bad_windows(server: Live, windows: Any, message: str) -> None:
    """Five at most, ASCII digits, more than 0, at most 366 days or 10,000 evaluations (NORM-1)."""
    assert evaluate(server, HIGH, normalization_windows=windows)["message"].startswith(message)


def test_a_batch_is_normalised_against_what_was_before_it(server: Live) -> None:
    """Its items do not see each other, and are appended in their order (NORM-2)."""
    item = {**WHERE, "normalization_key": "run", "normalization_windows": ["2n"]}
    items = [{**item, "id": str(index), "messages": messages} for index, messages in enumerate((LOW, HIGH, HIGH))]
    bad = {**item, "id": "bad", "messages": HIGH, "normalization_windows": ["x"]}
    first = server.post("/batch/evaluate", {"items": [*items, bad]}).json()["results"]
    assert [result.get("normalized") for result in first] == [{"2n": None}] * 3 + [None]
    assert first[-1]["error"].startswith("items.3.normalization_windows.0: expected a whole number")
    second = server.post("/batch/evaluate", {"items": items}).json()["results"]
    assert [result["normalized"] for result in second] == [{"2n": None}] * 3
    assert evaluate(server, LOW, normalization_windows=["3n"])["normalized"] == {"3n": pytest.approx(-1.414214)}


def test_organisations_do_not_share_a_history() -> None:
    """The log belongs to the organisation, whichever of its keys is used (NORM-2)."""
    keys = [KeyEntry(key=f"lab_{name}", organisation=name[0]) for name in ("a1", "a2", "b1")]
    with live(world(keys=keys)) as server:
        for messages in (LOW, HIGH):
            evaluate(server, messages, key="lab_a1")
        seen = {
            name: evaluate(server, HIGH, key=name, normalization_windows=["2n"])["normalized"]["2n"]
            for name in ("lab_b1", "lab_a2")
        }
    assert seen == {"lab_b1": None, "lab_a2": 1.0}
