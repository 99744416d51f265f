"""The example of TRL, as it stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.test_examples import load
from tests.trainers.own_tests import in_folder_of, own_test
from tests.trainers.trl.policy import MARKS, PHRASES, PROMPT, SLUGS

pytestmark = MARKS

README = (ROOT / "examples" / "trl" / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def example(labs_mock_env: LabsMock) -> Iterator[Any]:
    """The script as a module; it reads the address when it is imported."""
    assert labs_mock_env.url
    module = load(ROOT / "examples" / "trl" / "train.py")
    yield module
    module.HTTP.close()


@pytest.mark.labs_mock(canary=False)
def test_it_learns(
    example: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mean reward rises about as much as its README says."""
    monkeypatch.chdir(tmp_path)
    example.main()
    first, last = map(float, capsys.readouterr().out.rpartition("mean reward ")[2].split(" -> "))
    assert f"rises from {first:.2f}" in README
    assert last > first + 0.1


def test_its_rewards_are_in_place(example: Any, labs_mock: LabsMock) -> None:
    """The reward function gives each completion its own reward."""
    completions = [[{"role": "assistant", "content": phrase}] for phrase in PHRASES]
    rewards = example.labs([PROMPT] * len(completions), completions)
    labs_mock.assert_rewards(rewards, [[*PROMPT, *one] for one in completions], **SLUGS)


@pytest.fixture(autouse=True)
def folder() -> Iterator[None]:
    """The example's scripts can be imported."""
    with in_folder_of("trl"):
        yield


test_each_completion_has_its_own_reward = own_test("trl")["test_each_completion_has_its_own_reward"]
