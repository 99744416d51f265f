"""Units, scales and origins, on servers that show their clock and on others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from labs_mock.conformance.checks import units
from labs_mock.conformance.client import Client
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.report import Report
from labs_mock.conformance.runner import run_checks
from labs_mock.conformance.target import Target
from tests.conformance.mutants import MUTANTS, ChangedResponse, on_response
from tests.support import KEY, live, world

CHECKS = [units.a_window_ends_within_a_minute, units.a_time_is_in_milliseconds]


def checked(**settings: Any) -> Report:
    """A run of the checks of clocks against a server with some settings."""
    with live(world(**{"clock": "real", **settings})) as server, Client(server.url, KEY) as client:
        return run_checks(Target(client), PROFILES["quick"], checks=CHECKS)


def found(report: Report) -> dict[tuple[str, bool], str]:
    """What does not hold, by clause and whether that is inferred."""
    return {(one.part.clause, one.part.inferred): str(one.violation) for one in report.verdicts if one.violation}


@contextmanager
def changed(change: Callable[[ChangedResponse], object]) -> Iterator[None]:
    """Servers that start here change their responses."""
    on_response("RL-1", "of a test", status=None, inferred=False)(change)
    with MUTANTS.pop().applied():
        yield


@pytest.mark.parametrize(
    ("clock", "control"),
    [("real", False), ("real", True), ("frozen", True), ("x60", True), ("frozen:2031-05-06T07:08:09Z", True)],
)
def test_nothing_differs_on_any_clock_that_can_be_known(clock: str, control: bool) -> None:
    """By the server's own clock, or by ours where it shows none and runs as ours does (RL-1, RL-2, EV-1, BAT-1)."""
    assert found(checked(clock=clock, control=control)) == {}


def test_a_clock_that_is_not_shown_is_not_guessed() -> None:
    """Behind a token, nothing is reported of units, and the reason is (RL-2)."""
    report = checked(clock="frozen", control_token="secret")
    assert found(report) == {}
    reasons = {(one.part.clause, one.part.inferred): one.reason for one in report.verdicts}
    assert reasons["RL-2", True] == "the server does not show its clock"


@pytest.mark.parametrize("date", [True, False])
@pytest.mark.parametrize(
    ("factor", "ahead", "parts"),
    [(1, 0, set()), (1000, 0, {("RL-1", False), ("RL-2", True)}), (1, 3600, {("RL-2", True)})],
)
def test_a_server_without_our_clock_is_checked_by_its_date_or_by_ours(
    date: bool, factor: int, ahead: int, parts: set[tuple[str, bool]]
) -> None:
    """Milliseconds and an hour ahead are found out by either; its `Date` may be years from ours (RL-1, RL-2)."""
    clock = "frozen:2031-05-06T07:08:09Z" if date else "real"

    def change(response: ChangedResponse) -> None:
        if "x-ratelimit-reset" in response.headers:
            response.headers["x-ratelimit-reset"] = str(int(response.headers["x-ratelimit-reset"]) * factor + ahead)
        if date:
            response.headers["date"] = format_datetime(datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC), usegmt=True)

    with changed(change):
        assert {*found(checked(clock=clock, control=False))} == parts
