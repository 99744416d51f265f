"""Runs all checks against a server."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory
from hypothesis.errors import Flaky, Unsatisfiable

from labs_mock.conformance.checks import (
    Check,
    DrawExample,
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
    organisations,
    requirements,
    rows,
    silence,
    units,
    weights,
)
from labs_mock.conformance.client import Client
from labs_mock.conformance.conversations import read_conversations
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.machine import sequences
from labs_mock.conformance.target import Options
from labs_mock.conformance.verdicts import UNREWARDED, Report, verdicts
from labs_mock.conformance.violations import UNREADABLE, Enough, OutOfBudget, Refused, Skip, Unusable, Violation
from labs_mock.contract.limits import BASE_PATH
from labs_mock.errors import LabsMockError

MODULES = (
    general,
    units,
    keys,
    organisations,
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
    requirements,
    datasets,
    rows,
)
CHECKS = checks_of(*MODULES)
CHECKS.sort(key=lambda one: one is not evaluation.the_same_request_twice_gets_the_same_reward)
"""All of them but the machine; that one comes first because all that compares answers follows from it."""

Watch = Callable[[int, int, str], None]
"""Is called before each check, with how many are done, how many there are, and its name."""


@check("CAT-1")
def what_it_offers(lab: Lab) -> None:
    """The catalog, an episode of each scenario, and datasets: what all other checks need, and judged like any answer."""
    lab.discover()


NAMED = 3  # checks that were not finished
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


def _unwatched(_done: int, _of: int, _name: str) -> None:
    """Nobody watches."""


def run(
    lab: Lab,
    profile: Profile,
    number: int = 0,
    checks: Sequence[Check] | None = None,
    watch: Watch = _unwatched,
) -> Report:
    """Run checks (default: all, and the machine) with a seed, and judge.

    Raises `StartError` if nothing answers, `Refused` if a key, or what is named, is not known. Every check has an equal
    part of what is left of the budget.
    """
    if checks is None:
        checks = [*CHECKS, sequences(profile.settings, profile.shrinks, number)]
    reasons: dict[str, list[str]] = defaultdict(list)
    unfinished: dict[str, list[str]] = defaultdict(list)
    errors = []
    for index, one in enumerate([what_it_offers, *checks]):
        lab.client.share(len(checks) - index if index else 1)
        watch(index, len(checks) + 1, one.name)
        ended = _attempted(lab, one, profile, number)
        if isinstance(ended, OutOfBudget):
            unfinished[str(ended)].append(one.name)
        if isinstance(ended, Skip):
            for clause in one.clauses:
                reasons[clause].append(ended.reason)
        elif ended is not None:
            errors.append(f"{one.name}: {type(ended).__name__}: {ended}")
    judged = verdicts(lab.judgements, reasons, next(iter(unfinished), ""))
    incomplete = _incomplete(lab, unfinished, len(checks) + 1)
    client = lab.client
    return Report(
        client.url, profile.name, number, judged, errors, incomplete, client.used, client.seconds, client.waited
    )


def _incomplete(lab: Lab, unfinished: Mapping[str, Sequence[str]], planned: int) -> list[str]:
    """What was planned and not finished, a sentence for each reason."""
    found = []
    for why, names in unfinished.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        found.append(f"{why}: {len(names)} of {planned} checks were not finished, {', '.join(names[:NAMED])}{more}")
    return found + [UNREWARDED] * (not lab.judgements.rewarded)


def judge(  # noqa: PLR0913 - what the table of options has
    url: str,
    api_key: str,
    *,
    second_api_key: str | None = None,
    profile: str = "quick",
    seed: int = 0,
    max_requests: int | None = None,
    collections: Sequence[str] = (),
    scenarios: Sequence[str] = (),
    datasets: Sequence[str] = (),
    conversations: str | None = None,
    watch: Watch = _unwatched,
) -> Report:
    """Run all checks against a server as the options say.

    Raises `StartError` if it does not answer at all, `Refused` if it does not know a key or what is named or if both keys are
    the same, and `LabsMockError` for a file of conversations that has others.
    """
    if not url.startswith(("http://", "https://")) or url.rstrip("/").endswith(BASE_PATH):
        raise Refused(f"URL: expected http:// or https:// and a host, without {BASE_PATH}; got {url}")
    if second_api_key == api_key:
        raise Refused("second-api-key: expected the key of another organisation; got the same key twice")
    chosen = PROFILES[profile]
    talks = read_conversations(conversations) if conversations else {}
    second = second_api_key or ""
    with _nothing_is_kept(), Client(url, api_key, second_key=second, max_requests=max_requests) as client:
        lab = Lab(client, Options(collections, scenarios, datasets, talks), chosen.scenarios)
        return run(lab, chosen, seed, watch=watch)


@contextmanager
def _nothing_is_kept() -> Iterator[None]:
    """What Hypothesis writes, though it has no database, goes to a folder that is deleted."""
    before = storage_directory(intent_to_write=False).home_directory
    with TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(before)


def _attempted(lab: Lab, check: Check, profile: Profile, number: int) -> Exception | None:
    """Run a check; what ended it before its time, if anything did."""
    try:
        _judge(lab, check, profile, number)
    except Skip as skip:
        return skip
    except LabsMockError:
        raise
    except Exception as error:
        return error
    return None


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

    def example(draw: DrawExample) -> None:
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


def _run_example(lab: Lab, check: Check, draw: DrawExample) -> None:
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


def _examples(example: Callable[[DrawExample], None], profile: Profile, number: int) -> None:
    """Run an example as often as the profile says, with values that a seed leads to; nothing is printed or kept."""

    @seed(number)
    @profile.settings
    @given(st.data())
    def run_all(data: st.DataObject) -> None:
        example(data.draw)

    run_all()


def _nothing(_: st.SearchStrategy[Any]) -> Any:
    raise AssertionError("a check that draws has a second parameter")
