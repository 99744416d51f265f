"""The client in JavaScript, with node, and with the packages that npm installs from whatever registry this machine has."""

import json
import re
from pathlib import Path

import pytest

from tests.clients.programs import copied, installed, run
from tests.pages import ROOT

EXAMPLE = ROOT / "examples/clients/javascript"
NO_REGISTRY = re.compile(
    r"npm (?:error|ERR!) code (?:E(?:AI_AGAIN|CONN\w+|NOTFOUND|TIMEDOUT)|ERR_SOCKET_TIMEOUT|E5\d\d)"
)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's folder with its packages; a machine that reaches no registry skips the tests."""
    installed("node", "npm")
    folder = copied("clients/javascript", tmp_path_factory.mktemp("javascript"))
    done = run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"], folder)
    if NO_REGISTRY.search(done.stdout):
        pytest.skip("no registry of npm responds on this machine")
    assert done.returncode == 0, done.stdout
    return folder


@pytest.mark.slow
def test_its_tests_are_green(example: Path) -> None:
    """As its README says: the client plays, waits for its quota, and throws what is refused (EP-11, RL-2)."""
    done = run(["npm", "test"], example)
    assert done.returncode == 0, done.stdout
    assert "7 passed (7)" in done.stdout


@pytest.mark.slow
def test_a_finding_fails_a_test_that_passed(example: Path) -> None:
    """A client that misspells a field is convicted after each test, as by the pytest plugin (GEN-4)."""
    right = (example / "labs.js").read_text(encoding="utf-8")
    (example / "labs.js").write_text(
        right.replace("score_turns: true", "score_turns: true, seeed: 1"), encoding="utf-8"
    )
    done = run(["npm", "test", "--", "--testNamePattern", "goes on"], example)
    (example / "labs.js").write_text(right, encoding="utf-8")
    assert done.returncode == 1
    assert "what the service would take silently" in done.stdout
    assert "unknown_field" in done.stdout


@pytest.mark.slow
def test_without_labs_mock_it_says_what_to_install(example: Path) -> None:
    """Where the command is missing, the run ends with the remedy."""
    done = run(["npm", "test"], example, ours=False)
    assert done.returncode == 1
    assert "labs-mock is not installed, or not on the PATH" in done.stdout


def test_its_lock_names_versions_and_no_registry() -> None:
    """Each package has a version and a checksum, and no address: npm asks the registry that it is configured for."""
    lock = json.loads((EXAMPLE / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages["node_modules/vitest"]["version"] == lock["packages"][""]["devDependencies"]["vitest"]
    for name, package in packages.items():
        assert package["version"], name
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
    assert (EXAMPLE / ".npmrc").read_text(encoding="utf-8").split() == ["omit-lockfile-registry-resolved=true"]
