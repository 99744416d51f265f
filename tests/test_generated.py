from pathlib import Path

import pytest

from tests.generated import GENERATED
from tests.pages import ROOT


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_program_writes_is_as_it_would_be(path: Path) -> None:
    """Each generated file is what `make generated` would write now."""
    assert path.read_text(encoding="utf-8") == GENERATED[path]()
