"""A test for each part of a clause: `pytest --pyargs labs_mock.conformance`."""

import pytest

from labs_mock.conformance.reports.document import ReportDocument
from labs_mock.contract.clauses import CLAUSES

PARTS = [(clause.name, basis) for clause in CLAUSES for basis in ("documented", "inferred") if getattr(clause, basis)]


@pytest.mark.parametrize(("clause", "basis"), PARTS)
def test_clause(labs_conformance: ReportDocument, clause: str, basis: str) -> None:
    """What is documented of a clause holds, and so does what is inferred, or else it is expected to."""
    (entry,) = (one for one in labs_conformance.clauses if (one.clause, one.basis) == (clause, basis))
    if entry.outcome == "skipped":
        pytest.skip(entry.reason)
    if entry.outcome == "differs" and not labs_conformance.strict:
        pytest.xfail(entry.story)
    if entry.outcome != "passed":
        pytest.fail(entry.story, pytrace=False)


def test_the_run_is_complete(labs_conformance: ReportDocument) -> None:
    """All was finished that was planned, or nobody asks for it."""
    why = "\n".join(labs_conformance.incomplete)
    if why and labs_conformance.allow_incomplete:
        pytest.xfail(why)
    if why:
        pytest.fail(why, pytrace=False)


def test_every_check_could_be_completed(labs_conformance: ReportDocument) -> None:
    """No check ended in an error of its own."""
    if labs_conformance.errors:
        pytest.fail("\n".join(labs_conformance.errors), pytrace=False)
