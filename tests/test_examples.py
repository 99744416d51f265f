"""The folder `examples/`: short, documented, and sound. Examples of trainers are run by `make trainers`."""

import asyncio
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.pages import EXAMPLES, ROOT, blocks

NAMES = [path.relative_to(ROOT).as_posix() for path in EXAMPLES]
SLUGS: dict[str, Any] = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
HEARD = {"role": "user", "content": "Something that the persona says."}


def load(path: Path) -> ModuleType:
    """A script as a module; its folder may have the name of one of the standard library."""
    spec = importlib.util.spec_from_file_location(f"example_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said_by_operator(text: str) -> dict[str, str]:
    """A message of the operator."""
    return {"role": "assistant", "content": text}


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_short(name: str) -> None:
    """A script has at most 80 lines, and the README of its folder about ten, with the commands to run it."""
    readme = (ROOT / name / "README.md").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 12
    assert re.search(r"^    \w", readme, re.MULTILINE)
    for script in (ROOT / name).glob("*.py"):
        assert len(script.read_text(encoding="utf-8").splitlines()) <= 80, script


ROW = re.compile(
    r"^\| \[(?P<name>[a-z/]+)\]\((?P=name)/README\.md\) †? ?\| (?P<what>[^|]+) \| (?P<needs>[^|]+) \| `(?P<command>[^`|]+)` \| (?P<tests>[^|]+) \|$",
    re.MULTILINE,
)


def test_every_example_is_in_the_gallery() -> None:
    """`examples/README.md` has a row for each folder, with a command that its README has, and tests that name the folder."""
    gallery = ROOT / "examples/README.md"
    rows = list(ROW.finditer(gallery.read_text(encoding="utf-8")))
    assert sorted(f"examples/{row['name']}" for row in rows) == NAMES
    for row in rows:
        readme = (gallery.parent / row["name"] / "README.md").read_text(encoding="utf-8")
        assert row["command"].partition(" URL")[0] in readme, row["name"]
        for path in re.findall(r"\]\((.+?)\)", row["tests"]):
            room = (gallery.parent / path).resolve().parent
            assert any(row["name"] in test.read_text(encoding="utf-8") for test in room.glob("*.py")), path


@pytest.mark.parametrize("name", ["examples/clients/python", "examples/scenarios"])
def test_the_tests_of_an_example_are_green(name: str, tmp_path: Path) -> None:
    """Copied to a folder of its own, an example that has tests and needs no trainer passes."""
    shutil.copytree(ROOT / name, tmp_path / "copy")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path / "copy", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_asyncio_example_learns(labs_mock_env: LabsMock) -> None:
    """Run as its README says, the mean rewards of its steps are those that the README names."""
    script, readme = ROOT / "examples/asyncio/train.py", (ROOT / "examples/asyncio/README.md").read_text("utf-8")
    printed = subprocess.run([sys.executable, script], check=True, capture_output=True, text=True, timeout=60).stdout
    means = re.findall(r"mean reward (\d\.\d+)", printed)
    assert f"rises from {float(means[0]):.2f} to {float(means[-1]):.2f}" in readme.replace("\n", " ")
    labs_mock_env.assert_no_findings("info")


@pytest.mark.labs_mock(canary=True)
def test_the_asyncio_example_uses_rewards_as_they_are(labs_mock_env: LabsMock) -> None:
    """Its rewards are in place, and its advantages follow from them."""
    example = load(ROOT / "examples/asyncio/train.py")

    async def steps() -> list[Any]:
        return [step async for step in example.train()]

    for said, rewards, advantages in asyncio.run(steps()):
        conversations = [[message for text in texts for message in (HEARD, said_by_operator(text))] for texts in said]
        labs_mock_env.assert_rewards(rewards, conversations, **SLUGS)
        labs_mock_env.assert_advantages(advantages, conversations, [range(len(said))], **SLUGS)


PLAYS = {
    "asyncio": """
from train import PHRASES, Labs, rollout

async def play():
    async with Labs() as labs:
        return await rollout(labs, PHRASES)
""",
    "trl-environment": """
from labs_environment import Call, call_reward

def play():
    call = Call()
    call.reset()
    for text in ("Please tell me what happened.", "Do you feel any numbness?", "I will call you."):
        call.say(text)
    return call_reward([call])
""",
}
"""Modules that play an episode with an example or the glue of a page."""


@pytest.mark.slow
@pytest.mark.parametrize("function", ["labs_rewards:score", "labs_rewards:score_in_batches", *PLAYS])
def test_whatever_happens_the_glue_does_right(function: str, tmp_path: Path) -> None:
    """In no case of the drills it is wrong, and none has to be looked at."""
    for block in blocks(ROOT / "docs" / "trl.md"):
        if block.action == "file":
            (tmp_path / block.argument).write_text(block.text, encoding="utf-8")
    shutil.copy(ROOT / "examples/asyncio/train.py", tmp_path)
    if function in PLAYS:
        (tmp_path / "played.py").write_text(PLAYS[function], encoding="utf-8")
        function = "played:play"
    command = [str(Path(sys.executable).with_name("labs-mock")), "drill", function, "--format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, cwd=tmp_path, timeout=120)
    report = json.loads(done.stdout)
    assert not [row for row in report["rows"] if row["rating"] not in {"good", "skipped"}]
