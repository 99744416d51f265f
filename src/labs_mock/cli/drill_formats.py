"""The result of `labs-mock drill` as tables for a person, as JSON, and as JUnit XML."""

import json
from dataclasses import asdict

from labs_mock.cli.junit import JunitCase, junit_text
from labs_mock.cli.options import counted
from labs_mock.cli.tables import as_text, table
from labs_mock.testing import DrillReport, DrillRow
from labs_mock.testing.drills.cases import BY_NAME
from labs_mock.testing.drills.drill_report import Rating

RATINGS: tuple[Rating, ...] = ("good", "check", "wrong", "skipped")
COLUMNS = ("case", "rating", "what the function did", "why")


def as_table(report: DrillReport) -> str:
    """A row a case, then what good code does in those that are wrong or to be checked, then a sentence."""
    rows = ((row.case, row.rating, did(row), row.reason) for row in report.rows)
    advice = [f"{BY_NAME[row.case].advice}\n" for row in [*report.rated("check"), *report.rated("wrong")]]
    return as_text(table(f"Drill of {report.function}", COLUMNS, rows), *advice, summary(report))


def as_json(report: DrillReport) -> str:
    """One JSON object."""
    counts = {rating: len(report.rated(rating)) for rating in RATINGS}
    rows = [{**asdict(row), "waits": [round(seconds, 3) for seconds in row.waits]} for row in report.rows]
    return json.dumps({"function": report.function, "passed": report.passed, "counts": counts, "rows": rows}, indent=2)


def as_junit(report: DrillReport) -> str:
    """A test case a row; what is wrong has failed."""
    return junit_text(f"drill of {report.function}", map(_junit_case, report.rows))


FORMATS = {"text": as_table, "json": as_json, "junit": as_junit}


def did(row: DrillRow) -> str:
    """What the function did: its result, and its retries."""
    return ", ".join(filter(None, [row.result, row.retried]))


def summary(report: DrillReport) -> str:
    """How many cases have each rating."""
    numbers = [f"{len(rows)} {rating}" for rating in RATINGS if (rows := report.rated(rating))]
    return f"{report.function}: {counted(len(report.rows), 'case')}, {', '.join(numbers)}"


def _junit_case(row: DrillRow) -> JunitCase:
    if row.rating == "wrong":
        return JunitCase(row.case, failure=f"{did(row)}; {row.reason}", text=BY_NAME[row.case].advice)
    if row.rating == "skipped":
        return JunitCase(row.case, skipped=row.reason)
    return JunitCase(row.case, text=f"{row.rating}: {did(row)}{row.reason and f'; {row.reason}'}")
