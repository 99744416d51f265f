"""Advantages that a trainer used, compared with those of the rewards that the server gives."""

from collections.abc import Iterable, Sequence
from typing import Any

from labs_mock.contract.control import ExpectedReward
from labs_mock.testing.verdicts.advantage_formula import Advantage, AdvantageFormula, Scale, is_near, rounding_of
from labs_mock.testing.verdicts.advantage_mistakes import mistake
from labs_mock.testing.verdicts.expected_rewards import Conversation
from labs_mock.testing.verdicts.float_values import float32, float_values
from labs_mock.testing.verdicts.groups import Groups, rollout_groups

SCALES: tuple[Scale, ...] = ("group", "batch", None)
SHOWN = 5  # rollouts
UNKNOWN = "no usual mistake explains all of them; `assert_rewards` shows whether the rewards are in place"


def advantage_formula(groups: Groups, count: int, scale: Scale, ddof: int, eps: float) -> AdvantageFormula:
    """The formula for so many rollouts. Raises `ValueError` or `TypeError` that says what was expected."""
    if scale not in SCALES:
        raise ValueError(f"scale: expected 'group', 'batch' or None, got {scale!r}")
    if ddof not in (0, 1):
        raise ValueError(f"ddof: expected 0 or 1, got {ddof!r}")
    if not eps >= 0:
        raise ValueError(f"eps: expected a number of at least 0, got {eps!r}")
    return AdvantageFormula(rollout_groups(groups, count), scale, ddof, eps)


def check_advantages(
    advantages: Any,
    conversations: Sequence[Conversation],
    expected: Iterable[ExpectedReward],
    formula: AdvantageFormula,
    tolerance: float,
) -> None:
    """Raises `AssertionError` that shows the first advantages that are not those of the expected rewards, and what may be wrong.

    Raises `ValueError` for a conversation that has no reward, and `TypeError` for an advantage that is no number.
    """
    __tracebackhide__ = True
    rewards = [_reward(place, one) for place, one in enumerate(expected)]
    used = float_values(advantages, "advantages")
    if len(used) != len(rewards):
        raise AssertionError(f"expected {len(rewards)} advantages, one a rollout, got {len(used)}")
    right = sorted(formula.advantages(rewards))
    wrong = [one for one in right if not is_near(one, used[one.rollout], tolerance)]
    if not wrong:
        return
    lines = [f"{len(wrong)} of {len(used)} advantages are not those of the expected rewards"]
    lines += [_shown(one, used[one.rollout], rewards[one.rollout], formula) for one in wrong[:SHOWN]]
    lines += [f"  and {len(wrong) - SHOWN:,} more"] * (len(wrong) > SHOWN)
    lines.append(f"expected: scale={formula.scale!r}, ddof={formula.ddof}, eps={formula.eps:g}")
    found = mistake(formula, rewards, used, tolerance, conversations)
    if found is None and _is_rounding(wrong, used, rewards, formula):
        found = "rewards of a group are equal, and rounding is divided by an eps that is too small"
    lines.append(f"probably {found}" if found else UNKNOWN)
    raise AssertionError("\n".join(lines))


def _reward(place: int, expected: ExpectedReward) -> float:
    if expected.reward is None:
        raise ValueError(f"conversations[{place}] has no reward; leave it out, or correct it: {expected.error}")
    return float32(expected.reward)


def _shown(expected: Advantage, used: float, reward: float, formula: AdvantageFormula) -> str:
    group = next(number for number, group in enumerate(formula.groups) if expected.rollout in group)
    return f"  rollout {expected.rollout} (group {group}): expected {expected.value:.6g}, got {used:.6g}; reward {reward:.6g}"


def _is_rounding(
    wrong: Sequence[Advantage], used: Sequence[float], rewards: Sequence[float], formula: AdvantageFormula
) -> bool:
    """Whether all of them are in groups of equal rewards, and no more than rounding that the formula's `eps` made large."""
    noise = {
        one: rounding_of([rewards[one] for one in group])
        for group in formula.groups
        if len({rewards[one] for one in group}) == 1
        for one in group
    }
    return all(abs(used[one.rollout]) * formula.eps <= noise.get(one.rollout, -1) for one in wrong)
