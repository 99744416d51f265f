"""The first test of `docs/pytest.md`, word by word, with a client that turns a failure into 0.0."""

import pytest

from tests.pages import ROOT, blocks
from tests.plugin.project import Project

CLIENT = """
from types import SimpleNamespace

from sound_client import MyClient as SoundClient

KEY = None  # instead of the test's
RELATED = []  # scenarios that are played before, for the best reward of all


class MyClient(SoundClient):
    def __init__(self, url, api_key):
        super().__init__(url, KEY or api_key)

    def play(self, collection, scenario):
        rewards = [self.reward(collection, slug) for slug in (*RELATED, scenario)]
        return SimpleNamespace(reward=max(rewards))

    def reward(self, collection, scenario):
        try:
            return super().play(collection, scenario).reward
        except Exception:
            return 0.0
"""

CONFTEST = """
import my_client
import pytest


@pytest.fixture(autouse=True, params=["sound", "down", "last_turn", "old_key", "misspelt"])
def failure(request, labs_mock, monkeypatch):
    match request.param:
        case "down":
            labs_mock.add_fault(path="/api/v1/episodes", status=503)
        case "last_turn":
            labs_mock.add_fault(path="*/turns", nth=4, status=404)
        case "old_key":
            monkeypatch.setattr(my_client, "KEY", "lab_old")
        case "misspelt":
            monkeypatch.setattr(my_client, "RELATED", ["lower-back-clam"])
"""

REASONS = {
    "down": ["* 0.0 > 0.5", "POST /api/v1/episodes -> 503 *faults fault-1"],
    "last_turn": ["* 0.0 > 0.5", "POST /api/v1/episodes/*/turns -> 404 *faults fault-1"],
    "old_key": ["* 0.0 > 0.5", "POST /api/v1/episodes -> 401*", "    Invalid or missing API key"],
    "misspelt": [
        "labs-mock refused requests, *",
        "POST /api/v1/episodes -> 404: Scenario not found: 'lower-back-clam' *",
    ],
}
"""Lines of each failure. The first three make the reward 0; the last one leaves it above 0.5."""


def test_a_failure_that_becomes_zero_fails_the_first_test(project: Project) -> None:
    """Whatever failed, that test fails and shows the request that did; with a client that had no failure it passes."""
    page = blocks(ROOT / "docs" / "pytest.md")
    project.write("test_first.py", next(block.text for block in page if block.argument == "test_my_client.py"))
    project.write("sound_client.py", next(block.text for block in page if block.argument == "my_client.py"))
    project.write("my_client.py", CLIENT)
    project.write("conftest.py", CONFTEST)
    result = project.run()
    result.assert_outcomes(passed=1, failed=len(REASONS))
    sections = "\n".join(result.outlines).split("_ test_my_client[")
    for section, (name, lines) in zip(sections[1:], REASONS.items(), strict=True):
        assert section.startswith(f"{name}]")
        pytest.LineMatcher(section.splitlines()).fnmatch_lines(lines)
