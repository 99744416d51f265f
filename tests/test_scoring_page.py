import pytest

from labs_mock.contract.dimensions import DIMENSIONS, Dimension, default_name
from labs_mock.scenario.files.schema import GateFile
from tests.pages import ROOT

PAGE = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_page_has_every_dimension(dimension: Dimension) -> None:
    """A row of the page's table names each dimension and, beside it, its default score name."""
    assert f"| `{dimension}` | `{default_name(dimension)}` |" in PAGE


@pytest.mark.parametrize("kind", GateFile.model_fields)
def test_the_page_has_every_factor_of_the_gate(kind: str) -> None:
    """A row of the page's table names each kind of violation with its default factor."""
    assert f"| `{kind}` | {GateFile.model_fields[kind].default:g} |" in PAGE
