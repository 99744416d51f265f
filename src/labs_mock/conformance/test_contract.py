"""A test for each part of a clause: `pytest --pyargs labs_mock.conformance`."""

import pytest

from labs_mock.conformance.report import Report
from labs_mock.contract.clauses import PARTS, Part


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.clause}-{part.basis}")
def test_clause(labs_conformance: Report, part: Part) -> None:
    """What is documented of a clause holds; what is inferred holds or is an expected failure, unless the run is strict."""
    (verdict,) = (one for one in labs_conformance.verdicts if one.part == part)
    if verdict.outcome == "skipped":
        pytest.skip(verdict.reason)
    if verdict.outcome == "differs" and not labs_conformance.strict:
        pytest.xfail(verdict.story)
    if verdict.outcome != "passed":
        pytest.fail(verdict.story, pytrace=False)


def test_the_run_is_complete(labs_conformance: Report) -> None:
    """All was finished that was planned, or an incomplete run is allowed."""
    why = "\n".join(labs_conformance.incomplete)
    if why and labs_conformance.allow_incomplete:
        pytest.xfail(why)
    if why:
        pytest.fail(why, pytrace=False)


def test_every_check_could_be_completed(labs_conformance: Report) -> None:
    """No check ended in an error of its own."""
    if labs_conformance.errors:
        pytest.fail("\n".join(labs_conformance.errors), pytrace=False)
