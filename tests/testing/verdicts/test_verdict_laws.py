import copy
import math
import pickle
from collections.abc import Callable, Sequence

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from labs_mock.contract.control import ExpectedReward
from labs_mock.testing import Label, Verdict
from labs_mock.testing.verdicts.expected_rewards import ServedReward
from labs_mock.testing.verdicts.float_values import bfloat16, float16, float32, float_values
from labs_mock.testing.verdicts.reward_comparison import RewardComparison
from labs_mock.testing.verdicts.verdict import check_rewards, judge
from tests.testing.verdicts.naive_verdict import BRAIN, HALF, Case, Value, f32, half, names, place_names, shifts

SIXTHS = st.integers(0, 1_000_000).map(lambda number: number / 1_000_000)
GRID = st.sampled_from([0.0, 0.1, 0.221726, 0.25, 0.442381, 0.5, 0.75, 1.0])
DISTINCT = st.lists(SIXTHS.filter(lambda one: one > 0.01), min_size=4, max_size=8, unique=True)


def reward(value: float | None, *earlier: float, failed: bool = False) -> ExpectedReward:
    """What is expected of a conversation; None for one that the server refuses."""
    if value is None:
        return ExpectedReward(None, [], None, [], "messages: expected at least one")
    return ExpectedReward(value, [*earlier, value], "00", [7] if failed else [], None)


def verdict_on(case: Case) -> Verdict:
    """The verdict on a case."""
    served = {value: ServedReward(3, "01") for value in case.served}
    used = float_values(case.used)
    return judge(RewardComparison(case.rewards, used, case.lengths, case.groups, lambda: served))


def plain(values: Sequence[float], used: Sequence[Value], groups: list[list[int]] | None = None) -> Case:
    """A case in which only rewards matter: all of one turn, and all served."""
    served = [f32(value) for value in values]
    same_length = {"messages": [2] * len(values)}
    as_used = [None if one is None else f32(one) for one in used]
    return Case([reward(value) for value in values], as_used, groups or [], same_length, served)


# Anything that can be used, against the naive reference

Change = Callable[[list[Value], Case], list[Value]]


def _at(change: Callable[[Value, ExpectedReward], Value], places: list[bool]) -> Change:
    def changed(used: list[Value], case: Case) -> list[Value]:
        pairs = zip(used, case.rewards, strict=True)
        return [change(*pair) if chosen else pair[0] for pair, chosen in zip(pairs, places, strict=True)]

    return changed


def _of_number(change: Callable[[float], float]) -> Callable[[Value, ExpectedReward], Value]:
    return lambda value, _: None if value is None else f32(change(value))


ONE_BY_ONE: list[Callable[[Value, ExpectedReward], Value]] = [
    lambda *_: None,
    lambda *_: 0.0,
    lambda *_: 0.75,
    lambda *_: 3.25,
    _of_number(lambda value: half(abs(value), HALF)),
    _of_number(lambda value: half(abs(value), BRAIN)),
    _of_number(lambda value: 2 * value - 0.5),
    lambda value, one: f32(math.fsum(one.rewards_by_turn)) if one.rewards_by_turn else value,
    lambda value, one: f32(one.rewards_by_turn[-2]) if len(one.rewards_by_turn) > 1 else value,
]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Rewards with ties, and what one mistake or two make of them, at all places or at some."""
    rewards = draw(
        st.lists(
            st.builds(reward, st.none() | GRID | SIXTHS, GRID, failed=st.booleans())
            | st.builds(reward, GRID | SIXTHS, failed=st.booleans()),
            min_size=2,
            max_size=7,
        )
    )
    count = len(rewards)
    groups = draw(st.sampled_from([[], [[*range(count)]], [[*range(0, count, 2)], [*range(1, count, 2)]]]))
    lengths = {"messages": draw(st.lists(st.integers(2, 4), min_size=count, max_size=count))}
    served = draw(st.lists(GRID.map(f32), max_size=4)) + [f32(one.reward) for one in rewards if one.reward is not None]
    case = Case(rewards, [], groups, lengths, served)
    used = case.expected
    for _ in range(draw(st.integers(1, 2))):
        used = draw(_changes(count))(used, case)
    return case._replace(used=used)


def _changes(count: int) -> st.SearchStrategy[Change]:
    everywhere = st.just([True] * count)
    some = st.lists(st.booleans(), min_size=count, max_size=count)
    by = st.integers(1 - count, count - 1)
    return st.one_of(
        st.builds(_at, st.sampled_from(ONE_BY_ONE), everywhere | some),
        st.permutations(range(count)).map(lambda order: lambda used, _: [used[place] for place in order]),
        st.just(lambda used, _: used[::-1]),
        by.map(lambda number: lambda used, _: used[-number:] + used[:-number]),
        st.builds(_shift, by, st.integers(0, count - 1), st.sampled_from([None, 0.0])),
        st.integers(0, count - 1).map(lambda place: lambda used, _: [used[place]] * count),
        st.just(lambda used, case: _by(used, case.lengths["messages"])),
        st.just(lambda used, case: _centred(used, case.groups or [[*range(count)]])),
        st.sampled_from([lambda used, _: used[2:], lambda used, _: [*used, used[0]]]),
    ).map(lambda change: lambda used, case: change(used, case) if len(used) == count else used)


def _shift(by: int, start: int, fill: Value) -> Change:
    def changed(used: list[Value], _: Case) -> list[Value]:
        if by >= 0:
            return used[:start] + ([fill] * by + used[start:])[: len(used) - start]
        return used[:start] + (used[start - by :] + [fill] * -by)[: len(used) - start]

    return changed


def _by(used: list[Value], lengths: list[int]) -> list[Value]:
    return [one for _, one in sorted(zip(lengths, used, strict=True), key=lambda pair: pair[0])]


def _centred(used: list[Value], groups: list[list[int]]) -> list[Value]:
    after = [*used]
    for group in groups:
        numbers = [one for one in (used[place] for place in group) if one is not None]
        for place in group:
            one = used[place]
            after[place] = None if one is None else f32(4 * (one - sum(numbers) / len(numbers)))
    return after


@settings(max_examples=200)
@given(cases())
def test_the_label_is_the_first_that_explains_all_places(case: Case) -> None:
    """And `also` has the others; of a mixture each place has the first label that explains it by itself."""
    verdict, expected = verdict_on(case), names(case)
    event(expected[0])
    assert [verdict.label.name, *(label.name for label in verdict.also)] == expected
    assert [label.partition("(float")[0] for label in verdict.places] == (
        [name.partition("(float")[0] for name in place_names(case)] if expected == ["mixed"] else []
    )
    assert verdict.identifiable == sum(case.expected.count(one) == 1 for one in case.expected if one is not None)
    assert verdict.label in str(verdict)


# What each mistake alone is called


@settings(max_examples=60)
@given(DISTINCT, st.data())
def test_an_order_is_recognised(values: list[float], data: st.DataObject) -> None:
    """Distinct rewards in another order are swapped, reversed, shifted, sorted or permuted, and nothing else."""
    order = data.draw(st.permutations(range(len(values))))
    assume(order != [*range(len(values))])
    verdict = verdict_on(plain(values, [values[place] for place in order]))
    assert verdict.label.name in ("swapped", "reversed", "shifted", "sorted", "permuted")
    assert {"permuted", "other_conversation"} <= {label.name for label in (verdict.label, *verdict.also)}
    assert verdict.identifiable == len(values)


@settings(max_examples=60)
@given(DISTINCT, st.data())
def test_a_swap_names_both_places(values: list[float], data: st.DataObject) -> None:
    """The smaller one first."""
    one, other = sorted(data.draw(st.lists(st.integers(0, len(values) - 1), min_size=2, max_size=2, unique=True)))
    used = [*values]
    used[one], used[other] = used[other], used[one]
    assert verdict_on(plain(values, used)).label == f"swapped({one}, {other})"


@settings(max_examples=60)
@given(DISTINCT, st.data(), st.sampled_from([None, 0.0, "rotated"]))
def test_a_shift_names_its_distance(values: list[float], data: st.DataObject, fill: Value | str) -> None:
    """Forwards or backwards, the shorter way round; what comes in from outside may be 0, NaN or the other end."""
    by = data.draw(st.integers(1, len(values) - 1)) * data.draw(st.sampled_from([1, -1]))
    used: list[Value] = [*values[-by:], *values[:-by]]
    if not isinstance(fill, str):
        places = range(by) if by > 0 else range(len(values) + by, len(values))
        used = [fill if place in places else one for place, one in enumerate(used)]
    case = plain(values, used)
    verdict = verdict_on(case)
    (found,) = (label for label in (verdict.label, *verdict.also) if label.name == "shifted")
    (named,), possible = found.arguments, list(shifts(case))
    assert isinstance(named, int)
    assert {named, by} <= {*possible}
    assert abs(named) == min(map(abs, possible))
    assert verdict.label.name in ("shifted", "reversed", "swapped")


@settings(max_examples=60)
@given(DISTINCT, st.floats(0.1, 50), st.floats(-20, 20), st.sampled_from([1, -1]))
def test_an_affine_rescaling_is_recognised(values: list[float], factor: float, offset: float, sign: int) -> None:
    """Its factor and offset, as near as float32 has them, from three distinct values on."""
    assume(max(values) - min(values) > 0.01)
    used = [sign * factor * f32(value) + offset for value in values]
    assume(not {*map(f32, used)} & {*map(f32, values)})
    verdict = verdict_on(plain(values, used))
    assert verdict.label.name == "rescaled"
    assert verdict.label.arguments == pytest.approx((sign * factor, offset), rel=1e-2, abs=1e-2)
    assert verdict_on(plain(values[:2], used[:2])).label == "not_served"


@settings(max_examples=40)
@given(st.lists(DISTINCT.map(lambda values: values[:4]), min_size=2, max_size=4), st.booleans(), st.booleans())
def test_a_rescaling_in_each_group_is_recognised(values: list[list[float]], deviation: bool, interleaved: bool) -> None:
    """Each group has a line of its own; without the groups it is not to be seen, and neither if one has another sign."""
    assume(all(max(group) - min(group) > 0.01 for group in values))
    assume(len({round(sum(group), 3) for group in values}) > 1)
    count = len(values)
    flat = (
        [values[place % count][place // count] for place in range(4 * count)]
        if interleaved
        else [one for group in values for one in group]
    )
    groups = [[*range(number, 4 * count, count)] if interleaved else [*range(4 * number, 4 * number + 4)] for number in range(count)]  # fmt: skip
    used = [0.0] * len(flat)
    for group in groups:
        mean = sum(flat[place] for place in group) / 4
        scale = math.sqrt(sum((flat[place] - mean) ** 2 for place in group) / 3) + 1e-4 if deviation else 1
        for place in group:
            used[place] = f32((flat[place] - mean) / scale)
    assert verdict_on(plain(flat, used, groups)).label == "rescaled(each group)"
    assert verdict_on(plain(flat, used)).label.name in ("not_served", "mixed")
    used = [-one if place in groups[0] else one for place, one in enumerate(used)]
    assert verdict_on(plain(flat, used, groups)).label.name != "rescaled"


@settings(max_examples=60)
@given(DISTINCT, st.sampled_from([("float16", HALF), ("bfloat16", BRAIN)]), st.data())
def test_a_precision_is_named(
    values: list[float], precision: tuple[str, tuple[float, ...]], data: st.DataObject
) -> None:
    """Of any part of the rewards, as a tensor of that precision has them."""
    name, numbers = precision
    lossy = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    used = [half(f32(one), numbers) if chosen else one for one, chosen in zip(values, lossy, strict=True)]
    assume([f32(one) for one in used] != [f32(one) for one in values])
    verdict = verdict_on(plain(values, used))
    assert verdict.label.name == "lossy"
    if verdict.label != f"lossy({name})":  # where both precisions have the same numbers
        assert used == [half(f32(one), HALF) if chosen else one for one, chosen in zip(values, lossy, strict=True)]
    check_rewards(verdict, {"lossy"})
    with pytest.raises(AssertionError, match=r"^lossy"):
        check_rewards(verdict, {"nan"})


@settings(max_examples=60)
@given(st.lists(st.lists(SIXTHS.filter(bool), min_size=2, max_size=5), min_size=1, max_size=8))
def test_turns_are_told_apart(turns: list[list[float]]) -> None:
    """Their sum in float32, added up in order, and the reward before the last turn."""
    rewards = [reward(one[-1], *one[:-1]) for one in turns]
    case = Case(rewards, [], [], {}, [])
    sums: list[Value] = []
    for one in turns:
        total = 0.0
        for value in one:
            total = f32(total + f32(value))
        sums.append(total)
    assume(sums != [f32(one[-2]) for one in turns])
    assert verdict_on(case._replace(used=sums)).label.name in ("broadcast", "lossy", "summed_over_turns")
    earlier: list[Value] = [one[-2] for one in turns]
    assume([f32(one[-2]) for one in turns] != case.expected)
    verdict = verdict_on(case._replace(used=earlier))
    assert "last_but_one_turn" in [label.name for label in (verdict.label, *verdict.also)]


@settings(max_examples=60)
@given(DISTINCT, st.data())
def test_what_is_allowed_passes_place_by_place(values: list[float], data: st.DataObject) -> None:
    """A mixture passes if each of its labels is allowed."""
    used = data.draw(st.permutations([None, 0.3333333, *values[2:]]).filter(lambda one: one != values))
    verdict = verdict_on(plain(values, used))
    found = {label.name for label in verdict.places or (verdict.label,)} - {"in_place"}
    check_rewards(verdict, found)
    for name in found:
        with pytest.raises(AssertionError):
            check_rewards(verdict, found - {name})


def test_a_label_that_there_is_not_is_no_permission() -> None:
    """A misspelt one is a mistake of the test, and `mixed` says nothing of what it is made of."""
    verdict = verdict_on(plain([0.5], [0.5]))
    with pytest.raises(ValueError, match="allow: unknown label 'lossi'; did you mean 'lossy'\\?"):
        check_rewards(verdict, {"lossi"})
    with pytest.raises(ValueError, match="allow: unknown label 'mixed'"):
        check_rewards(verdict, ["mixed"])


def test_a_label_is_its_text() -> None:
    """With its name and arguments beside it, in copies too."""
    label = Label("swapped", 3, 7)
    for one in (label, copy.deepcopy(label), pickle.loads(pickle.dumps(label))):
        assert (one, one.name, one.arguments) == ("swapped(3, 7)", "swapped", (3, 7))
    assert (Label("rescaled", 2.0, -0.125), Label("nan")) == ("rescaled(2, -0.125)", "nan")


# Numbers


@given(SIXTHS | st.floats(0, 2, width=32))
def test_sixteen_bits_are_the_nearest(value: float) -> None:
    """Of all numbers that a precision has, of two the even one; both signs alike."""
    value = f32(value)
    assert (float16(value), bfloat16(value)) == (half(value, HALF), half(value, BRAIN))
    assert (float16(-value), bfloat16(-value)) == (-half(value, HALF), -half(value, BRAIN))
    assert float32(value) == value


def test_numbers_that_sixteen_bits_do_not_have() -> None:
    """Beyond the range there is infinity; NaN stays what it is."""
    assert (float16(70_000.0), float16(-math.inf), bfloat16(3.4e38), float32(1e300)) == (math.inf, -math.inf, math.inf, math.inf)  # fmt: skip
    assert [math.isnan(rounded(math.nan)) for rounded in (bfloat16, float16)] == [True, True]


class Tensor:
    """What arrays and tensors of any dimension have in common."""

    def __init__(self, values: object) -> None:
        self.values = values

    def tolist(self) -> object:
        return self.values

    def __iter__(self) -> object:
        raise TypeError("iteration over a 0-d tensor")


def test_rewards_may_be_of_many_types() -> None:
    """Lists, iterators, arrays of any shape, and scalars of such types; None is NaN."""
    half, third = 0.5, f32(1 / 3)
    same: tuple[object, ...] = ([0.5, 1 / 3], (0.5, 1 / 3), iter([0.5, 1 / 3]), [[0.5], [1 / 3]], Tensor([[0.5, 1 / 3]]), [Tensor(0.5), 1 / 3])  # fmt: skip
    for values in same:
        assert float_values(values) == [half, third]
    assert float_values([True, 1]) == [1, 1]
    assert [math.isnan(one) for one in float_values([None, math.nan, 0])] == [True, True, False]
    bad: list[tuple[object, str]] = [
        ([0.5, "0.5"], r"used\[1\]: expected a number or None, got str"),
        ([[0.5, {}]], r"used\[0\]\[1\]: expected a number or None, got dict"),
        (0.5j, "used: expected a number or None, got complex"),
    ]
    for values, message in bad:
        with pytest.raises(TypeError, match=f"^{message}$"):
            float_values(values)
