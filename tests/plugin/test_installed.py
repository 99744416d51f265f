import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.installing import ROOT, Environment

pytestmark = pytest.mark.slow

SAMPLE = {
    "pyproject.toml": """
[project]
name = "my-trainer"
version = "1.0"

[dependency-groups]
test = ["labs-mock", "pytest"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
filterwarnings = ["error"]
""",
    "src/my_trainer.py": '''
"""A client that plays an episode, and a policy that has learnt its lines."""

import json
from types import SimpleNamespace
from urllib.request import Request, urlopen

SCAN = {"region": "lumbar spine", "modality": "mri", "urgency": "urgent"}
POLICY = [
    {"content": "Hello, I look after your claim. Please tell me what happened."},
    {"content": "I am sorry to hear that. Do you feel any numbness?"},
    {"content": "Please see a doctor about it today. Was an incident report written?"},
    {"content": "I understand. Do you have a second job?"},
    {
        "content": "Thank you for telling me. I order a scan now.",
        "tool_calls": [{"type": "artifact", "name": "order_imaging", "input": SCAN}],
    },
    {
        "content": "The report is still missing. I will call you when I have it.",
        "tool_calls": [{"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}],
    },
]


class MyClient:
    def __init__(self, url, api_key):
        self.url = url
        self.headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}

    def post(self, path, body):
        with urlopen(Request(f"{self.url}/api/v1{path}", json.dumps(body).encode(), self.headers)) as answer:
            return json.load(answer)

    def play(self, collection, scenario):
        where = {"collection_slug": collection, "scenario_slug": scenario, "score_turns": True}
        episode = self.post("/episodes", where)["episode_id"]
        for line in POLICY:
            turn = {"id": episode, "messages": [{"role": "assistant", **line}]}
            answer = self.post(f"/episodes/{episode}/turns", turn)
        return SimpleNamespace(**answer)
''',
    "tests/test_my_trainer.py": """
from my_trainer import MyClient


def test_my_client(labs_mock):
    client = MyClient(labs_mock.url, api_key=labs_mock.api_key)
    assert client.play("case-management", "lower-back-claim").reward > 0.5
""",
}

INI = """
[pytest]
addopts = --strict-markers --strict-config
asyncio_default_fixture_loop_scope = function
filterwarnings = error
markers =
    slow: builds and installs
"""


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel and pytest, and nothing else."""
    made = Environment(tmp_path_factory.mktemp("installed") / "venv")
    made.install(str(wheel), "pytest")
    return made


@pytest.fixture(scope="module")
def sampled(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> CompletedProcess[str]:
    """A run of the sample project."""
    folder = tmp_path_factory.mktemp("my-trainer")
    for name, text in SAMPLE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text.lstrip())
    return environment.python("-m", "pytest", cwd=folder)


@pytest.fixture(scope="module")
def equipped(environment: Environment, wheel: Path, sampled: CompletedProcess[str]) -> Environment:  # noqa: ARG001 - which needs less
    """The same environment with what the plugin's tests use."""
    others = "pytest-xdist", "pytest-randomly", "pytest-asyncio", "httpx", "hypothesis", "time-machine"
    environment.install(f"{wheel}[redis]", *others)
    return environment


def test_three_lines_are_enough_in_a_project_of_its_own(sampled: CompletedProcess[str]) -> None:
    """A project outside the repository passes with `pip install` of the wheel, pytest, and no word of configuration."""
    assert sampled.returncode == 0, sampled.stdout + sampled.stderr
    assert "1 passed" in sampled.stdout


def test_the_tests_of_the_plugin_pass_on_the_wheel(equipped: Environment, tmp_path: Path) -> None:
    """Away from the sources, with four workers and in random order, on the plugin that the wheel has installed."""
    for folder in ("tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / "pytest.ini").write_text(INI)
    options = ["-p", "xdist", "-n", "4", "-p", "randomly", "--randomly-seed=6", "-m", "not slow", "--trace-config"]
    run = equipped.python("-m", "pytest", *options, "tests/plugin", cwd=tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    (plugin,) = {line.split()[-1] for line in run.stdout.splitlines() if line.strip().startswith("labs_mock ")}
    assert Path(plugin).is_relative_to(equipped.binaries.parent)
    assert Path(plugin).match("site-packages/labs_mock/pytest_plugin/__init__.py")
