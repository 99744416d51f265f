"""What `labs-mock init --ci` and `--compose` write: valid, and what it runs works, without containers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from labs_mock.config.settings import SETTINGS
from tests.ci.steps import action, done, job
from tests.ci.test_actions import is_valid
from tests.installing import ROOT
from tests.pages import blocks
from tests.scaling.files import schema
from tests.serving.test_server import ENVIRONMENT, serving

HERE = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
GITHUB, GITLAB = ".github/workflows/labs-mock.yml", ".gitlab/labs-mock.yml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with all that `init` writes for pytest, CI and compose."""
    command = [sys.executable, "-m", "labs_mock", "init", str(tmp_path), "--pytest", "--ci", "--compose"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize(("path", "kind"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_the_files_for_ci_are_valid(project: Path, path: str, kind: str) -> None:
    """By the schemas that GitHub and GitLab publish."""
    assert is_valid(project / path, kind)


@pytest.mark.slow
def test_both_run_the_tests_and_keep_the_sessions_of_failed_ones(project: Path) -> None:
    """Their last command passes with what `init --pytest` wrote; of a test that fails there is a report and a session."""
    steps = yaml.safe_load((project / GITHUB).read_text("utf-8"))["jobs"]["tests"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    assert commands == yaml.safe_load((project / GITLAB).read_text("utf-8"))["tests"]["script"]
    passed = done(commands[-1], project, HERE)
    assert passed.returncode == 0, passed.stdout
    (project / "test_failing.py").write_text(
        "def test_it(labs_mock_client):\n    assert not labs_mock_client.get('/catalog').json()\n"
    )
    assert done(commands[-1], project, HERE).returncode == 1
    assert (project / "reports/junit.xml").exists()
    assert len([*(project / "reports/sessions").iterdir()]) == 1


def test_the_page_shows_what_init_writes(project: Path) -> None:
    """The jobs of the workflow on the page are those of the file; its inputs are inputs of the actions."""
    shown = [yaml.safe_load(block.text) for block in blocks(ROOT / "docs/ci.md") if block.language == "yaml"]
    assert shown[0]["jobs"] == yaml.safe_load((project / GITHUB).read_text("utf-8"))["jobs"]
    used = [step for file in shown[1:] for step in file.get("steps", []) if "/actions/" in step.get("uses", "")]
    assert len(used) == 2
    for step in used:
        name = step["uses"].rpartition("/")[2].partition("@")[0]
        assert step["with"].keys() <= action(name)["inputs"].keys()
    jobs = [one for file in shown if "include" in file for one in file.values() if isinstance(one, dict)]
    assert len(jobs) == 2
    for one in jobs:
        unknown = one["variables"].keys() - job(one["extends"])["variables"].keys()
        assert unknown <= {setting.variable for setting in SETTINGS}


def compose(project: Path) -> Any:
    """The compose file, with the defaults of its variables."""
    text = (project / "compose.yaml").read_text("utf-8")
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", lambda found: found[1], text))


def test_the_compose_file_is_valid(project: Path) -> None:
    """By the schema of the Compose Specification, which allows no other fields; the trainer is that of the examples."""
    judge = jsonschema_rs.validator_for(json.loads(schema().read_text("utf-8")))
    file = compose(project)
    assert list(judge.iter_errors(file)) == []
    file["services"]["trainer"]["depends_on"]["labs-mock"] = {"condition": "healthy"}
    assert list(judge.iter_errors(file)) != []
    assert (project / "train.py").read_bytes() == (ROOT / "examples/asyncio/train.py").read_bytes()


@pytest.mark.slow
def test_what_compose_would_start_works(project: Path) -> None:
    """The server with its environment gets healthy by the command of the file, and the trainer's rewards rise."""
    services = compose(project)["services"]
    server, trainer = services["labs-mock"], services["trainer"]
    with serving("--json", **{name: text or "" for name, text in server["environment"].items()}) as (_, line):
        url = json.loads(line)["url"]
        kind, *check = server["healthcheck"]["test"]
        assert kind == "CMD"
        there = [word.replace("http://127.0.0.1:8765", url) for word in check]
        subprocess.run([sys.executable, *there[1:]], check=True, timeout=60)
        assert trainer["command"][-1].endswith(" && exec python /train.py")
        environment = {**ENVIRONMENT, **trainer["environment"], "LABS_URL": url}
        command = [sys.executable, str(project / "train.py")]
        printed = subprocess.run(
            command, check=True, env=environment, capture_output=True, text=True, timeout=120
        ).stdout
    rewards = [float(line.rpartition(" ")[2]) for line in printed.splitlines()]
    assert rewards[-1] > rewards[0]
