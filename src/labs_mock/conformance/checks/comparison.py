"""Two conversations against each other (CMP-1)."""

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import SENTENCES, behind_talk, chat, conversations, operator, persona, without
from labs_mock.conformance.target import Json, TargetScenario

ROUNDING = 1e-6  # rewards have six places (RC-4)


@check("CMP-1")
def the_rewards_are_those_of_evaluate(lab: Lab, data: DrawExample) -> None:
    """`reward_a` and `reward_b` equal what `/evaluate` gives for each."""
    scenario, a, b = _two(lab, data)
    answer = lab.compare(scenario, a, b)
    wanted = [lab.evaluate(scenario, messages)["reward"] for messages in (a, b)]
    seen = [answer["reward_a"], answer["reward_b"]]
    lab.expect("CMP-1", seen == wanted, f"the rewards of /evaluate, {shown(wanted)}", seen, inferred=False)


@check("CMP-1")
def the_higher_reward_wins_by_the_difference(lab: Lab, data: DrawExample) -> None:
    """The winner has the higher reward, and the margin is the absolute difference."""
    answer = lab.compare(*_two(lab, data))
    _judge_winner(lab, answer)
    margin = abs(answer["reward_a"] - answer["reward_b"])
    held = abs(answer["margin"] - margin) <= ROUNDING
    lab.expect("CMP-1", held, f"a margin of {margin:.6f}", answer["margin"], inferred=False)


@check("CMP-1")
def a_small_difference_is_one(lab: Lab) -> None:
    """Whoever says a little more wins, if that is worth anything at all."""
    for scenario in lab.each(lab.every_scenario):
        for count in range(1, len(SENTENCES)):
            said = [operator(" ".join(SENTENCES[:number])) for number in (count, count + 1)]
            less, more = (chat(scenario, behind_talk(scenario, message)) for message in said)
            _judge_winner(lab, lab.compare(scenario, less, more))


@check("CMP-1")
def swapping_the_responses_swaps_the_answer(lab: Lab, data: DrawExample) -> None:
    """The other way round, a is b."""
    scenario, a, b = _two(lab, data)
    one, other = (without(lab.compare(scenario, *given)) for given in ((a, b), (b, a)))
    swapped = {"a": "b", "b": "a", "tie": "tie"}[one["winner"]]
    wanted = {**one, "winner": swapped, "reward_a": one["reward_b"], "reward_b": one["reward_a"]}
    lab.expect("CMP-1", other == wanted, f"the answer swapped, {shown(wanted)}", other, inferred=False)


@check("CMP-1")
def equal_responses_tie(lab: Lab, data: DrawExample) -> None:
    """A conversation against itself is a tie with a margin of 0."""
    scenario = data(lab.scenarios)
    messages = data(conversations(scenario))
    answer = lab.compare(scenario, messages, messages)
    seen = (answer["winner"], answer["margin"])
    lab.expect("CMP-1", seen == ("tie", 0), "a tie with a margin of 0", seen, inferred=True)


@check("EP-8")
def a_response_without_the_operator_is_refused(lab: Lab) -> None:
    """A conversation of the persona alone is a 400, on either side."""
    scenario = lab.every_scenario[0]
    empty, said = ({"messages": [one]} for one in (persona("Hello."), operator("Hello.")))
    for sides in lab.each(((empty, said), (said, empty))):
        body = {**scenario.where, "response_a": sides[0], "response_b": sides[1]}
        lab.refused(lab.ask("compare", body, limited=False), 400, "EP-8", why="a response without the operator")


def _judge_winner(lab: Lab, answer: Json) -> None:
    """The higher reward wins; that only equal ones tie is inferred."""
    a, b, seen = answer["reward_a"], answer["reward_b"], answer["winner"]
    winner = "tie" if a == b else "a" if a > b else "b"
    lab.expect("CMP-1", seen == winner, f"{winner} wins with {a} against {b}", seen, inferred="tie" in (winner, seen))


def _two(lab: Lab, data: DrawExample) -> tuple[TargetScenario, list[Json], list[Json]]:
    scenario = data(lab.scenarios)
    return scenario, data(conversations(scenario)), data(conversations(scenario))
