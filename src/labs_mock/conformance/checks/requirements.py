"""What must have happened before anything is rewarded (RC-6).

Nobody outside knows what a scenario requires. That it is one thing for every config, and is never lost again, can be seen.
"""

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.weights import alone
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import SENTENCES, after_earning, as_conversation, conversations, operator, persona
from labs_mock.conformance.target import Target


@check("RC-6")
def what_is_required_is_one_thing(target: Target, draw: Draw) -> None:
    """Of each dimension alone, without the gate, the reward is the score; or it is 0 for all of them."""
    scenario = draw(target.scenarios)
    _expect_all_or_none(target, scenario, draw(conversations(scenario)))


@check("RC-6")
def what_is_required_is_one_thing_where_much_was_asked(target: Target) -> None:
    """Likewise, where something was probably earned."""
    for scenario in target.each(target.every_scenario):
        _expect_all_or_none(
            target, scenario, as_conversation(scenario, after_earning(scenario, operator(" ".join(SENTENCES))))
        )


@check("RC-6")
def what_was_earned_stays_earned(target: Target, draw: Draw) -> None:
    """Once a reward was above 0, the reward of a longer conversation is its score again."""
    scenario = draw(target.scenarios)
    messages = draw(conversations(scenario))
    if any(reward for reward, _ in alone(target, scenario, messages).values()):
        more = draw(conversations(scenario, 2))[1:]
        for dimension, (reward, score) in alone(target, scenario, [*messages, persona("Yes."), *more]).items():
            target.expect("RC-6", reward == score, f"a reward of {score}, as {dimension}", reward, inferred=True)


def _expect_all_or_none(target: Target, scenario: OfferedScenario, messages: list[Json]) -> None:
    earning = [pair for pair in alone(target, scenario, messages).values() if pair[1]]
    same = all(reward == score for reward, score in earning) or not any(reward for reward, _ in earning)
    target.expect("RC-6", same, "the score of each dimension alone, or 0 for all of them", earning, inferred=True)
