import re
from pathlib import Path

import pytest

from labs_mock.contract.clauses import BY_NAME, CLAUSES, SECTIONS
from labs_mock.contract.findings import KINDS
from labs_mock.contract.operations import EVERYWHERE, OPERATIONS
from tests.fidelity_page import CITED, citing_tests
from tests.generated import GENERATED
from tests.pages import ROOT


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_program_writes_is_as_it_would_be(path: Path) -> None:
    """Each generated file is what `make generated` would write now."""
    assert path.read_text(encoding="utf-8") == GENERATED[path]()


def test_every_clause_has_a_test_and_every_citation_a_clause() -> None:
    """The tests show all clauses; neither they nor the sources cite one that does not exist."""
    cited = citing_tests()
    assert [clause.name for clause in CLAUSES if clause.name not in cited] == []
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").glob("*.md")]):
        assert set(CITED.findall(path.read_text(encoding="utf-8"))) <= set(BY_NAME), path


def test_clauses_are_in_order_and_kept_by_operations() -> None:
    """Clauses stand by section and number without a gap; each but those of the whole server is an operation's."""
    for section in SECTIONS:
        own = [clause.name for clause in CLAUSES if clause.section == section]
        assert own == [f"{section}-{number}" for number in range(1, len(own) + 1)]
    kept = {*EVERYWHERE, *(name for operation in OPERATIONS for name in operation.clauses)}
    assert set(BY_NAME) - kept == {"NEVER-1", "DET-1", "DET-2", "DET-3"}


def test_every_finding_is_made_somewhere() -> None:
    """The sources make findings of all codes of the table, and of no others."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert set(re.findall(r'Finding\(\s*"(\w+)"', sources)) == set(KINDS)
