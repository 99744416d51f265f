from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.engine.choice_space import Choices, ChoiceSpace
from labs_mock.ids import permuted
from labs_mock.scenario.compiled.choices import alternatives
from labs_mock.scenario.files.operator_schema import Operator

Operators = dict[str, list[list[Any]]]
Chosen = tuple[str, float, tuple[str, ...]]

keys = st.binary(max_size=4)
wordings = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
parts = st.one_of(
    wordings,
    wordings,
    st.just("plain"),
    st.just({"call": "order_imaging", "input": {}}),
    wordings.map(lambda texts: {"when": {"discovered": "onset"}, "say": texts}),
)
scripts = st.lists(st.lists(parts, min_size=1, max_size=2) | st.just([{"silent": True}]), min_size=1, max_size=3)
operators = st.dictionaries(st.sampled_from(["expert", "novice", "quiet"]), scripts, min_size=1, max_size=3)
temperatures = st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=3)

EXPERT: Operators = {"expert": [[["a", "b", "c"], ["d", "e"]], [["f", "g", "h", "i", "j"]]]}
BOTH: Operators = {**EXPERT, "novice": [[["a", "b"]]]}


def models(scripts: Operators) -> dict[str, Operator]:
    """Operators with these turns."""
    return {name: Operator.model_validate({"agent_template_id": name, "says": says}) for name, says in scripts.items()}


def space(scripts: Operators, temperatures: Iterable[float] = (1.0,), key: bytes = b"k") -> ChoiceSpace:
    """The choice space of these operators."""
    return ChoiceSpace(models(scripts), list(temperatures), key)


def chosen_texts(scripts: Operators, chosen: Choices) -> Chosen:
    """The operator, the temperature, and the text that is taken of every part with texts."""
    choose = chosen.choose()
    return (
        chosen.operator,
        chosen.temperature,
        tuple(choose(texts) for texts in alternatives(models(scripts)[chosen.operator])),
    )


def texts_of(part: Any) -> list[str]:
    """The texts of a part, by a naive reading."""
    texts = part.get("say", []) if isinstance(part, dict) else part
    return sorted(set(texts)) if isinstance(texts, list) else [texts]


def combinations(scripts: Operators, temperatures: Iterable[float]) -> set[Chosen]:
    """All that could be chosen, by a naive reading."""
    return {
        (name, temperature, chosen)
        for name, says in scripts.items()
        for temperature in temperatures
        for chosen in product(*filter(None, (texts_of(part) for turn in says for part in turn)))
    }


@given(operators, temperatures, keys)
def test_each_combination_is_chosen_exactly_once(scripts: Operators, temperatures: list[float], key: bytes) -> None:
    """Over range(size) no two choices are alike, and together they are all that operators can make."""
    choices = space(scripts, temperatures, key)
    found = [chosen_texts(scripts, choices.at(number)) for number in range(choices.size)]
    assert len(set(found)) == len(found)
    assert set(found) == combinations(scripts, temperatures)


@given(operators, temperatures, keys)
def test_a_digit_says_which_of_the_texts_is_taken(scripts: Operators, temperatures: list[float], key: bytes) -> None:
    """There is a digit for every part with texts, below the number of its texts, in order."""
    choices = space(scripts, temperatures, key)
    for chosen in map(choices.at, range(choices.size)):
        offered = list(alternatives(models(scripts)[chosen.operator]))
        taken = [texts[digit] for texts, digit in zip(offered, chosen.digits, strict=True)]
        assert min(chosen.digits, default=0) >= 0
        assert tuple(taken) == chosen_texts(scripts, chosen)[2]


@given(operators, temperatures, keys)
def test_equal_keys_give_equal_orders(scripts: Operators, temperatures: list[float], key: bytes) -> None:
    """What is chosen follows from the operators, the temperatures and the key alone (DET-1)."""
    one, other = space(scripts, temperatures, key), space(scripts, temperatures, key)
    backwards = [other.at(number) for number in reversed(range(other.size))]
    assert [one.at(number) for number in range(one.size)] == backwards[::-1]


@given(keys, keys)
def test_other_keys_give_other_orders(one: bytes, other: bytes) -> None:
    """Keys that differ shuffle a space of a hundred choices differently."""
    orders = [[space(EXPERT, [0.0, 0.5, 1.0], key).at(number) for number in range(90)] for key in (one, other)]
    assert (orders[0] == orders[1]) == (one == other)


@pytest.mark.parametrize(
    ("scripts", "temperatures", "size"),
    [
        pytest.param(EXPERT, [1.0], 30, id="alternatives-multiply"),
        pytest.param(EXPERT, [0.5, 1.0], 60, id="temperatures-multiply"),
        pytest.param(BOTH, [0.5, 1.0], 64, id="operators-add"),
        pytest.param(EXPERT, [1.0, 0.5, 1.0], 60, id="a-temperature-twice-is-one"),
        pytest.param({"a": [[["x", "y", "x"]]]}, [1.0], 2, id="a-text-twice-is-one"),
        pytest.param({"a": [["x"], [{"silent": True}]]}, [1.0], 1, id="nothing-to-choose"),
        pytest.param({"a": [[["x", "y"]] * 4] * 50}, [1.0, 0.5], 2**201, id="more-than-64-bits"),
    ],
)
def test_the_size_counts_what_there_is_to_choose(scripts: Operators, temperatures: list[float], size: int) -> None:
    """Texts and temperatures multiply, operators add, and what stands twice counts once."""
    assert space(scripts, temperatures).size == size


def test_a_huge_space_can_be_chosen_from_as_well() -> None:
    """With more combinations than fit in 64 bits the choices still differ, and every text of every part comes up."""
    choices = space({"a": [[["x", "y"]] * 4] * 50}, [1.0, 0.5])
    places = [*range(500), *range(choices.size - 500, choices.size)]
    found = [choices.at(number) for number in places]
    assert len(set(found)) == 1_000
    assert {chosen.temperature for chosen in found} == {1.0, 0.5}
    assert all({chosen.digits[part] for chosen in found} == {0, 1} for part in range(200))


def test_operators_are_chosen_by_the_number_of_their_texts() -> None:
    """The first choices of a large space are a fair sample of it: neither one operator nor one temperature first."""
    scripts: Operators = {"a": [[["x", "y", "z"]]] * 8, "b": [[["x", "y", "z"]]] * 8}
    found = [space(scripts, [0.0, 0.5], bytes([key])).at(number) for key in range(10) for number in range(40)]
    assert 150 < sum(chosen.operator == "a" for chosen in found) < 250
    assert 150 < sum(chosen.temperature == 0.5 for chosen in found) < 250


@given(st.integers(1, 300), keys)
def test_a_permutation_takes_each_number_to_one_of_its_own(size: int, key: bytes) -> None:
    """Every number of range(size) is reached exactly once, at every size."""
    assert sorted(permuted(key, number, size) for number in range(size)) == list(range(size))


@pytest.mark.parametrize("size", [1_000, 1_023, 1_024, 1_025, 9_999, 65_537])
def test_a_permutation_of_many_numbers_leaves_none_out(size: int) -> None:
    """Larger sizes, next to squares and powers of two among them, are permuted as well."""
    assert {permuted(b"k", number, size) for number in range(size)} == set(range(size))


@given(st.integers(2**64, 2**256), st.lists(st.integers(0, 2**256), min_size=2, max_size=20, unique=True), keys)
def test_numbers_beyond_64_bits_are_permuted(size: int, numbers: list[int], key: bytes) -> None:
    """In ranges of any size numbers stay in the range, and those that differ go on to differ."""
    within = {number % size for number in numbers}
    taken = {permuted(key, number, size) for number in within}
    assert len(taken) == len(within)
    assert 0 <= min(taken) <= max(taken) < size


@pytest.mark.parametrize(
    ("key", "size", "expected"),
    [
        (b"7 rows", 10, [3, 9, 5, 2, 0, 7]),
        (b"7 rows", 1_000, [803, 807, 582, 15, 692, 152]),
        (b"8 rows", 1_000, [269, 248, 730, 229, 119, 423]),
        (b"", 2, [0, 1]),
        (
            b"7 rows",
            10**30,
            [
                482007900751091615137202169117,
                819170650947636904587329886429,
                102985794194533275858626195860,
                887961590455443936718196524113,
                137155868719294006992038840898,
                146260467586333572280689632544,
            ],
        ),
    ],
)
def test_the_permutation_stays_what_it_is(key: bytes, size: int, expected: list[int]) -> None:
    """A change of the permutation would change every generated dataset, so some values are written down (DS-6)."""
    assert [permuted(key, number, size) for number in range(min(size, 6))] == expected
