"""The example as its page has it."""

from collections.abc import Iterator

import pytest

from tests.trainers.own_tests import in_folder_of, own_test, run_script, shown_output
from tests.trainers.rollouts import THEIRS, close_clients

pytest.importorskip("verl")

pytestmark = THEIRS


@pytest.mark.usefixtures("labs_mock_env")
def test_its_command_prints_what_the_page_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """What the page shows below its first command is what that prints, word for word."""
    run_script("verl", "scripted.py")
    assert capsys.readouterr().out == shown_output("verl.md", "scripted.py")


@pytest.fixture(autouse=True)
def folder() -> Iterator[None]:
    """The example's scripts can be imported."""
    with in_folder_of("verl"):
        yield
    close_clients()  # of the file that verl has loaded


test_each_response_has_its_own_reward = own_test("verl")["test_each_response_has_its_own_reward"]
