"""`assert_advantages`: a trainer that computes them with float32 passes, and each usual mistake is named."""

import math
import struct
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.contract.control import ExpectedReward
from labs_mock.testing import LabsMock
from labs_mock.testing.verdicts.advantages import UNKNOWN, advantage_formula, check_advantages
from tests.testing.conversation import CONVERSATION, post

TALK = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Tell me what happened."}]
SCALES = ("group", "batch", None)
TOLERANCE = 1e-4

rewards_of_all = st.lists(st.integers(0, 20).map(lambda step: step / 20), min_size=2, max_size=12)
scales = st.sampled_from(SCALES)


def f32(value: float) -> float:
    """The nearest float32."""
    return float(struct.unpack("f", struct.pack("f", value))[0])


def deviation(values: list[float], ddof: int, number: Callable[[float], float]) -> float:
    """The standard deviation, each step in the precision of `number`; 0 for too few values."""
    if len(values) <= ddof:
        return 0.0
    mean = average(values, number)
    total = 0.0
    for value in values:
        total = number(total + number(number(value - mean) ** 2))
    return number(math.sqrt(number(total / (len(values) - ddof))))


def average(values: list[float], number: Callable[[float], float]) -> float:
    """The mean, likewise."""
    total = 0.0
    for value in values:
        total = number(total + value)
    return number(total / len(values))


def naive(
    rewards: list[float],
    labels: list[int],
    scale: str | None = "group",
    ddof: int = 1,
    eps: float = 1e-4,
    number: Callable[[float], float] = float,
) -> list[float]:
    """The definition, rollout by rollout."""
    found = []
    for reward, label in zip(rewards, labels, strict=True):
        group = [number(other) for other, its in zip(rewards, labels, strict=True) if its == label]
        spread = deviation(group if scale == "group" else list(map(number, rewards)), ddof, number)
        divisor = 1.0 if scale is None else number(spread + eps)
        found.append(number(number(number(reward) - average(group, number)) / divisor) if divisor else 0.0)
    return found


def check(
    advantages: Any,
    rewards: list[float],
    groups: Any,
    scale: Any = "group",
    ddof: int = 1,
    eps: float = 1e-4,
    tolerance: float = TOLERANCE,
    talks: Any = None,
) -> None:
    """Check advantages of conversations with these rewards."""
    expected = [ExpectedReward(reward, [reward], "0", [], None) for reward in rewards]
    formula = advantage_formula(groups, len(rewards), scale, ddof, eps)
    check_advantages(advantages, talks or [TALK] * len(rewards), expected, formula, tolerance)


def conviction(*arguments: Any, **options: Any) -> str:
    """The last line of what is said of advantages that fail."""
    with pytest.raises(AssertionError) as failed:
        check(*arguments, **options)
    return str(failed.value).splitlines()[-1]


def differs(one: list[float], other: list[float]) -> bool:
    """Whether two lists are far from each other at some place."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 0.01


@given(rewards_of_all, scales, st.sampled_from([0, 1]), st.sampled_from([1e-3, 1e-4, 1e-6]), st.data())
def test_a_trainer_with_float32_passes(
    rewards: list[float], scale: str | None, ddof: int, eps: float, data: st.DataObject
) -> None:
    """With any groups in either notation and any divisor, also where rewards of a group are equal."""
    labels = data.draw(st.lists(st.integers(0, 3), min_size=len(rewards), max_size=len(rewards)))
    advantages = naive(rewards, labels, scale, ddof, eps, f32)
    groups = [[place for place, its in enumerate(labels) if its == label] for label in dict.fromkeys(labels)]
    check(advantages, rewards, labels, scale, ddof, eps)
    check(array("f", advantages), rewards, [array("i", group) for group in groups], scale, ddof, eps)


@given(rewards_of_all, scales, st.sampled_from([0, 1]), st.data())
def test_whatever_is_far_from_it_fails(rewards: list[float], scale: str | None, ddof: int, data: st.DataObject) -> None:
    """One advantage that is off by more than rounding, or is no number."""
    labels = data.draw(st.lists(st.integers(0, 3), min_size=len(rewards), max_size=len(rewards)))
    advantages = naive(rewards, labels, scale, ddof)
    place = data.draw(st.integers(0, len(rewards) - 1))
    advantages[place] += data.draw(st.sampled_from([0.05, -0.05, math.nan, math.inf]))
    with pytest.raises(
        AssertionError, match=rf"^1 of {len(rewards)} advantages are not those of the expected rewards\n"
    ):
        check(advantages, rewards, labels, scale, ddof)


LABELS = [0, 0, 0, 0, 1, 1, 1, 1]
MISTAKES: dict[str, tuple[Callable[[list[float]], list[float]], dict[str, Any]]] = {
    "probably the standard deviation has ddof=0": (lambda rewards: naive(rewards, LABELS, ddof=0), {}),
    "probably the standard deviation has ddof=1": (lambda rewards: naive(rewards, LABELS), {"ddof": 0}),
    "probably they are divided by the standard deviation of the batch": (lambda rewards: naive(rewards, LABELS, "batch"), {}),
    "probably they are divided by the standard deviation of the group": (
        lambda rewards: naive(rewards, LABELS),
        {"scale": "batch"},
    ),
    "probably they are divided by the standard deviation of the centred rewards of the batch": (
        lambda rewards: [one / (deviation(naive(rewards, LABELS, None), 1, float) + 1e-4) for one in naive(rewards, LABELS, None)],
        {"scale": "batch"},
    ),
    "probably they are not divided by a standard deviation": (lambda rewards: naive(rewards, LABELS, None), {}),
    "probably means and deviations are of the whole batch": (lambda rewards: naive(rewards, [0] * len(rewards)), {}),
    "probably means and deviations are of every second rollout": (lambda rewards: naive(rewards, [0, 1] * 4), {}),
    "probably means and deviations are of 2 neighbours at a time": (lambda rewards: naive(rewards, [0, 0, 1, 1, 2, 2, 3, 3]), {}),
    "probably they are not centred: no mean is subtracted": (
        lambda rewards: rewards,
        {"scale": None},
    ),
    "probably they are centred on the mean of the other rollouts of the group (leave-one-out)": (
        lambda rewards: [one * 4 / 3 for one in naive(rewards, LABELS, None)],
        {"scale": None},
    ),
    "probably their sign is turned": (lambda rewards: [-one for one in naive(rewards, LABELS)], {}),
    "probably the standard deviation has ddof=0, and their sign is turned": (
        lambda rewards: [-one for one in naive(rewards, LABELS, ddof=0)],
        {},
    ),
    "probably they are not divided by a standard deviation, and they are not centred: no mean is subtracted": (
        lambda rewards: rewards,
        {},
    ),
    UNKNOWN: (
        lambda rewards: naive(rewards[::-1], LABELS),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MISTAKES)
def test_each_usual_mistake_is_named(sentence: str) -> None:
    """One wrong thing, or two at once; and that none is known."""
    rewards = [0.1, 0.7, 0.3, 0.35, 0.9, 0.2, 0.55, 0.6]
    made, options = MISTAKES[sentence]
    assert conviction(made(rewards), rewards, LABELS, **options) == sentence


@given(st.lists(st.integers(0, 20).map(lambda step: step / 20), min_size=8, max_size=8), st.sampled_from([*MISTAKES]))
def test_what_is_named_explains_all_advantages(rewards: list[float], sentence: str) -> None:
    """Whatever the rewards, a mistake that shows fails; two that cannot be told apart may be named for each other."""
    made, options = MISTAKES[sentence]
    wrong, right = made(rewards), naive(rewards, LABELS, **options)
    assume(differs(wrong, right))
    named = conviction(wrong, rewards, LABELS, **options)
    if sentence != UNKNOWN:
        assert named.startswith("probably ")
    if named in MISTAKES and MISTAKES[named][1] == options:
        assert not differs(MISTAKES[named][0](rewards), wrong)


def test_equal_prompts_are_no_groups() -> None:
    """Two groups with one prompt: statistics over prompts are wrong, and named so (table of broken clients, 22)."""
    hello, other = TALK, [{"role": "user", "content": "Good day."}, *TALK[1:]]
    rewards = [0.1, 0.7, 0.9, 0.2, 0.5, 0.6]
    groups, prompts = [[0, 1], [2, 3], [4, 5]], [0, 0, 0, 0, 1, 1]
    talks = [hello] * 4 + [{**CONVERSATION, "messages": other}] * 2
    advantages = naive(rewards, prompts)
    said = conviction(advantages, rewards, groups, talks=talks)
    assert said == "probably means and deviations are of rollouts with equal prompts, not of groups"
    check(naive(rewards, [0, 0, 1, 1, 2, 2]), rewards, groups, talks=talks)


def test_rounding_that_is_made_large_is_named() -> None:
    """Equal rewards, and an `eps` so small that what float32 rounds becomes an advantage."""
    rewards = [0.45] * 6
    advantages = naive(rewards, [0] * 6, eps=1e-9, number=f32)
    assert max(map(abs, advantages)) > 0.5
    said = conviction(advantages, rewards, [0] * 6, eps=1e-9)
    assert said == "probably rewards of a group are equal, and rounding is divided by an eps that is too small"
    check(naive(rewards, [0] * 6, number=f32), rewards, [0] * 6)
    assert conviction([0.7, -0.7] * 3, rewards, [0] * 6).startswith("no usual mistake")


def test_the_text_shows_the_first_places() -> None:
    """Five of them, with group, expected and used value and the reward, how many more there are, and the formula."""
    rewards = [0.0, 0.5, 1.0, 0.5, 0.25, 0.75]
    with pytest.raises(AssertionError) as failed:
        check([0.0, 0.5, 1.0, 0.5, 0.25, 0.75], rewards, [[0, 1, 2], [5, 4, 3]], scale="batch", ddof=0, eps=0.5)
    assert str(failed.value).splitlines() == [
        "6 of 6 advantages are not those of the expected rewards",
        "  rollout 0 (group 0): expected -0.607719, got 0; reward 0",
        "  rollout 1 (group 0): expected 0, got 0.5; reward 0.5",
        "  rollout 2 (group 0): expected 0.607719, got 1; reward 1",
        "  rollout 3 (group 1): expected 0, got 0.5; reward 0.5",
        "  rollout 4 (group 1): expected -0.30386, got 0.25; reward 0.25",
        "  and 1 more",
        "expected: scale='batch', ddof=0, eps=0.5",
        "probably they are not divided by a standard deviation, and they are not centred: no mean is subtracted",
    ]


def test_mistakes_of_the_call() -> None:
    """Groups that are none, an unknown scale, too few advantages, a conversation without a reward."""
    bad: list[tuple[dict[str, Any], type[Exception], str]] = [
        (
            {"groups": ["a", "a", "b"]},
            TypeError,
            "groups: expected numbers, got str; a prompt names no group, since two may",
        ),
        ({"groups": [0, 1]}, ValueError, "groups: expected a number for each of 3 rollouts, got 2"),
        ({"groups": [[0, 1]]}, ValueError, "groups: rollout 2 is in 0 groups; expected each of the 3 in one"),
        ({"scale": "std"}, ValueError, "scale: expected 'group', 'batch' or None, got 'std'"),
        ({"ddof": 2}, ValueError, "ddof: expected 0 or 1, got 2"),
        ({"eps": -1.0}, ValueError, "eps: expected a number of at least 0, got -1.0"),
        ({"advantages": [0.0]}, AssertionError, "expected 3 advantages, one a rollout, got 1"),
        ({"advantages": ["x"] * 3}, TypeError, r"advantages\[0\]: expected a number or None, got str"),
    ]
    for changes, error, message in bad:
        with pytest.raises(error, match=f"^{message}"):
            check(**{"advantages": [0.0] * 3, "rewards": [0.5] * 3, "groups": [0, 0, 0], **changes})


@pytest.fixture(scope="module", params=[False, True], ids=["true", "canary"])
def mock(request: pytest.FixtureRequest) -> Iterator[LabsMock]:
    """A server with true rewards, and one with canaries."""
    with LabsMock(canary=request.param) as running:
        yield running


def test_the_rewards_are_those_that_the_server_gives(mock: LabsMock) -> None:
    """Under canary, too, where equal rewards differ; a conversation without a reward is named."""
    texts = ["Tell me what happened.", "What happened?", "Hm.", "I see."]
    talks = [[TALK[0], {"role": "assistant", "content": text}] for text in texts]
    slugs = {name: CONVERSATION[name] for name in ("collection_slug", "scenario_slug")}
    rewards = [post(mock, "evaluate", {**slugs, "messages": talk}).json()["reward"] for talk in talks]
    mock.assert_advantages(naive(rewards, [0, 1, 0, 1]), talks, [0, 1, 0, 1], **slugs)
    mock.assert_advantages(naive(rewards, [0, 0, 1, 1], "batch"), talks, [[0, 1], [2, 3]], scale="batch", **slugs)
    with pytest.raises(AssertionError, match="probably their sign is turned"):
        mock.assert_advantages([-one for one in naive(rewards, [0] * 4)], talks, [0] * 4, **slugs)
    with pytest.raises(
        ValueError, match=r"conversations\[1\] has no reward; leave it out, or correct it: messages: expec"
    ):
        mock.assert_advantages([0.0, 0.0], [talks[0], TALK[:1]], [0, 0], **slugs)
