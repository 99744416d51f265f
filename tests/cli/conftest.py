import json
from pathlib import Path

import pytest

from tests.cli.running import COLLECTION, TRANSCRIPT
from tests.support import CLAIM


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the claim, and a transcript beside it."""
    folder = tmp_path / "scenarios"
    (folder / "case-management").mkdir(parents=True)
    (folder / "case-management" / "collection.yaml").write_text(COLLECTION, encoding="utf-8")
    (folder / "case-management" / "back-claim.yaml").write_text(json.dumps(CLAIM, indent=1), encoding="utf-8")
    (tmp_path / "transcript.json").write_text(json.dumps(TRANSCRIPT), encoding="utf-8")
    return folder
