"""Normalised rewards (NORM-1, NORM-2)."""

from collections.abc import Sequence
from math import sqrt

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, dimensions, operator
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.contract.limits import MAX_WINDOWS

PLACES = 10**6  # rewards have six places (RC-4), so that sums of them are exact
TOLERANCE = 1e-5

WINDOWS = ("1n", "2n", "3n", "10000n", "1d", "7d", "366d", "52w", "12m")
NO_WINDOWS = ("", "7", "d", "7y", "7D", "-7d", "+7d", "7.5d", " 7d", "7d ", "7d\n", "7dd", "1w2d", "d7")
OUT_OF_RANGE = ("0d", "0n", "00w", "367d", "53w", "13m", "10001n", "\N{ARABIC-INDIC DIGIT SEVEN}d")


@check("NORM-1")
def a_window_is_a_number_and_a_letter(lab: Lab) -> None:
    """Anything else is a 400, and so is what is out of range."""
    plain = _hello(lab.every_scenario[0])
    for windows, inferred in lab.each([(NO_WINDOWS, False), (OUT_OF_RANGE, True)]):
        for window in windows:
            body = {**plain, "normalization_key": lab.fresh(), "normalization_windows": [window]}
            sent = lab.ask("evaluate", body, limited=False)
            lab.refused(sent, 400, "NORM-1", inferred=inferred, why=f"the window {quoted(window)}")
    for window in lab.each(WINDOWS):
        sent = lab.ask("evaluate", {**plain, "normalization_key": lab.fresh(), "normalization_windows": [window]})
        lab.refused(
            sent, 200, "NORM-1", inferred=window in ("366d", "52w", "12m", "10000n"), why=f"the window {window}"
        )


@check("NORM-1")
def there_are_at_most_five_windows(lab: Lab) -> None:
    """Five are accepted, six are a 400, and so are any without a key."""
    plain, windows = _hello(lab.every_scenario[0]), [f"{days}d" for days in range(1, MAX_WINDOWS + 2)]
    for given, status in lab.each(((windows[:-1], 200), (windows, 400))):
        body = {**plain, "normalization_key": lab.fresh(), "normalization_windows": given}
        sent = lab.ask("evaluate", body, limited=status == 200)
        lab.refused(sent, status, "NORM-1", inferred=False, why=f"{len(given)} windows")
    sent = lab.ask("evaluate", {**plain, "normalization_windows": ["7d"]}, limited=False)
    lab.refused(sent, 400, "NORM-1", inferred=False, why="windows without a key")


@check("NORM-1")
def what_is_wrong_with_windows_is_wrong_in_an_item(lab: Lab) -> None:
    """An item of a batch with them is an error item."""
    good = item(lab.every_scenario[0], [operator("Hello.")])
    wrong: list[Json] = [{"normalization_windows": ["7d"]}]
    wrong += [{"normalization_key": lab.fresh(), "normalization_windows": given} for given in (["7y"], ["1d"] * 6)]
    for fields in lab.each(wrong):
        [result] = lab.batch([{**good, **fields}])["results"]
        lab.expect("NORM-1", result["status"] == "error", f"an error for {shown(fields)}", result, inferred=False)


@check("NORM-1")
def normalized_comes_when_both_are_given(lab: Lab, data: DrawExample) -> None:
    """A key and windows are answered with a value for each window, in items too; less than both is not."""
    scenario, windows = data(lab.scenarios), data(_windows())
    conversation = data(conversations(scenario))
    for fields in ({}, {"normalization_key": lab.fresh()}):
        _judge_keys(lab, lab.evaluate(scenario, conversation, **fields), None)
        _judge_keys(lab, lab.batch([item(scenario, conversation, **fields)])["results"][0], None)
    both: Json = {"normalization_key": lab.fresh(), "normalization_windows": windows}
    _judge_keys(lab, lab.evaluate(scenario, conversation, **both), windows)
    _judge_keys(lab, lab.batch([item(scenario, conversation, **both)])["results"][0], windows)


@check("NORM-2")
def a_score_is_among_the_earlier_rewards(lab: Lab, data: DrawExample) -> None:
    """Each reward's deviation from those before it, over the window, and then it is one of them."""
    scenario, key = data(lab.scenarios), lab.fresh()
    history: list[float] = []
    for windows in data(st.lists(_windows(), min_size=3, max_size=6)):
        answer = _evaluated(lab, data, scenario, key, windows)
        _judge_scores(lab, answer, history, windows)
        history.append(answer["reward"])


@check("NORM-2")
def an_evaluation_with_a_key_alone_is_one_of_the_earlier(lab: Lab, data: DrawExample) -> None:
    """It is not normalised, but later ones are normalised by it."""
    scenario, key, windows = data(lab.scenarios), lab.fresh(), data(_windows())
    history = [_evaluated(lab, data, scenario, key, None)["reward"] for _ in range(3)]
    _judge_scores(lab, _evaluated(lab, data, scenario, key, windows), history, windows)


@check("NORM-2")
def items_are_normalised_by_what_was_before_the_batch(lab: Lab, data: DrawExample) -> None:
    """None of them by another, and later ones by all of them in their order, but for error items."""
    scenario, key, windows = data(lab.scenarios), lab.fresh(), data(_windows())
    fields: Json = {"normalization_key": key, "normalization_windows": windows}
    history = [_evaluated(lab, data, scenario, key, windows)["reward"] for _ in range(data(st.integers(0, 3)))]
    items = [
        item(scenario, one, **fields) for one in data(st.lists(conversations(scenario, 2), min_size=2, max_size=4))
    ]
    items.insert(1, {**items[0], "messages": []})
    results = [one for one in lab.batch(items)["results"] if one["status"] == "success"]
    for result in results:
        _judge_scores(lab, result, history, windows)
    history += [result["reward"] for result in results]
    _judge_scores(lab, _evaluated(lab, data, scenario, key, windows), history, windows)


@check("NORM-2")
def every_key_and_scenario_has_a_history_of_its_own(lab: Lab, data: DrawExample) -> None:
    """What was evaluated under another key, for another scenario or without a key is not among the earlier ones."""
    scenario, key, windows = data(lab.scenarios), lab.fresh(), data(_windows())
    for _ in range(3):
        _evaluated(lab, data, scenario, key, windows)
    _judge_scores(lab, _evaluated(lab, data, scenario, lab.fresh(), windows), [], windows)
    others = [one for one in lab.every_scenario if one != scenario]
    if others:
        _judge_scores(lab, _evaluated(lab, data, data(st.sampled_from(others)), key, windows), [], windows)


def _evaluated(lab: Lab, data: DrawExample, scenario: TargetScenario, key: str, windows: list[str] | None) -> Json:
    """An evaluation under a key, with a reward that differs from time to time."""
    config = {"quality_weights": {data(dimensions()): 1, data(dimensions()): 0.5}}
    fields: Json = {} if windows is None else {"normalization_windows": windows}
    said = data(conversations(scenario, 2))
    return lab.evaluate(scenario, said, normalization_key=key, reward_config=config, **fields)


def _judge_keys(lab: Lab, answer: Json, windows: Sequence[str] | None) -> None:
    """Judge that `normalized` has exactly these windows, or is absent."""
    seen = sorted(answer["normalized"]) if "normalized" in answer else None
    wanted = None if windows is None else sorted(windows)
    lab.expect("NORM-1", seen == wanted, f"normalized for {shown(wanted)}", seen, inferred=False)


def _judge_scores(lab: Lab, answer: Json, history: Sequence[float], windows: Sequence[str]) -> None:
    """Judge the scores of an answer; all of the history is in every window of days, weeks and months."""
    _judge_keys(lab, answer, windows)
    for window in windows:
        samples = history[-int(window[:-1]) :] if window.endswith("n") else history
        wanted, seen = _z_score(answer["reward"], samples), answer["normalized"][window]
        if wanted is None or seen is None:
            held = wanted is seen
        else:
            held = abs(wanted - seen) <= TOLERANCE * max(1, abs(wanted))
        said = f"{shown(wanted)} for {answer['reward']} in {window} after {shown(list(samples))}"
        lab.expect("NORM-2", held, said, seen)


def _z_score(reward: float, history: Sequence[float]) -> float | None:
    """How many population deviations a reward is above the mean; None without a deviation, computed in whole numbers."""
    count, rewards = len(history), [round(one * PLACES) for one in history]
    spread = count * sum(one * one for one in rewards) - sum(rewards) ** 2
    if count < 2 or spread == 0:
        return None
    return (round(reward * PLACES) * count - sum(rewards)) / sqrt(spread)


def _windows() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(WINDOWS), min_size=1, max_size=MAX_WINDOWS, unique=True)


def _hello(scenario: TargetScenario) -> Json:
    return {**scenario.where, "messages": [operator("Hello.")]}
