from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.rows import part
from labs_mock.engine import rollout_tree
from labs_mock.engine.choice_space import Choices
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player, Turn
from labs_mock.engine.rollout import Rollout, roll_out
from labs_mock.engine.rollout_tree import RolloutTree, TreeNode
from labs_mock.scenario.compiled.choices import alternatives
from labs_mock.scenario.compiled.scenario import Scenario
from tests.scenario.bases import JOURNEY
from tests.support import scenario

ASK = ["Do you have a second job?", "Thank you.", "That is nonsense."]
SCAN = {"call": "order_imaging", "input": {"region": "neck"}}
ENDS = {"call": "claim_status", "input": {"value": "denied"}}
TALKS: list[Any] = [
    [{"when": {"heard": ["my claim"]}, "say": ["I see.", "Right.\u2028"]}, ASK],
    {"thinking": "Is she <afraid>?\x85", "parts": [["Are you worried?", "I understand.", "So."], ASK]},
    [{"when": {"discovered": "side_job"}, "say": ["A second job, then.", "So, a job."]}, ["And now?", "Are you worried?"]],
    {"thinking": "A scan would help.", "parts": [["A scan.", "Well."], SCAN, {"call": "order_imaging", "input": {}}]},
    [{"silent": True}],
    [SCAN],
    [ASK, {"when": {"says": ["thank you"]}, "say": "You are welcome."}, ENDS],
    ["Never said."],
]  # fmt: skip
CALMS: list[Any] = [["Hello.", "Hi."], [{"silent": True}], [ASK]]


def operators(**says: list[Any]) -> dict[str, Any]:
    """Simulated operators that say this."""
    return {name: {"agent_template_id": name, "says": script} for name, script in says.items()}


CONVERSATION = scenario(operators=operators(expert=TALKS, novice=CALMS))
WALK = scenario(JOURNEY, operators=operators(expert=CALMS * 2, novice=CALMS))
SCENARIOS = st.sampled_from([CONVERSATION, WALK])


def chosen(on: Scenario, number: int) -> Choices:
    """One of the combinations of choices."""
    names = list(on.file.operators)
    number, index = divmod(number, len(names))
    digits = []
    for texts in alternatives(on.file.operators[names[index]]):
        number, digit = divmod(number, len(texts))
        digits.append(digit)
    return Choices(names[index], 1.0, tuple(digits))


def messages_of(on: Scenario, operator: str, rollout: Rollout, thinking: bool) -> list[dict[str, str]]:
    """The messages of a plain rollout in a row: the reference."""
    before = [on.first_observation, *rollout.observations]
    messages: list[dict[str, str]] = []
    for observation, (message,), entry in zip(before, rollout.turns, on.file.operators[operator].says, strict=False):
        thought = {"thinking": entry.thinking} if thinking and entry.thinking is not None else {}
        messages += [
            {"role": "user", "content": observation},
            {"role": "assistant", "content": message["content"], **thought},
        ]
    return messages


numbers = st.lists(st.integers(0, 10**6) | st.integers(0, 40), min_size=1, max_size=30)


@given(SCENARIOS, st.booleans(), numbers, st.sampled_from([1, 2, 7, 20, 5_000]))
def test_a_rollout_of_the_tree_is_the_plain_rollout(
    on: Scenario, thinking: bool, numbers: list[int], max_size: int
) -> None:
    """The same messages, state and calls as `roll_out` has, whatever was rolled out before and however much is dropped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollout_tree, "MAX_SIZE", max_size)
        tree = RolloutTree(Player(on), on.file.operators, thinking)
        for choices in [chosen(on, number) for number in numbers]:
            rollout = roll_out(Player(on), choices.operator, choices.choose())
            messages, end = tree.roll_out(choices)
            reference = messages_of(on, choices.operator, rollout, thinking)
            assert orjson.dumps(messages) == orjson.dumps([part(message) for message in reference])
            assert end.play == rollout.play
            assert end.calls == sum(len(message.get("tool_calls") or ()) for (message,) in rollout.turns)


def test_what_rollouts_have_in_common_is_played_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn is played once for all wordings with which the same is seen, and rolled out again not at all."""
    first, second = ["Hi.", "Well.", "Do you have a second job?"], ["Right.", "Are you worried?", "So."]
    on = scenario(operators=operators(expert=[[first], [second, SCAN], ["Well."]]))
    played: list[str] = []
    fold = Player.fold

    def counted(self: Player, play: Play, turns: Sequence[Turn]) -> Play:
        after = fold(self, play, turns)
        played.append(after.observation)
        return after

    monkeypatch.setattr(Player, "fold", counted)
    tree = RolloutTree(Player(on), ["expert"], thinking=False)
    ends = [tree.roll_out(chosen(on, number))[1] for number in range(9)]
    assert len(played) == 2 + 2 * 2 + 2 * 2  # of the three texts, two say nothing that anybody notices
    assert len({id(end) for end in ends}) == 2 * 2
    assert [tree.roll_out(chosen(on, number))[1] for number in range(9)] == ends
    assert len(played) == 2 + 2 * 2 + 2 * 2


def size(node: TreeNode) -> int:
    """How many nodes and wordings a tree has from a node on, beside that node."""
    return len(node.wordings) + sum(1 + size(after) for after in node.after.values())


@given(SCENARIOS, numbers, st.integers(1, 30))
def test_a_tree_stays_within_its_size(on: Scenario, numbers: list[int], max_size: int) -> None:
    """Whatever is rolled out, there are no more nodes and wordings than that, and those of one turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollout_tree, "MAX_SIZE", max_size)
        tree = RolloutTree(Player(on), on.file.operators, thinking=False)
        for number in numbers:
            tree.roll_out(chosen(on, number))
            assert sum(map(size, tree.roots.values())) <= max_size + 1
