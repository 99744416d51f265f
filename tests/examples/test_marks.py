import ast
from pathlib import Path

import pytest

EXAMPLES = sorted(path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_of_it_is_documented(path: Path) -> None:
    """Nobody takes what we made up for the vendor's word."""
    lines = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    assert [line.partition(": ")[0] for line in lines if line.partition(": ")[1]][:2] == ["Documented", "Reconstructed"]
