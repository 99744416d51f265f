"""What must have happened before anything is rewarded (RC-6).

Nobody outside knows what a scenario requires. That it is one thing for every config, and is never lost again, can be seen.
"""

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.checks.weights import alone
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import SENTENCES, behind_talk, chat, conversations, operator, persona
from labs_mock.conformance.target import Json, TargetScenario


@check("RC-6")
def what_is_required_is_one_thing(lab: Lab, data: DrawExample) -> None:
    """Of each dimension alone, without the gate, the reward is the score; or it is 0 for all of them."""
    scenario = data(lab.scenarios)
    _expect_all_or_none(lab, scenario, data(conversations(scenario)))


@check("RC-6")
def what_is_required_is_one_thing_where_much_was_asked(lab: Lab) -> None:
    """Likewise, where something was probably earned."""
    for scenario in lab.each(lab.every_scenario):
        _expect_all_or_none(lab, scenario, chat(scenario, behind_talk(scenario, operator(" ".join(SENTENCES)))))


@check("RC-6")
def what_was_earned_stays_earned(lab: Lab, data: DrawExample) -> None:
    """Once a reward was above 0, the reward of a longer conversation is its score again."""
    scenario = data(lab.scenarios)
    messages = data(conversations(scenario))
    if any(reward for reward, _ in alone(lab, scenario, messages).values()):
        more = data(conversations(scenario, 2))[1:]
        for dimension, (reward, score) in alone(lab, scenario, [*messages, persona("Yes."), *more]).items():
            lab.expect("RC-6", reward == score, f"a reward of {score}, as {dimension}", reward, inferred=True)


def _expect_all_or_none(lab: Lab, scenario: TargetScenario, messages: list[Json]) -> None:
    earning = [pair for pair in alone(lab, scenario, messages).values() if pair[1]]
    same = all(reward == score for reward, score in earning) or not any(reward for reward, _ in earning)
    lab.expect("RC-6", same, "the score of each dimension alone, or 0 for all of them", earning, inferred=True)
