"""Runs all checks against a server."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky, Unsatisfiable

from labs_mock.conformance.checks import (
    Check,
    Draw,
    batch,
    calls,
    catalog,
    check,
    checks_of,
    comparison,
    datasets,
    episodes,
    evaluation,
    general,
    histories,
    keys,
    normalisation,
    rows,
    silence,
    weights,
)
from labs_mock.conformance.client import Client
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.machine import sequences
from labs_mock.conformance.target import Options
from labs_mock.conformance.verdicts import Report, verdicts
from labs_mock.conformance.violations import UNREADABLE, Enough, Refused, Skip, Unusable, Violation
from labs_mock.contract.limits import BASE_PATH
from labs_mock.errors import LabsMockError

MODULES = (
    general,
    keys,
    catalog,
    episodes,
    histories,
    calls,
    silence,
    evaluation,
    batch,
    comparison,
    normalisation,
    weights,
    datasets,
    rows,
)
CHECKS = checks_of(*MODULES)


@check("CAT-1")
def what_it_offers(lab: Lab) -> None:
    """The catalog, an episode of each scenario, and datasets: what all other checks need, and judged like any answer."""
    lab.discover()


AGAIN = 40  # times at most that a check runs until nothing new fails


@dataclass(frozen=True, slots=True)
class Profile:
    """How thorough a run is: examples a check, executions after the first failure, scenarios at most, and steps of the
    machine in an example.
    """

    name: str
    examples: int
    shrinks: int
    scenarios: int
    steps: int

    @property
    def settings(self) -> settings:
        """For Hypothesis: nothing is printed or kept."""
        return settings(
            max_examples=self.examples,
            stateful_step_count=self.steps,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            print_blob=False,
        )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("quick", 10, 30, 5, 20),
        Profile("standard", 100, 200, 12, 40),
        Profile("thorough", 500, 500, 100, 50),
    )
}


def run(lab: Lab, profile: Profile, number: int = 0, checks: Sequence[Check] | None = None) -> Report:
    """Run checks (default: all, and the machine) with a seed, and judge.

    Raises `StartError` if nothing answers, `Refused` if the key, or what is named, is not known. Every check has an equal
    part of what is left of the budget.
    """
    if checks is None:
        checks = [*CHECKS, sequences(profile.settings, profile.shrinks, number)]
    reasons: dict[str, list[str]] = defaultdict(list)
    errors = []
    for index, one in enumerate([what_it_offers, *checks]):
        lab.client.share(len(checks) - index if index else 1)
        try:
            _judge(lab, one, profile, number)
        except Skip as skip:
            for clause in one.clauses:
                reasons[clause].append(str(skip))
        except LabsMockError:
            raise
        except Exception as error:
            errors.append(f"{one.name}: {type(error).__name__}: {error}")
    judged = verdicts(lab.judgements, reasons)
    client = lab.client
    return Report(client.url, profile.name, number, judged, errors, client.used, client.seconds, client.waited)


def judge(  # noqa: PLR0913 - what the table of options has
    url: str,
    api_key: str,
    *,
    profile: str = "quick",
    seed: int = 0,
    max_requests: int | None = None,
    collections: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    datasets: Sequence[str] = (),
) -> Report:
    """Run all checks against a server as the options say.

    Raises `StartError` if it does not answer at all, and `Refused` if it does not know the key or what is named.
    """
    if not url.startswith(("http://", "https://")) or url.rstrip("/").endswith(BASE_PATH):
        raise Refused(f"URL: expected http:// or https:// and a host, without {BASE_PATH}; got {url}")
    chosen = PROFILES[profile]
    with Client(url, api_key, max_requests=max_requests) as client:
        return run(Lab(client, Options(collections, scenarios, datasets), chosen.scenarios), chosen, seed)


def _judge(lab: Lab, check: Check, profile: Profile, number: int) -> None:
    """Run a check until nothing fails in it that has not failed before. Raises `Skip` with the reason if it cannot run."""
    for _ in range(AGAIN):
        try:
            _run(lab, check, profile, number)
        except (Violation, Flaky, Enough):
            if lab.judgements.close():
                continue
        return


def _run(lab: Lab, check: Check, profile: Profile, number: int) -> None:
    """Run a check once, or with as many examples as the profile says; after a failure, for a number of executions."""
    left = profile.shrinks

    def example(draw: Draw) -> None:
        nonlocal left
        try:
            _run_example(lab, check, draw)
        except Violation:
            left -= 1
            if left <= 0:
                raise Enough("looked at for long enough") from None
            raise

    if not check.draws:
        example(_nothing)
        return
    try:
        _examples(example, profile, number)
    except Unsatisfiable:
        raise Skip("no example of what it needs was found") from None


def _run_example(lab: Lab, check: Check, draw: Draw) -> None:
    """One example. It ends without a word at an answer that was judged to be wrong and cannot be gone on with."""
    lab.judgements.begin()
    try:
        check(lab, draw)
    except Unusable:
        return
    except Violation:
        raise
    except UNREADABLE:
        if not lab.judgements.broken:
            raise


def _examples(example: Callable[[Draw], None], profile: Profile, number: int) -> None:
    """Run an example as often as the profile says, with values that a seed leads to; nothing is printed or kept."""

    @seed(number)
    @profile.settings
    @given(st.data())
    def run_all(data: st.DataObject) -> None:
        example(data.draw)

    run_all()


def _nothing(_: st.SearchStrategy[Any]) -> Any:
    raise AssertionError("a check that draws has a second parameter")
