"""A project for each test, which pytest runs in a process of its own: there the plugin is found as it is installed."""

import json

import pytest

from tests.support import CLAIM

# Of the plugins that happen to be installed, a project has those that it asks for.
INI = """
[pytest]
addopts = -p no:randomly -p no:asyncio -p no:schemathesis -p no:hypothesispytest -p no:cacheprovider
"""

ASYNCIO = ("-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function")
"""The options of a project with async tests: pytest-asyncio takes a fifth of a run's time to import."""

TALK = """
SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
MESSAGES = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Tell me what happened."}]
SAID = {**SCENARIO, "messages": MESSAGES}
ODD = {**SAID, "mesages": []}  # a finding that is a warning
BY_HAND = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"  # a shipped dataset that is ready
"""


class Project:
    """A folder with tests. They may import `talk`, which has something to say to the shipped scenarios."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.path = pytester.path
        self._pytester = pytester
        self.write("pytest.ini", INI)
        self.write("talk.py", TALK)

    def write(self, name: str, text: str) -> None:
        """A file of the folder."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text, encoding="utf-8")

    def write_scenarios(self, name: str, collection: str, **changes: object) -> None:
        """A folder of scenarios that has one, in a collection of that name; some of its keys are changed."""
        self.write(f"{name}/{collection}/collection.yaml", "name: Cases\ndescription: Some cases.\n")
        self.write(f"{name}/{collection}/claim.yaml", json.dumps({**CLAIM, **changes}))

    def configure(self, *lines: str) -> None:
        """More lines of the ini file."""
        self.write("pytest.ini", "\n".join([INI, *lines]))

    def run(self, *options: str) -> pytest.RunResult:
        """What pytest makes of it."""
        return self._pytester.runpytest_subprocess(*options, timeout=120)
