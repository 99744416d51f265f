"""Runs one check: with examples where it draws, and again until nothing new fails."""

from collections.abc import Callable

from hypothesis import given, seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable

from labs_mock.conformance.checks import Check, Draw
from labs_mock.conformance.profiles import Profile
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import UNREADABLE, Skip, StopShrinking, UnusableResponse, Violation
from labs_mock.errors import LabsMockError

MOST_RUNS = 40  # of a check until nothing new fails


def run_check(target: Target, check: Check, profile: Profile, number: int) -> Exception | None:
    """Run a check with a seed; what ended it before its time, if anything did. Raises `LabsMockError` where no run is possible."""
    try:
        _run_until_nothing_new_fails(target, check, profile, number)
    except Skip as skip:
        return skip
    except LabsMockError:
        raise
    except Exception as error:
        return error
    return None


def _run_until_nothing_new_fails(target: Target, check: Check, profile: Profile, number: int) -> None:
    """Raises `Skip` with the reason if the check cannot run."""
    for _ in range(MOST_RUNS):
        try:
            _run(target, check, profile, number)
        except (Violation, Flaky, StopShrinking):
            if target.verdicts.close_violated():
                continue
        return


def _run(target: Target, check: Check, profile: Profile, number: int) -> None:
    """Run a check once, or with as many examples as the profile says; after a failure, for a number of executions."""
    left = profile.shrinks

    def run_example(draw: Draw | None) -> None:
        nonlocal left
        try:
            _run_example(target, check, draw)
        except Violation:
            left -= 1
            if left <= 0:
                raise StopShrinking("shrunk for long enough") from None
            raise

    if not check.draws:
        run_example(None)
        return
    try:
        _run_examples(run_example, profile, number)
    except Unsatisfiable:
        raise Skip("no example of what it needs was found") from None


def _run_example(target: Target, check: Check, draw: Draw | None) -> None:
    """Run one example. It ends without an error at a response that was reported and that it cannot go on with."""
    target.verdicts.begin_example()
    try:
        check(target, draw)
    except UnusableResponse:
        return
    except Violation:
        raise
    except UNREADABLE:
        if not target.verdicts.broken:
            raise


def _run_examples(run_example: Callable[[Draw], None], profile: Profile, number: int) -> None:
    """Run as many examples as the profile says, with values that follow from a seed."""

    @seed(number)
    @profile.settings
    @given(st.data())
    def run_all(data: st.DataObject) -> None:
        run_example(data.draw)

    run_all()
