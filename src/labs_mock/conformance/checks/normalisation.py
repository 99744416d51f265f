"""Normalised rewards (NORM-1, NORM-2)."""

from collections.abc import Sequence
from math import sqrt

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import conversations, dimensions, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.contract.limits import MAX_WINDOWS

PLACES = 10**6  # rewards have six places (RC-4), so that sums of them are exact
TOLERANCE = 1e-5

WINDOWS = ("1n", "2n", "3n", "10000n", "1d", "7d", "366d", "52w", "12m")
NO_WINDOWS = ("", "7", "d", "7y", "7D", "-7d", "+7d", "7.5d", " 7d", "7d ", "7d\n", "7dd", "1w2d", "d7")
OUT_OF_RANGE = ("0d", "0n", "00w", "367d", "53w", "13m", "10001n", "\N{ARABIC-INDIC DIGIT SEVEN}d")


@check("NORM-1")
def a_window_is_a_number_and_a_letter(target: Target) -> None:
    """Anything else is a 400, and so is what is out of range."""
    plain = _hello(target.every_scenario[0])
    for windows, inferred in target.each([(NO_WINDOWS, False), (OUT_OF_RANGE, True)]):
        for window in windows:
            body = {**plain, "normalization_key": target.fresh_key(), "normalization_windows": [window]}
            response = target.request("evaluate", body, limited=False)
            target.expect_status(response, 400, "NORM-1", inferred=inferred, why=f"the window {quoted(window)}")
    for window in target.each(WINDOWS):
        response = target.request(
            "evaluate", {**plain, "normalization_key": target.fresh_key(), "normalization_windows": [window]}
        )
        target.expect_status(
            response, 200, "NORM-1", inferred=window in ("366d", "52w", "12m", "10000n"), why=f"the window {window}"
        )


@check("NORM-1")
def there_are_at_most_five_windows(target: Target) -> None:
    """Five are accepted, six are a 400, and so are any without a key."""
    plain, windows = _hello(target.every_scenario[0]), [f"{days}d" for days in range(1, MAX_WINDOWS + 2)]
    for several, status in target.each(((windows[:-1], 200), (windows, 400))):
        body = {**plain, "normalization_key": target.fresh_key(), "normalization_windows": several}
        response = target.request("evaluate", body, limited=status == 200)
        target.expect_status(response, status, "NORM-1", inferred=False, why=f"{len(several)} windows")
    response = target.request("evaluate", {**plain, "normalization_windows": ["7d"]}, limited=False)
    target.expect_status(response, 400, "NORM-1", inferred=False, why="windows without a key")


@check("NORM-1")
def what_is_wrong_with_windows_is_wrong_in_an_item(target: Target) -> None:
    """An item of a batch with them is an error item."""
    good = item(target.every_scenario[0], [operator("Hello.")])
    wrong: list[Json] = [{"normalization_windows": ["7d"]}]
    wrong += [
        {"normalization_key": target.fresh_key(), "normalization_windows": several} for several in (["7y"], ["1d"] * 6)
    ]
    for fields in target.each(wrong):
        [result] = target.batch([{**good, **fields}])["results"]
        target.expect("NORM-1", result["status"] == "error", f"an error for {shown(fields)}", result, inferred=False)


@check("NORM-1")
def normalized_comes_when_both_are_given(target: Target, draw: Draw) -> None:
    """With a key and windows there is a value for each window, in items too; without either there is none."""
    scenario, windows = draw(target.scenarios), draw(_windows())
    conversation = draw(conversations(scenario))
    for fields in ({}, {"normalization_key": target.fresh_key()}):
        _check_keys(target, target.evaluate(scenario, conversation, **fields), None)
        _check_keys(target, target.batch([item(scenario, conversation, **fields)])["results"][0], None)
    both: Json = {"normalization_key": target.fresh_key(), "normalization_windows": windows}
    _check_keys(target, target.evaluate(scenario, conversation, **both), windows)
    _check_keys(target, target.batch([item(scenario, conversation, **both)])["results"][0], windows)


@check("NORM-2")
def a_score_is_among_the_earlier_rewards(target: Target, draw: Draw) -> None:
    """Each reward's deviation from those before it, over the window, and then it is one of them."""
    scenario, key = draw(target.scenarios), target.fresh_key()
    history: list[float] = []
    for windows in draw(st.lists(_windows(), min_size=3, max_size=6)):
        result = _evaluated(target, draw, scenario, key, windows)
        _check_scores(target, result, history, windows)
        history.append(result["reward"])


@check("NORM-2")
def an_evaluation_with_a_key_alone_is_one_of_the_earlier(target: Target, draw: Draw) -> None:
    """It is not normalised, but later ones are normalised by it."""
    scenario, key, windows = draw(target.scenarios), target.fresh_key(), draw(_windows())
    history = [_evaluated(target, draw, scenario, key, None)["reward"] for _ in range(3)]
    _check_scores(target, _evaluated(target, draw, scenario, key, windows), history, windows)


@check("NORM-2")
def items_are_normalised_by_what_was_before_the_batch(target: Target, draw: Draw) -> None:
    """None of them by another, and later ones by all of them in their order, but for error items."""
    scenario, key, windows = draw(target.scenarios), target.fresh_key(), draw(_windows())
    fields: Json = {"normalization_key": key, "normalization_windows": windows}
    history = [_evaluated(target, draw, scenario, key, windows)["reward"] for _ in range(draw(st.integers(0, 3)))]
    items = [
        item(scenario, one, **fields) for one in draw(st.lists(conversations(scenario, 2), min_size=2, max_size=4))
    ]
    items.insert(1, {**items[0], "messages": []})
    results = [one for one in target.batch(items)["results"] if one["status"] == "success"]
    for result in results:
        _check_scores(target, result, history, windows)
    history += [result["reward"] for result in results]
    _check_scores(target, _evaluated(target, draw, scenario, key, windows), history, windows)


@check("NORM-2")
def every_key_and_scenario_has_a_history_of_its_own(target: Target, draw: Draw) -> None:
    """What was evaluated under another key, for another scenario or without a key is not among the earlier ones."""
    scenario, key, windows = draw(target.scenarios), target.fresh_key(), draw(_windows())
    for _ in range(3):
        _evaluated(target, draw, scenario, key, windows)
    _check_scores(target, _evaluated(target, draw, scenario, target.fresh_key(), windows), [], windows)
    others = [one for one in target.every_scenario if one != scenario]
    if others:
        _check_scores(target, _evaluated(target, draw, draw(st.sampled_from(others)), key, windows), [], windows)


def _evaluated(target: Target, draw: Draw, scenario: OfferedScenario, key: str, windows: list[str] | None) -> Json:
    """An evaluation under a key, with a reward that differs from time to time."""
    config = {"quality_weights": {draw(dimensions()): 1, draw(dimensions()): 0.5}}
    fields: Json = {} if windows is None else {"normalization_windows": windows}
    conversation = draw(conversations(scenario, 2))
    return target.evaluate(scenario, conversation, normalization_key=key, reward_config=config, **fields)


def _check_keys(target: Target, result: Json, windows: Sequence[str] | None) -> None:
    """Check that `normalized` has exactly these windows, or is absent."""
    seen = sorted(result["normalized"]) if "normalized" in result else None
    wanted = None if windows is None else sorted(windows)
    target.expect("NORM-1", seen == wanted, f"normalized for {shown(wanted)}", seen, inferred=False)


def _check_scores(target: Target, result: Json, history: Sequence[float], windows: Sequence[str]) -> None:
    """Check the scores of a result; all of the history is in every window of days, weeks and months."""
    _check_keys(target, result, windows)
    for window in windows:
        samples = history[-int(window[:-1]) :] if window.endswith("n") else history
        wanted, seen = _z_score(result["reward"], samples), result["normalized"][window]
        if wanted is None or seen is None:
            holds = wanted is seen
        else:
            holds = abs(wanted - seen) <= TOLERANCE * max(1, abs(wanted))
        expected = f"{shown(wanted)} for {result['reward']} in {window} after {shown(list(samples))}"
        target.expect("NORM-2", holds, expected, seen)


def _z_score(reward: float, history: Sequence[float]) -> float | None:
    """How many population deviations a reward is above the mean; None without a deviation, computed in whole numbers."""
    count, rewards = len(history), [round(one * PLACES) for one in history]
    spread = count * sum(one * one for one in rewards) - sum(rewards) ** 2
    if count < 2 or spread == 0:
        return None
    return (round(reward * PLACES) * count - sum(rewards)) / sqrt(spread)


def _windows() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=MAX_WINDOWS, unique=True)


def _hello(scenario: OfferedScenario) -> Json:
    return {**scenario.slugs, "messages": [operator("Hello.")]}
