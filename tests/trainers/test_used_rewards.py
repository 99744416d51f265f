import math
from typing import Any

import pytest

from labs_mock.testing.verdicts.float_values import bfloat16, float16, float32, float_values

pytestmark = pytest.mark.trainers

VALUES = [number / 1_000_003 for number in range(0, 1_000_003, 997)]


@pytest.fixture
def torch() -> Any:
    """Skips where it is not installed."""
    return pytest.importorskip("torch")


def test_precisions_are_those_of_torch(torch: Any) -> None:
    """Each reward in 16 bits is what a tensor of that type has."""
    for name, rounded in (("float16", float16), ("bfloat16", bfloat16), ("float32", float32)):
        assert float_values(torch.tensor(VALUES, dtype=getattr(torch, name))) == [
            float32(rounded(float32(value))) for value in VALUES
        ]


def test_tensors_are_read_as_they_come(torch: Any) -> None:
    """Of any float type and shape, with a gradient, a list of scalars, and NaN for no reward."""
    rewards = torch.tensor([[0.25], [0.5], [math.nan]], dtype=torch.bfloat16, requires_grad=True)
    for used in (
        rewards,
        rewards.double(),
        rewards.view(1, 3),
        [*rewards],
        [*rewards.view(3)],
        rewards.detach().to(torch.float16),
    ):
        first, second, third = float_values(used)
        assert (first, second, math.isnan(third)) == (0.25, 0.5, True)


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_arrays_are_read_as_they_come(kind: str) -> None:
    """Of any float type and shape, and a list of their scalars."""
    numpy = pytest.importorskip("numpy")
    rewards = numpy.array([[0.25, 0.5]], dtype=kind)
    for used in (rewards, rewards[0], rewards.T, [*rewards[0]], [*rewards]):
        assert float_values(used) == [0.25, 0.5]
    assert float_values(numpy.array(VALUES, dtype="float16")) == [float16(value) for value in VALUES]
