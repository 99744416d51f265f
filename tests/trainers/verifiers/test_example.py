"""The example as its page has it: the test beside it plays episodes with a model that has a script."""

from collections.abc import Iterator

import pytest

from tests.trainers.own_tests import in_folder_of, own_test
from tests.trainers.rollouts import THEIRS

pytest.importorskip("verifiers.v1")

pytestmark = THEIRS

own = own_test("verifiers")
model_url = own["model_url"]
test_each_episode_has_its_own_reward = own["test_each_episode_has_its_own_reward"]


@pytest.fixture(autouse=True)
def folder() -> Iterator[None]:
    """The example's scripts can be imported."""
    with in_folder_of("verifiers"):
        yield
