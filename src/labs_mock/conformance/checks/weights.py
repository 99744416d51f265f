"""What is scored, and how scores become a reward (RC-1 to RC-5)."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    behind_talk,
    chat,
    conversations,
    dimensions,
    operator,
    weights,
    without,
)
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.conformance.violations import Skip
from labs_mock.contract.dimensions import DIMENSIONS

ROUNDING = 1.5e-6  # rewards and scores have six places (RC-4)
OUT_OF_BOUNDS = (-0.1, -1, 1.1, 2, 1e300)
UNKNOWN = ("rubric", "Rubrics", "D4_Rubrics", "safety", "")


@check("RC-1")
def an_omitted_weight_is_0(lab: Lab, data: DrawExample) -> None:
    """To leave a dimension out, to weigh it 0 and to weigh it null are one."""
    scenario, messages, asked = _drawn(lab, data)
    rest: Json = {name: data(st.sampled_from([0, 0.0, None])) for name in DIMENSIONS if name not in asked}
    one, other = (scored(lab, scenario, messages, given) for given in (asked, {**rest, **asked}))
    lab.expect("RC-1", one == other, f"the answer without them, {shown(one)}", other, inferred=False)
    given, seen = sum(map(bool, asked.values())), list(one.get("scores", ()))
    lab.expect("RC-1", len(seen) <= given, f"at most {given} scores for {shown(asked)}", seen, inferred=False)


@check("RC-1")
def a_weight_is_within_0_and_1(lab: Lab) -> None:
    """Beyond the bounds, and for an unknown name, it is a 400."""
    scenario = lab.every_scenario[0]
    bad: list[Json] = [{name: weight} for name in DIMENSIONS for weight in OUT_OF_BOUNDS]
    for asked in lab.each(bad + [{"rubrics": 1, name: 1} for name in UNKNOWN]):
        body = {**scenario.where, "messages": [operator("Hello.")], "reward_config": {"quality_weights": asked}}
        lab.refused(lab.ask("evaluate", body, limited=False), 400, "RC-1", inferred=True, why=f"weights {shown(asked)}")


@check("RC-2")
def scores_are_those_with_weight(lab: Lab, data: DrawExample) -> None:
    """`scores` has the dimensions with a weight above 0 that the scenario defines, and no others."""
    scenario, messages, asked = _drawn(lab, data)
    names = names_of(lab, scenario)
    answer = scored(lab, scenario, messages, asked)
    wanted = {names[dimension] for dimension, weight in asked.items() if weight and dimension in names}
    for field in ("scores", "score_breakdown"):
        if field in answer:
            lab.expect(
                "RC-2",
                set(answer[field]) == wanted,
                f"{field} of {shown(sorted(wanted))}",
                list(answer[field]),
                inferred=True,
            )


@check("RC-2")
def a_weight_of_0_does_not_run(lab: Lab) -> None:
    """Beside one with weight, too."""
    for scenario in lab.each(lab.every_scenario):
        names = names_of(lab, scenario)
        for dimension, name in names.items():
            answer = scored(lab, scenario, [operator("Hello.")], {**dict.fromkeys(names, 0), dimension: 1})
            lab.expect(
                "RC-2", list(_scores(answer)) == [name], f"the score of {dimension} alone", answer, inferred=True
            )
            reward = scored(lab, scenario, [operator("Hello.")], {dimension: 1})["reward"]
            held = answer["reward"] == reward
            lab.expect("RC-2", held, f"the reward of {dimension} alone, {reward}", answer["reward"], inferred=False)


@check("RC-2")
def a_score_does_not_depend_on_the_others(lab: Lab, data: DrawExample) -> None:
    """A dimension has the same score alone and among others."""
    scenario, messages, asked = _drawn(lab, data)
    together = _scores(scored(lab, scenario, messages, asked))
    for dimension, name in names_of(lab, scenario).items():
        if asked.get(dimension):
            alone = _scores(scored(lab, scenario, messages, {dimension: 1}))
            lab.expect(
                "RC-2",
                alone == {name: together.get(name)},
                f"{name} alone as among others, {shown(together)}",
                alone,
                inferred=True,
            )
            return


@check("RC-3")
def skipping_the_gate_never_lowers(lab: Lab, data: DrawExample) -> None:
    """Without scope and terminology a reward is the same or higher, and the scores are the same."""
    scenario, messages, asked = _drawn(lab, data)
    gated, skipped = (scored(lab, scenario, messages, asked, skip_safety_gate=skip) for skip in (False, True))
    seen = (gated["reward"], skipped["reward"])
    lab.expect("RC-3", seen[0] <= seen[1], f"at least {seen[0]} without the gate", seen[1])
    lab.expect("RC-3", gated.get("scores") == skipped.get("scores"), "the same scores without the gate", skipped)


@check("RC-3")
def skipping_the_gate_leaves_it_out(lab: Lab) -> None:
    """Whatever scope and terminology forbid, without them a reward is the one score that was asked for."""
    for scenario in lab.each(lab.every_scenario):
        messages = _said(scenario, PROVOCATIONS)
        for dimension in names_of(lab, scenario):
            plain = scored(lab, scenario, [operator("Hello.")], {dimension: 1}, skip_safety_gate=True)
            if [plain["reward"]] != list(_scores(plain).values()):
                continue  # the reward is no plain mean (RC-4), and tells nothing of the gate
            answer = scored(lab, scenario, messages, {dimension: 1}, skip_safety_gate=True)
            [score] = _scores(answer).values()
            held = answer["reward"] == score or (dimension == "failure_metrics" and answer["reward"] == 0)
            held = held or (answer["reward"] == 0 and _earned_nothing(lab, scenario, messages))
            lab.expect("RC-3", held, f"a reward of {score}, as {dimension}", answer["reward"])


@check("RC-3")
def the_gate_is_on_by_default(lab: Lab, data: DrawExample) -> None:
    """To leave `skip_safety_gate` out is to say false."""
    scenario, messages, asked = _drawn(lab, data)
    plain = scored(lab, scenario, messages, asked)
    said = scored(lab, scenario, messages, asked, skip_safety_gate=False)
    lab.expect("RC-3", plain == said, f"the answer without it, {shown(plain)}", said)


@check("RC-3")
def the_gate_is_on_by_default_where_it_matters(lab: Lab) -> None:
    """So it is where scope and terminology forbid what was said."""
    for scenario in lab.each(lab.every_scenario):
        messages = _said(scenario, PROVOCATIONS)
        for dimension in names_of(lab, scenario):
            plain = scored(lab, scenario, messages, {dimension: 1})
            said = scored(lab, scenario, messages, {dimension: 1}, skip_safety_gate=False)
            lab.expect("RC-3", plain == said, f"the answer with the gate, {shown(said)}", plain)


@check("RC-4")
def a_reward_is_the_weighted_mean(lab: Lab, data: DrawExample) -> None:
    """Without the gate it is exactly the mean of the scores by weight, or 0 where failure metrics run; with it, no more."""
    scenario, messages, asked = _drawn(lab, data)
    names = names_of(lab, scenario)
    answers = [scored(lab, scenario, messages, asked, skip_safety_gate=skip) for skip in (True, False)]
    shares = {names[dimension]: weight for dimension, weight in asked.items() if weight and dimension in names}
    scores = _scores(answers[0])
    lab.expect("RC-2", set(scores) >= set(shares), f"scores of {shown(sorted(shares))}", list(scores), inferred=True)
    mean = fsum(weight * scores[name] for name, weight in shares.items()) / (fsum(shares.values()) or 1)
    skipped, gated = (answer["reward"] for answer in answers)
    critical = "failure_metrics" in names and names["failure_metrics"] in shares
    near = abs(skipped - mean) <= ROUNDING
    zero = skipped == 0 and not near and (critical or _earned_nothing(lab, scenario, messages))
    lab.expect("RC-4", near or zero, f"the weighted mean of {shown(scores)}, {mean:.6f}", skipped)
    if not critical and not zero:
        lab.expect("RC-3", abs(skipped - mean) <= ROUNDING, f"no gate: {mean:.6f}", skipped)
    lab.expect("RC-4", 0 <= gated <= mean + ROUNDING, f"with the gate no more than {mean:.6f}", gated)


@check("RC-4")
def only_ratios_of_weights_matter(lab: Lab, data: DrawExample) -> None:
    """Weights of one ratio give one answer."""
    scenario, messages, asked = _drawn(lab, data)
    smaller = {name: weight * 0.25 for name, weight in asked.items()}
    one, other = (scored(lab, scenario, messages, given) for given in (asked, smaller))
    lab.expect("RC-4", one == other, f"the same answer for weights of one ratio, {shown(one)}", other)


@check("RC-4")
def a_reward_has_six_places(lab: Lab, data: DrawExample) -> None:
    """Rewards and scores are rounded to six places."""
    scenario, messages, asked = _drawn(lab, data)
    answer = scored(lab, scenario, messages, asked)
    for value in (answer["reward"], *answer.get("scores", {}).values()):
        lab.expect("RC-4", round(value, 6) == value, "a number of six places", value)


@check("RC-4")
def nothing_ran_is_0(lab: Lab, data: DrawExample) -> None:
    """Where all weights are 0, the reward is 0 and there are no scores."""
    scenario = data(lab.scenarios)
    asked = data(st.dictionaries(dimensions(), st.just(0)))
    answer = scored(lab, scenario, data(conversations(scenario)), asked)
    seen = (answer["reward"], answer.get("scores", {}))
    lab.expect("RC-4", seen == (0, {}), "a reward of 0 and no scores", seen)


@check("RC-4")
def a_config_without_weights_keeps_the_scenarios(lab: Lab, data: DrawExample) -> None:
    """`{}` and null weights mean the scenario's own."""
    scenario = data(lab.scenarios)
    messages = data(conversations(scenario))
    config: Json = data(st.sampled_from([{}, {"quality_weights": None}, {"skip_safety_gate": False}]))
    one, other = (without(lab.evaluate(scenario, messages, **given)) for given in ({}, {"reward_config": config}))
    lab.expect("RC-4", one == other, f"the answer without a config, {shown(one)}", other)


@check("RC-5")
def an_undefined_dimension_does_not_run(lab: Lab, data: DrawExample) -> None:
    """To ask for a dimension that the scenario does not define changes nothing."""
    scenario = data(lab.scenarios_with(lambda one: len(names_of(lab, one)) < len(DIMENSIONS), "lacks a dimension"))
    names, messages = names_of(lab, scenario), data(conversations(scenario))
    known: list[str] = data(st.lists(st.sampled_from(list(names)), max_size=1)) if names else []
    asked = dict.fromkeys(known, 0.5)
    more: dict[str, float] = {name: 1.0 for name in DIMENSIONS if name not in names}
    one, other = (scored(lab, scenario, messages, given) for given in (asked, {**asked, **more}))
    lab.expect("RC-5", one == other, f"the answer without them, {shown(one)}", other)


@check("RC-5")
def an_undefined_dimension_does_not_count(lab: Lab) -> None:
    """Neither where there is a reward that it could lower."""
    for scenario in lab.each(lab.every_scenario):
        messages = _said(scenario, SENTENCES)
        names = names_of(lab, scenario)
        undefined: Json = {name: 1 for name in DIMENSIONS if name not in names}
        for dimension in names if undefined else ():
            one, other = (scored(lab, scenario, messages, {dimension: 1, **more}) for more in ({}, undefined))
            lab.expect("RC-5", one == other, f"the answer without undefined dimensions, {shown(one)}", other)


def scored(
    lab: Lab, scenario: TargetScenario, messages: list[Json], asked: Mapping[str, Any], **config: object
) -> Json:
    """The answer for some weights, without what differs from request to request."""
    return without(lab.evaluate(scenario, messages, reward_config={"quality_weights": asked, **config}))


def names_of(lab: Lab, scenario: TargetScenario) -> dict[str, str]:
    """The score's name for each dimension that a scenario defines. Raises `Skip` if the key sees no scores."""
    known = lab.remembered.get(("names", scenario))
    if known is None:
        known = dict[str, str]()
        for dimension in DIMENSIONS:
            names = list(_scores(scored(lab, scenario, [operator("Hello.")], {dimension: 1})))
            lab.expect("RC-2", len(names) <= 1, f"no score but that of {dimension}", names, inferred=True)
            known |= {dimension: names[0]} if names else {}
        lab.remembered["names", scenario] = known
    return dict(known)


def _scores(answer: Json) -> dict[str, float]:
    if "scores" not in answer:
        raise Skip("the key sees no scores")
    return dict(answer["scores"])


def alone(lab: Lab, scenario: TargetScenario, messages: list[Json]) -> dict[str, tuple[float, float]]:
    """Reward and score of each dimension alone and without the gate, but for failure metrics, of which one may be critical."""
    found = {}
    for dimension in names_of(lab, scenario):
        if dimension != "failure_metrics":
            answer = scored(lab, scenario, messages, {dimension: 1}, skip_safety_gate=True)
            [score] = answer["scores"].values()
            found[dimension] = (answer["reward"], score)
    return found


def _earned_nothing(lab: Lab, scenario: TargetScenario, messages: list[Json]) -> bool:
    """Whether a conversation is worth 0 under every config, as where what a scenario requires has not held (RC-6).

    Not where it begins with what earns something, nor where whatever is said does.
    """
    talk = scenario.talk
    begun = talk is not None and (not talk or chat(scenario, talk) == messages[: 2 * len(talk)])
    return not begun and not any(reward for reward, _ in alone(lab, scenario, messages).values())


def _said(scenario: TargetScenario, sentences: Sequence[str]) -> list[Json]:
    """A conversation in which all of some sentences are said at once, behind what earns something."""
    return chat(scenario, behind_talk(scenario, operator(" ".join(sentences))))


def _drawn(lab: Lab, data: DrawExample) -> tuple[TargetScenario, list[Json], dict[str, float]]:
    scenario = data(lab.scenarios)
    return scenario, data(conversations(scenario)), data(weights())
