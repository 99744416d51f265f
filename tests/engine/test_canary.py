"""Canary rewards: what they promise, compared with a naive reference where the promise is a formula."""

import struct
from copy import deepcopy
from fractions import Fraction
from itertools import pairwise

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message, RewardConfig
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.canary import canary_reward
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.gate import OPEN
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.loader import parse_scenario
from tests.engine.test_player import PLAYERS, players, transcripts
from tests.support import CLAIM, scenario

HERE = scenario()
ELSEWHERE = parse_scenario(orjson.dumps(CLAIM), file="neck-claim.yaml", collection="case-management")
rewards = st.integers(0, 10**6).map(lambda millionths: millionths / 10**6)
hashes = st.integers(0, 2**64 - 1)
weights = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("success_metrics", "discovery", "rubrics"), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
)


def canary(reward: float, conversation: int = 0, on: Scenario = HERE, config: RewardConfig | None = None) -> float:
    """The canary in place of a reward."""
    run = on.weights if config is None or config.quality_weights is None else config.quality_weights.model_dump()
    used = {dimension: weight for dimension in on.dimensions if (weight := run.get(dimension))}
    skips = config is not None and bool(config.skip_safety_gate)
    return canary_reward(on, Assessment(reward, {}, used, OPEN, skips, True, False, {}, {}, {}), conversation)


def rounded_to(form: str, value: float) -> float:
    """The nearest float of 16 (`e`) or 32 bits (`f`)."""
    return float(struct.unpack(form, struct.pack(form, value))[0])


def bfloat16(value: float) -> float:
    """The nearest bfloat16, of two the one with an even last bit."""
    bits = struct.unpack(">I", struct.pack(">f", value))[0]
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return float(struct.unpack(">f", struct.pack(">I", rounded))[0])


@given(rewards, hashes)
@example(0.0, 0)
@example(1.0, 0)
def test_a_canary_is_a_fraction_that_float32_holds(reward: float, conversation: int) -> None:
    """A whole number of 2⁻²⁴, whose upper 12 bits are the reward in steps of 1/4095."""
    exact = Fraction(canary(reward, conversation))
    number = exact * 2**24
    assert number.denominator == 1
    assert 0 <= number < 2**24
    assert int(number) // 4096 in {round(Fraction(reward) * 4095), round(4095 * reward)}
    assert Fraction(rounded_to("f", canary(reward, conversation))) == exact
    assert abs(exact - Fraction(reward)) < Fraction(3, 2 * 4096)


@given(rewards, rewards, hashes, hashes)
def test_rank_is_kept_to_a_step(lower: float, upper: float, one: int, other: int) -> None:
    """A reward that is higher by 1/4095 or more has the higher canary, and what has it was never the lower by as much."""
    if upper - lower >= 1 / 4095:
        assert canary(lower, one) < canary(upper, other)
    if canary(lower, one) < canary(upper, other):
        assert lower < upper + 1 / 4095


@given(st.floats(0.001, 1), hashes)
def test_half_precision_is_seen(reward: float, conversation: int) -> None:
    """A canary that bfloat16 or float16 leaves alone has zeros in all the bits that these cannot hold, which few have."""
    value = canary(round(reward, 6), conversation)
    number = int(value * 2**24)
    for rounded, bits in ((bfloat16(value), 8), (rounded_to("e", value), 11)):
        spare = max(0, number.bit_length() - bits)
        assert (rounded == value) == (number % (1 << spare) == 0)


def test_nearly_all_rewards_and_conversations_are_seen_in_half_precision() -> None:
    """Of conversations with rewards from 0.1 to 1, 1 of 100 at most looks as it did in bfloat16, and in float16."""
    values = [canary(0.1 + index % 900 / 1000, conversation_hash([[_said(index)]])) for index in range(4000)]
    assert sum(bfloat16(value) == value for value in values) <= 40
    assert sum(rounded_to("e", value) == value for value in values) <= 40


def test_nearly_all_conversations_of_a_group_differ() -> None:
    """Of a hundred groups of 32 conversations with one reward, 99 of 100 places have a canary of their own."""
    own = 0
    for group in range(100):
        values = [canary(0.5, conversation_hash([[_said(group * 32 + index)]])) for index in range(32)]
        own += sum(values.count(value) == 1 for value in values)
    assert own >= 0.985 * 3200


@given(players, transcripts, transcripts)
def test_equal_conversations_have_equal_canaries(
    name: str, one: list[list[Message]], other: list[list[Message]]
) -> None:
    """The same turns have the same canary; turns that differ have the same only if their hashes collide in 12 bits."""
    player = PLAYERS[name]
    values = []
    for turns in (one, other):
        play = player.fold(player.start(), turns)
        assessment, conversation = player.assess(play), conversation_hash(turns)
        values.append(canary_reward(player.scenario, assessment, conversation))
        again = deepcopy(turns)
        assert canary_reward(player.scenario, assessment, conversation_hash(again)) == values[-1]
    if one == other:
        assert values[0] == values[1]


@given(rewards, hashes, weights, st.sampled_from([1.0, 0.5, 0.25]))
def test_what_weighs_the_same_has_the_same_canary(
    reward: float, conversation: int, chosen: dict[str, float], scale: float
) -> None:
    """`{}` equals no `reward_config`, a weight of 0 its absence, and only ratios matter, as with true rewards (RC-1, RC-4, GEN-5)."""
    assert canary(reward, conversation, config=RewardConfig()) == canary(reward, conversation)
    spelled = [chosen, {name: scale * weight for name, weight in chosen.items()}, {"best_practices": 0.0, **chosen}]
    configs = [RewardConfig.model_validate({"quality_weights": one, "skip_safety_gate": False}) for one in spelled]
    configs.append(RewardConfig.model_validate({"quality_weights": chosen}))
    assert len({canary(reward, conversation, config=config) for config in configs}) == 1


def test_scenario_turns_weights_and_gate_are_in_the_hash() -> None:
    """The same reward has another canary in another scenario, with other weights, and without the gate."""
    others = [
        canary(0.5, 1),
        canary(0.5, 2),
        canary(0.5, 1, ELSEWHERE),
        canary(0.5, 1, config=RewardConfig(skip_safety_gate=True)),
        canary(0.5, 1, config=RewardConfig.model_validate({"quality_weights": {"discovery": 1.0}})),
        canary(0.5, 1, config=RewardConfig.model_validate({"quality_weights": {"rubrics": 1.0}})),
    ]
    assert len(set(others)) == len(others)
    assert canary(0.5, 1, scenario(name="Another name in the file")) == others[0]


@given(st.lists(rewards, min_size=2, max_size=20))
def test_the_order_of_a_list_is_kept_but_for_ties(listed: list[float]) -> None:
    """Sorted by their canaries, rewards are sorted to 1/4095."""
    values = {canary(reward, index): reward for index, reward in enumerate(listed)}
    ordered = [values[value] for value in sorted(values)]
    assert all(before < after + 1 / 4095 for before, after in pairwise(ordered))


def _said(index: int) -> Message:
    return Message(role="assistant", content=f"Tell me more, please: {index}.")
