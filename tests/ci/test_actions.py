"""The actions for GitHub and the jobs for GitLab: valid, and their scripts do what they say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ci.steps import (
    ACTIONS,
    GITLAB,
    action,
    action_steps,
    done,
    job,
    job_variables,
    uploaded,
    use_this_environment,
)
from tests.installing import ROOT
from tests.support import KEY, Live

NAMES = ("test", "conformance")
SCHEMAS = {**{ACTIONS / name / "action.yml": "vendor.github-actions" for name in NAMES}, GITLAB: "vendor.gitlab-ci"}
CATALOG = 'test "$(python3 -c "{script}")" = 200'
SCRIPT = (
    "import os, urllib.request as u; "
    "print(u.urlopen(u.Request(os.environ['LABS_URL'] + '/api/v1/catalog', "
    "headers={'Authorization': 'Bearer ' + os.environ['LABS_API_KEY']})).status)"
)
REQUEST = CATALOG.format(script=SCRIPT)
FEW = "--labs-mock-conformance-max-requests 150 --labs-mock-conformance-allow-incomplete"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the scripts are for bash")


def is_valid(path: Path, schema: str) -> bool:
    """Whether a file is valid by a schema that check-jsonschema carries."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("path", "schema"), SCHEMAS.items(), ids=["test", "conformance", "gitlab"])
def test_the_files_are_valid(path: Path, schema: str, tmp_path: Path) -> None:
    """By the schemas that GitHub and GitLab publish, which find what is misspelt. GitLab's knows nothing of jobs that begin with a dot."""
    text = path.read_text("utf-8").replace(".labs-mock", "labs-mock")
    copy = tmp_path / path.name
    copy.write_text(text, "utf-8")
    assert is_valid(copy, schema)
    copy.write_text(
        text.replace("required: true", "required: perhaps").replace("when: always", "when: perhaps"), "utf-8"
    )
    assert not is_valid(copy, schema)


@pytest.mark.parametrize(("command", "code"), [(REQUEST, 0), (f"{REQUEST}; exit 7", 7)], ids=["succeeds", "fails"])
def test_the_action_runs_a_command(command: str, code: int, tmp_path: Path) -> None:
    """It gets address and key; if it fails, the step has its exit code, and the session is where it is uploaded from."""
    use_this_environment(tmp_path / "labs-mock/venv")
    script, variables = action_steps("test", tmp_path, run=command, fail_on_findings="true")[1]
    result = done(script, tmp_path, variables)
    assert result.returncode == code, result.stderr
    assert "0 warnings" in result.stderr
    assert (uploaded("test", tmp_path) / "session.jsonl.gz").exists() == bool(code)


@pytest.mark.slow
def test_the_action_serves_the_scenarios_of_the_project(tmp_path: Path) -> None:
    """A folder in the project, by its relative path; one with a mistake fails the step, and names the place."""
    use_this_environment(tmp_path / "labs-mock/venv")
    shutil.copytree(ROOT / "scenarios/coaching", tmp_path / "mine/coaching")
    script, variables = action_steps("test", tmp_path, run=REQUEST, scenarios="mine")[1]
    assert done(script, tmp_path, variables).returncode == 0
    (tmp_path / "mine/coaching/collection.yaml").write_text("nmae: x\n", "utf-8")
    result = done(script, tmp_path, variables)
    assert result.returncode == 3
    assert "unknown key 'nmae'" in result.stderr


@pytest.mark.slow
def test_the_action_installs_what_it_needs(tmp_path: Path) -> None:
    """From the checkout that it is in, with the locked versions; the other action has the extra `conformance` besides."""
    (install, variables), (script, of_script) = action_steps("test", tmp_path, run=REQUEST)
    assert done(install, tmp_path, variables).returncode == 0
    result = done(script, tmp_path, of_script)
    assert result.returncode == 0, result.stderr
    other = action("conformance")["runs"]["steps"][0]["run"]
    assert install.replace('"$CHECKOUT"\n', '"$CHECKOUT[conformance]"\n') == other


@pytest.mark.slow
def test_the_conformance_of_a_server(server: Live, tmp_path: Path) -> None:
    """Both reports are where they are uploaded from, of the action and of the job."""
    use_this_environment(tmp_path / "labs-mock-conformance/venv")
    _, (script, variables) = action_steps("conformance", tmp_path, url=server.url, api_key=KEY, options=FEW)
    result = done(script, tmp_path, {**variables, "PYTEST_ADDOPTS": "-p no:cacheprovider"})
    assert result.returncode == 0, result.stdout[-2_000:]
    assert {path.name for path in uploaded("conformance", tmp_path).iterdir()} == {
        "conformance.xml",
        "conformance.html",
    }


@pytest.mark.parametrize(("command", "code"), [(REQUEST, 0), (f"{REQUEST}; exit 7", 7)], ids=["succeeds", "fails"])
def test_the_job_runs_a_command(command: str, code: int, tmp_path: Path) -> None:
    """As the action does; what it installs is left out here."""
    use_this_environment(tmp_path / ".cache/labs-mock")
    name = ".labs-mock-tests"
    result = done(job(name)["script"][1], tmp_path, job_variables(name, tmp_path, COMMAND=command))
    assert result.returncode == code, result.stderr
    (folder,) = job(name)["artifacts"]["paths"]
    assert (tmp_path / folder / "session.jsonl.gz").exists() == bool(code)


@pytest.mark.slow
def test_the_job_installs_what_it_needs(wheel: Path, tmp_path: Path) -> None:
    """Whatever `PACKAGE` names: here the wheel of this checkout."""
    name = ".labs-mock-tests"
    lines = "\n".join([*job(name)["before_script"], *job(name)["script"]])
    variables = job_variables(name, tmp_path, COMMAND=REQUEST, PACKAGE=str(wheel))
    variables["PIP_CONSTRAINT"] = str(ROOT / "constraints.txt")
    result = done(lines, tmp_path, variables)
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_the_job_checks_a_server(server: Live, tmp_path: Path) -> None:
    """Its report is where GitLab looks for it."""
    use_this_environment(tmp_path / ".cache/labs-mock")
    name = ".labs-mock-conformance"
    variables = job_variables(name, tmp_path, LABS_URL=server.url, LABS_API_KEY=KEY, OPTIONS=FEW)
    script = "\n".join(job(name)["script"][1:])  # without what it installs
    result = done(script, tmp_path, {**variables, "PYTEST_ADDOPTS": "-p no:cacheprovider"})
    assert result.returncode == 0, result.stdout[-2_000:]
    assert (tmp_path / job(name)["artifacts"]["reports"]["junit"]).exists()
