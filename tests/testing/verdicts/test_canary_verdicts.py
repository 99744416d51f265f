"""What a verdict sees of rewards under canary, and does not see of the true ones."""

from collections.abc import Iterator

import pytest

from labs_mock.testing import LabsMock
from labs_mock.testing.verdicts.float_values import bfloat16, float16, float32
from tests.testing.conversation import CONVERSATION, post

SLUGS = {name: CONVERSATION[name] for name in ("collection_slug", "scenario_slug")}
TALKS = [
    [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": f"Tell me what happened, {name}."}]
    for name in ("Ann", "Ben", "Cem", "Dan", "Eva", "Fay", "Gus", "Hal")
]


@pytest.fixture(scope="module")
def mock() -> Iterator[LabsMock]:
    """A server with canaries."""
    with LabsMock(canary=True) as running:
        yield running


@pytest.fixture(scope="module")
def served(mock: LabsMock) -> list[float]:
    """The rewards of the talks, which without canaries are all the same."""
    rewards = [post(mock, "evaluate", {**SLUGS, "messages": talk}).json() for talk in TALKS]
    with LabsMock() as plain:
        assert len(set(plain.verdict([0] * 8, TALKS, **SLUGS).expected)) == 1
    return [one["reward"] for one in rewards]


def test_every_exchange_is_seen(mock: LabsMock, served: list[float]) -> None:
    """All places are identifiable, in float32 all are in place, and what was moved is named."""
    verdict = mock.assert_rewards([float32(reward) for reward in served], TALKS, **SLUGS)
    assert (verdict.identifiable, list(verdict.expected)) == (8, served)
    assert mock.verdict(served[::-1], TALKS, **SLUGS).label == "reversed"
    assert mock.verdict(served[-1:] + served[:-1], TALKS, **SLUGS).label == "shifted(1)"
    assert mock.verdict([served[1], served[0], *served[2:]], TALKS, **SLUGS).label == "swapped(0, 1)"
    assert mock.verdict(served[:1] * 8, TALKS, **SLUGS).label == "broadcast(0)"


def test_lost_precision_is_seen(mock: LabsMock, served: list[float]) -> None:
    """Rewards in the dtype of a model."""
    assert mock.verdict(list(map(bfloat16, served)), TALKS, **SLUGS).label == "lossy(bfloat16)"
    assert mock.verdict(list(map(float16, served)), TALKS, **SLUGS).label == "lossy(float16)"
