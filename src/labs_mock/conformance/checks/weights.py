"""What is scored, and how scores become a reward (RC-1 to RC-5)."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    after_earning,
    as_conversation,
    comparable,
    conversations,
    dimensions,
    operator,
    weights,
)
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import Skip
from labs_mock.contract.dimensions import DIMENSIONS

ROUNDING = 1.5e-6  # rewards and scores have six places (RC-4)
OUT_OF_BOUNDS = (-0.1, -1, 1.1, 2, 1e300)
UNKNOWN = ("rubric", "Rubrics", "D4_Rubrics", "safety", "")


@check("RC-1")
def an_omitted_weight_is_0(target: Target, draw: Draw) -> None:
    """To leave a dimension out, to weigh it 0 and to weigh it null are one."""
    scenario, messages, chosen = _drawn(target, draw)
    rest: Json = {name: draw(st.sampled_from([0, 0.0, None])) for name in DIMENSIONS if name not in chosen}
    one, other = (scored(target, scenario, messages, one) for one in (chosen, {**rest, **chosen}))
    target.expect("RC-1", one == other, f"the response without them, {shown(one)}", other, inferred=False)
    most, seen = sum(map(bool, chosen.values())), list(one.get("scores", ()))
    target.expect("RC-1", len(seen) <= most, f"at most {most} scores for {shown(chosen)}", seen, inferred=False)


@check("RC-1")
def a_weight_is_within_0_and_1(target: Target) -> None:
    """Beyond the bounds, and for an unknown name, it is a 400."""
    scenario = target.every_scenario[0]
    bad: list[Json] = [{name: weight} for name in DIMENSIONS for weight in OUT_OF_BOUNDS]
    for chosen in target.each(bad + [{"rubrics": 1, name: 1} for name in UNKNOWN]):
        body = {**scenario.slugs, "messages": [operator("Hello.")], "reward_config": {"quality_weights": chosen}}
        target.expect_status(
            target.request("evaluate", body, limited=False), 400, "RC-1", inferred=True, why=f"weights {shown(chosen)}"
        )


@check("RC-2")
def scores_are_those_with_weight(target: Target, draw: Draw) -> None:
    """`scores` has the dimensions with a weight above 0 that the scenario defines, and no others."""
    scenario, messages, chosen = _drawn(target, draw)
    names = names_of(target, scenario)
    result = scored(target, scenario, messages, chosen)
    wanted = {names[dimension] for dimension, weight in chosen.items() if weight and dimension in names}
    for field in ("scores", "score_breakdown"):
        if field in result:
            target.expect(
                "RC-2",
                set(result[field]) == wanted,
                f"{field} of {shown(sorted(wanted))}",
                list(result[field]),
                inferred=True,
            )


@check("RC-2")
def a_weight_of_0_does_not_run(target: Target) -> None:
    """Beside one with weight, too."""
    for scenario in target.each(target.every_scenario):
        names = names_of(target, scenario)
        for dimension, name in names.items():
            result = scored(target, scenario, [operator("Hello.")], {**dict.fromkeys(names, 0), dimension: 1})
            target.expect(
                "RC-2", list(_scores(result)) == [name], f"the score of {dimension} alone", result, inferred=True
            )
            reward = scored(target, scenario, [operator("Hello.")], {dimension: 1})["reward"]
            holds = result["reward"] == reward
            target.expect("RC-2", holds, f"the reward of {dimension} alone, {reward}", result["reward"], inferred=False)


@check("RC-2")
def a_score_does_not_depend_on_the_others(target: Target, draw: Draw) -> None:
    """A dimension has the same score alone and among others."""
    scenario, messages, chosen = _drawn(target, draw)
    together = _scores(scored(target, scenario, messages, chosen))
    for dimension, name in names_of(target, scenario).items():
        if chosen.get(dimension):
            alone = _scores(scored(target, scenario, messages, {dimension: 1}))
            target.expect(
                "RC-2",
                alone == {name: together.get(name)},
                f"{name} alone as among others, {shown(together)}",
                alone,
                inferred=True,
            )
            return


@check("RC-3")
def skipping_the_gate_never_lowers(target: Target, draw: Draw) -> None:
    """Without scope and terminology a reward is the same or higher, and the scores are the same."""
    scenario, messages, chosen = _drawn(target, draw)
    gated, skipped = (scored(target, scenario, messages, chosen, skip_safety_gate=skip) for skip in (False, True))
    seen = (gated["reward"], skipped["reward"])
    target.expect("RC-3", seen[0] <= seen[1], f"at least {seen[0]} without the gate", seen[1])
    target.expect("RC-3", gated.get("scores") == skipped.get("scores"), "the same scores without the gate", skipped)


@check("RC-3")
def skipping_the_gate_leaves_it_out(target: Target) -> None:
    """Whatever scope and terminology forbid, without them a reward is the one score with weight."""
    for scenario in target.each(target.every_scenario):
        messages = _with_sentences(scenario, PROVOCATIONS)
        for dimension in names_of(target, scenario):
            plain = scored(target, scenario, [operator("Hello.")], {dimension: 1}, skip_safety_gate=True)
            if [plain["reward"]] != list(_scores(plain).values()):
                continue  # the reward is no plain mean (RC-4), and shows nothing of the gate
            result = scored(target, scenario, messages, {dimension: 1}, skip_safety_gate=True)
            [score] = _scores(result).values()
            holds = result["reward"] == score or (dimension == "failure_metrics" and result["reward"] == 0)
            holds = holds or (result["reward"] == 0 and _earned_nothing(target, scenario, messages))
            target.expect("RC-3", holds, f"a reward of {score}, as {dimension}", result["reward"])


@check("RC-3")
def the_gate_is_on_by_default(target: Target, draw: Draw) -> None:
    """Without `skip_safety_gate` it is false."""
    scenario, messages, chosen = _drawn(target, draw)
    plain = scored(target, scenario, messages, chosen)
    explicit = scored(target, scenario, messages, chosen, skip_safety_gate=False)
    target.expect("RC-3", plain == explicit, f"the response without it, {shown(plain)}", explicit)


@check("RC-3")
def the_gate_is_on_by_default_where_it_matters(target: Target) -> None:
    """So it is where scope and terminology forbid what the operator says."""
    for scenario in target.each(target.every_scenario):
        messages = _with_sentences(scenario, PROVOCATIONS)
        for dimension in names_of(target, scenario):
            plain = scored(target, scenario, messages, {dimension: 1})
            explicit = scored(target, scenario, messages, {dimension: 1}, skip_safety_gate=False)
            target.expect("RC-3", plain == explicit, f"the response with the gate, {shown(explicit)}", plain)


@check("RC-4")
def a_reward_is_the_weighted_mean(target: Target, draw: Draw) -> None:
    """Without the gate it is exactly the mean of the scores by weight, or 0 where failure metrics run; with it, no more."""
    scenario, messages, chosen = _drawn(target, draw)
    names = names_of(target, scenario)
    results = [scored(target, scenario, messages, chosen, skip_safety_gate=skip) for skip in (True, False)]
    shares = {names[dimension]: weight for dimension, weight in chosen.items() if weight and dimension in names}
    scores = _scores(results[0])
    target.expect("RC-2", set(scores) >= set(shares), f"scores of {shown(sorted(shares))}", list(scores), inferred=True)
    mean = fsum(weight * scores[name] for name, weight in shares.items()) / (fsum(shares.values()) or 1)
    skipped, gated = (result["reward"] for result in results)
    critical = "failure_metrics" in names and names["failure_metrics"] in shares
    near = abs(skipped - mean) <= ROUNDING
    zero = skipped == 0 and not near and (critical or _earned_nothing(target, scenario, messages))
    target.expect("RC-4", near or zero, f"the weighted mean of {shown(scores)}, {mean:.6f}", skipped)
    if not critical and not zero:
        target.expect("RC-3", abs(skipped - mean) <= ROUNDING, f"no gate: {mean:.6f}", skipped)
    target.expect("RC-4", 0 <= gated <= mean + ROUNDING, f"with the gate no more than {mean:.6f}", gated)


@check("RC-4")
def only_ratios_of_weights_matter(target: Target, draw: Draw) -> None:
    """Weights of one ratio give one result."""
    scenario, messages, chosen = _drawn(target, draw)
    smaller = {name: weight * 0.25 for name, weight in chosen.items()}
    one, other = (scored(target, scenario, messages, one) for one in (chosen, smaller))
    target.expect("RC-4", one == other, f"the same response for weights of one ratio, {shown(one)}", other)


@check("RC-4")
def a_reward_has_six_places(target: Target, draw: Draw) -> None:
    """Rewards and scores are rounded to six places."""
    scenario, messages, chosen = _drawn(target, draw)
    result = scored(target, scenario, messages, chosen)
    for value in (result["reward"], *result.get("scores", {}).values()):
        target.expect("RC-4", round(value, 6) == value, "a number of six places", value)


@check("RC-4")
def nothing_ran_is_0(target: Target, draw: Draw) -> None:
    """Where all weights are 0, the reward is 0 and there are no scores."""
    scenario = draw(target.scenarios)
    chosen = draw(st.dictionaries(dimensions(), st.just(0)))
    result = scored(target, scenario, draw(conversations(scenario)), chosen)
    seen = (result["reward"], result.get("scores", {}))
    target.expect("RC-4", seen == (0, {}), "a reward of 0 and no scores", seen)


@check("RC-4")
def a_config_without_weights_keeps_the_scenarios(target: Target, draw: Draw) -> None:
    """`{}` and null weights mean the scenario's own."""
    scenario = draw(target.scenarios)
    messages = draw(conversations(scenario))
    config: Json = draw(st.sampled_from([{}, {"quality_weights": None}, {"skip_safety_gate": False}]))
    one, other = (
        comparable(target.evaluate(scenario, messages, **fields)) for fields in ({}, {"reward_config": config})
    )
    target.expect("RC-4", one == other, f"the response without a config, {shown(one)}", other)


@check("RC-5")
def an_undefined_dimension_does_not_run(target: Target, draw: Draw) -> None:
    """A weight for a dimension that the scenario does not define changes nothing."""
    scenario = draw(
        target.scenarios_with(lambda one: len(names_of(target, one)) < len(DIMENSIONS), "lacks a dimension")
    )
    names, messages = names_of(target, scenario), draw(conversations(scenario))
    known: list[str] = draw(st.lists(st.sampled_from(list(names)), max_size=1)) if names else []
    chosen = dict.fromkeys(known, 0.5)
    more: dict[str, float] = {name: 1.0 for name in DIMENSIONS if name not in names}
    one, other = (scored(target, scenario, messages, one) for one in (chosen, {**chosen, **more}))
    target.expect("RC-5", one == other, f"the response without them, {shown(one)}", other)


@check("RC-5")
def an_undefined_dimension_does_not_count(target: Target) -> None:
    """Neither where there is a reward that it could lower."""
    for scenario in target.each(target.every_scenario):
        messages = _with_sentences(scenario, SENTENCES)
        names = names_of(target, scenario)
        undefined: Json = {name: 1 for name in DIMENSIONS if name not in names}
        for dimension in names if undefined else ():
            one, other = (scored(target, scenario, messages, {dimension: 1, **more}) for more in ({}, undefined))
            target.expect("RC-5", one == other, f"the response without undefined dimensions, {shown(one)}", other)


def scored(
    target: Target, scenario: OfferedScenario, messages: list[Json], chosen: Mapping[str, Any], **config: object
) -> Json:
    """The result for some weights, without what differs from request to request."""
    return comparable(target.evaluate(scenario, messages, reward_config={"quality_weights": chosen, **config}))


def names_of(target: Target, scenario: OfferedScenario) -> dict[str, str]:
    """The score's name for each dimension that a scenario defines. Raises `Skip` if the key sees no scores."""
    known = target.remembered.get(("names", scenario))
    if known is None:
        known = dict[str, str]()
        for dimension in DIMENSIONS:
            names = list(_scores(scored(target, scenario, [operator("Hello.")], {dimension: 1})))
            target.expect("RC-2", len(names) <= 1, f"no score but that of {dimension}", names, inferred=True)
            known |= {dimension: names[0]} if names else {}
        target.remembered["names", scenario] = known
    return dict(known)


def _scores(result: Json) -> dict[str, float]:
    if "scores" not in result:
        raise Skip("the key sees no scores")
    return dict(result["scores"])


def alone(target: Target, scenario: OfferedScenario, messages: list[Json]) -> dict[str, tuple[float, float]]:
    """Reward and score of each dimension alone and without the gate, but for failure metrics, of which one may be critical."""
    found = {}
    for dimension in names_of(target, scenario):
        if dimension != "failure_metrics":
            result = scored(target, scenario, messages, {dimension: 1}, skip_safety_gate=True)
            [score] = result["scores"].values()
            found[dimension] = (result["reward"], score)
    return found


def _earned_nothing(target: Target, scenario: OfferedScenario, messages: list[Json]) -> bool:
    """Whether a conversation is worth 0 under every config, as where what a scenario requires has not held (RC-6).

    Not where it begins with what earns something, nor where every conversation does.
    """
    talk = scenario.earning
    begun = talk is not None and (not talk or as_conversation(scenario, talk) == messages[: 2 * len(talk)])
    return not begun and not any(reward for reward, _ in alone(target, scenario, messages).values())


def _with_sentences(scenario: OfferedScenario, sentences: Sequence[str]) -> list[Json]:
    """A conversation with some sentences in one message, behind what earns something."""
    return as_conversation(scenario, after_earning(scenario, operator(" ".join(sentences))))


def _drawn(target: Target, draw: Draw) -> tuple[OfferedScenario, list[Json], dict[str, float]]:
    scenario = draw(target.scenarios)
    return scenario, draw(conversations(scenario)), draw(weights())
