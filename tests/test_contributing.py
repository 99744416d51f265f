"""`CONTRIBUTING.md` names what there is."""

import ast
import re
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.test_architecture import CONFORMANCE, ORDER, SOURCE

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = sorted(set(re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md|json|yaml))`", TEXT)))
NAMED = re.findall(r"`([\w/]+\.py)` `([\w.]+)`", TEXT)


def path_of(name: str) -> Path:
    """A file by its path in the repository, or in the package."""
    return ROOT / name if (ROOT / name).exists() else SOURCE / name


@pytest.mark.parametrize("name", FILES)
def test_every_file_exists(name: str) -> None:
    """The files that recipes and plan name are there."""
    assert path_of(name).is_file()


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_step_of_a_request_exists(file: str, name: str) -> None:
    """The functions, classes and methods on the way of a request are there."""
    nodes = ast.parse(path_of(file).read_text(encoding="utf-8")).body
    for part in name.split("."):
        (found,) = [node for node in nodes if part in names_of(node)]
        nodes = found.body if isinstance(found, ast.ClassDef) else []


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def test_the_plan_has_every_room() -> None:
    """Each package and each module at the top has its place in the plan of rooms."""
    plan = TEXT.partition("## The plan of rooms")[2].partition("\n## ")[0]
    rooms = {name.partition(".")[0] + "/" * ("." in name) for name in (*ORDER, *CONFORMANCE)} - {"__main__", "state"}
    named = set(re.findall(r"`([\w/]+)`", plan))
    assert {room for room in rooms if room not in named and f"{room}/" not in named} == set()
