"""The scripts of the actions for GitHub and of the jobs for GitLab, run as those run them."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.installing import ROOT
from tests.serving.test_server import ENVIRONMENT

ACTIONS = ROOT / "actions"
GITLAB = ROOT / "ci/gitlab.yml"
SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]


def done(script: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What a script does in a folder."""
    names = {**ENVIRONMENT, **environment}
    return subprocess.run(
        [*SHELL, script], cwd=folder, env=names, check=False, capture_output=True, text=True, timeout=900
    )


def action(name: str) -> Any:
    """An action's file."""
    return yaml.safe_load((ACTIONS / name / "action.yml").read_text("utf-8"))


def action_steps(name: str, temporary: Path, **inputs: str) -> list[tuple[str, dict[str, str]]]:
    """The scripts of an action, each with its variables, for some inputs."""
    file = action(name)
    values = {f"inputs.{one}": row.get("default") for one, row in file["inputs"].items()}
    values |= {f"inputs.{one.replace('_', '-')}": value for one, value in inputs.items()}
    values |= {"github.action_path": str(ACTIONS / name), "runner.temp": str(temporary)}

    def variables(step: Any) -> dict[str, str]:
        return {
            variable: re.sub(r"\$\{\{ ([\w.-]+) }}", lambda found: str(values[found[1]]), text)
            for variable, text in step["env"].items()
        }

    return [(step["run"], variables(step)) for step in file["runs"]["steps"] if "run" in step]


def uploaded(name: str, temporary: Path) -> Path:
    """The folder that an action uploads."""
    (step,) = [step for step in action(name)["runs"]["steps"] if "uses" in step]
    return Path(step["with"]["path"].replace("${{ runner.temp }}", str(temporary)))


def job(name: str) -> dict[str, Any]:
    """A job for GitLab, with what it extends."""
    file = yaml.safe_load(GITLAB.read_text("utf-8"))
    own = file[name]
    above = job(own["extends"]) if "extends" in own else {}
    return {**above, **own, "variables": {**above.get("variables", {}), **own.get("variables", {})}}


def job_variables(name: str, folder: Path, **variables: str) -> dict[str, str]:
    """The variables of a job in a project's folder."""
    values = {**job(name)["variables"], **variables}
    return {variable: text.replace("$CI_PROJECT_DIR", str(folder)) for variable, text in values.items()}


def use_this_environment(path: Path) -> None:
    """Let the environment of these tests be at a path, where a script that is not run here would make one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(sys.prefix)
