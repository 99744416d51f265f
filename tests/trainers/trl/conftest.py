"""The glue of docs/trl.md as modules, exactly as it stands there."""

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from tests.pages import ROOT, blocks


@pytest.fixture(scope="session")
def glue_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the page."""
    folder = tmp_path_factory.mktemp("glue")
    for block in blocks(ROOT / "docs" / "trl.md"):
        if block.action == "file":
            (folder / block.argument).write_text(block.text, encoding="utf-8")
    return folder


@pytest.fixture
def glue(glue_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Imports a file of the page."""
    monkeypatch.syspath_prepend(str(glue_folder))
    return importlib.import_module
