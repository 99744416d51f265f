"""The report of a run as JUnit XML, which services of continuous integration show."""

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from labs_mock.conformance.reports.document import Entry, ReportDocument

SUITE = "labs-mock conformance"


def as_junit(told: ReportDocument) -> str:
    """A test case for each part of a clause, one that says whether the run is complete, and one for each check that broke off.

    A difference in an inferred part is a failure if the run was strict, and else skipped; so is an incomplete run that was
    allowed to be.
    """
    suite = TestSuite(SUITE)
    for name in ("url", "profile", "seed", "strict", "requests"):
        suite.add_property(name, str(getattr(told, name)))
    suite.add_testcases([*(_clause(entry, told.strict) for entry in told.clauses), _complete(told)])
    suite.add_testcases([*map(_error, told.errors)])
    whole = JUnitXml(SUITE)
    whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call] # the library has types, but not everywhere
    whole.time = suite.time = told.seconds
    text: bytes = whole.tostring()  # type: ignore[no-untyped-call] # likewise
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text.decode()}\n'


def _clause(entry: Entry, strict: bool) -> TestCase:
    case = TestCase(f"{entry.clause} {entry.basis}", f"labs.{entry.section}")
    if entry.outcome == "skipped":
        case.result = Skipped(entry.reason)
    elif entry.outcome != "passed":
        case.result = _violation(entry, hard=strict or entry.outcome == "failed")
    case.system_out = f"{entry.text}\njudged {entry.judged} times"
    return case


def _violation(entry: Entry, hard: bool) -> Failure | Skipped:
    said = f"expected {entry.expected}; seen: {entry.seen}"
    message = f"{entry.finding}: {said}" if entry.follows or not hard else said
    result = Failure(message, "failed") if hard else Skipped(message, "differs")
    result.text = entry.story
    return result


def _complete(told: ReportDocument) -> TestCase:
    case = TestCase("the run is complete", "labs.the run")
    if told.incomplete:
        why = "; ".join(told.incomplete)
        case.result = Skipped(why, "incomplete") if told.allow_incomplete else Failure(why, "incomplete")
    return case


def _error(said: str) -> TestCase:
    name, _, why = said.partition(": ")
    case = TestCase(name, "labs.checks that could not be completed")
    case.result = Error(why, "error")
    return case
