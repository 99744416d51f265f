"""Two conversations against each other (CMP-1)."""

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import (
    SENTENCES,
    after_earning,
    as_conversation,
    comparable,
    conversations,
    operator,
    persona,
)
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown

ROUNDING = 1e-6  # rewards have six places (RC-4)


@check("CMP-1")
def the_rewards_are_those_of_evaluate(target: Target, draw: Draw) -> None:
    """`reward_a` and `reward_b` equal what `/evaluate` gives for each."""
    scenario, a, b = _two(target, draw)
    result = target.compare(scenario, a, b)
    wanted = [target.evaluate(scenario, messages)["reward"] for messages in (a, b)]
    seen = [result["reward_a"], result["reward_b"]]
    target.expect("CMP-1", seen == wanted, f"the rewards of /evaluate, {shown(wanted)}", seen, inferred=False)


@check("CMP-1")
def the_higher_reward_wins_by_the_difference(target: Target, draw: Draw) -> None:
    """The winner has the higher reward, and the margin is the absolute difference."""
    result = target.compare(*_two(target, draw))
    _check_winner(target, result)
    margin = abs(result["reward_a"] - result["reward_b"])
    holds = abs(result["margin"] - margin) <= ROUNDING
    target.expect("CMP-1", holds, f"a margin of {margin:.6f}", result["margin"], inferred=False)


@check("CMP-1")
def a_small_difference_is_one(target: Target) -> None:
    """A conversation with a little more in it wins, if that earns anything at all."""
    for scenario in target.each(target.every_scenario):
        for count in range(1, len(SENTENCES)):
            both = [operator(" ".join(SENTENCES[:number])) for number in (count, count + 1)]
            less, more = (as_conversation(scenario, after_earning(scenario, message)) for message in both)
            _check_winner(target, target.compare(scenario, less, more))


@check("CMP-1")
def swapping_the_responses_swaps_the_answer(target: Target, draw: Draw) -> None:
    """The other way round, a is b."""
    scenario, a, b = _two(target, draw)
    one, other = (comparable(target.compare(scenario, *pair)) for pair in ((a, b), (b, a)))
    swapped = {"a": "b", "b": "a", "tie": "tie"}[one["winner"]]
    wanted = {**one, "winner": swapped, "reward_a": one["reward_b"], "reward_b": one["reward_a"]}
    target.expect("CMP-1", other == wanted, f"the response swapped, {shown(wanted)}", other, inferred=False)


@check("CMP-1")
def equal_responses_tie(target: Target, draw: Draw) -> None:
    """A conversation against itself is a tie with a margin of 0."""
    scenario = draw(target.scenarios)
    messages = draw(conversations(scenario))
    result = target.compare(scenario, messages, messages)
    seen = (result["winner"], result["margin"])
    target.expect("CMP-1", seen == ("tie", 0), "a tie with a margin of 0", seen, inferred=True)


@check("EP-8")
def a_response_without_the_operator_is_refused(target: Target) -> None:
    """A conversation of the persona alone is a 400, on either side."""
    scenario = target.every_scenario[0]
    empty, plain = ({"messages": [one]} for one in (persona("Hello."), operator("Hello.")))
    for sides in target.each(((empty, plain), (plain, empty))):
        body = {**scenario.slugs, "response_a": sides[0], "response_b": sides[1]}
        target.expect_status(
            target.request("compare", body, limited=False), 400, "EP-8", why="a response without the operator"
        )


def _check_winner(target: Target, result: Json) -> None:
    """The higher reward wins; that only equal ones tie is inferred."""
    a, b, seen = result["reward_a"], result["reward_b"], result["winner"]
    winner = "tie" if a == b else "a" if a > b else "b"
    target.expect(
        "CMP-1", seen == winner, f"{winner} wins with {a} against {b}", seen, inferred="tie" in (winner, seen)
    )


def _two(target: Target, draw: Draw) -> tuple[OfferedScenario, list[Json], list[Json]]:
    scenario = draw(target.scenarios)
    return scenario, draw(conversations(scenario)), draw(conversations(scenario))
