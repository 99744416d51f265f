"""Runs all checks against a server."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

from hypothesis.configuration import set_hypothesis_home_dir, storage_directory

from labs_mock.conformance.checks import (
    Check,
    batch,
    body_fields,
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
from labs_mock.conformance.discovery import discover
from labs_mock.conformance.earning import read_conversations
from labs_mock.conformance.execution import run_check
from labs_mock.conformance.http_response import printable
from labs_mock.conformance.machine import sequences
from labs_mock.conformance.offered import Selection
from labs_mock.conformance.profiles import PROFILES, Profile
from labs_mock.conformance.report import Report
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import CannotRun, OutOfBudget, Skip
from labs_mock.contract.limits import BASE_PATH

MODULES = (
    general,
    body_fields,
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
"""All of them but the state machine; that one comes first because all that compares responses follows from it."""

UNREWARDED = (
    "no reward was above 0, so that nothing is known of what rewards depend on; "
    "give conversations that earn something with --conversations"
)
NAMED = 3  # checks that were not finished

Watch = Callable[[int, int, str], None]
"""Is called before each check, with how many are done, how many there are, and its name."""


@check("CAT-1")
def what_it_offers(target: Target) -> None:
    """The catalog, an episode of each scenario, and datasets: all other checks need them, and they are checked themselves."""
    discover(target)


def _unwatched(_done: int, _of: int, _name: str) -> None:
    """Nobody watches."""


def run(  # noqa: PLR0913 - what the table of options has
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
    strict: bool = False,
    allow_incomplete: bool = False,
    watch: Watch = _unwatched,
) -> Report:
    """Run all checks against a server as the options say.

    Raises `StartError` if it does not respond at all, `CannotRun` if it does not know a key or what is named or if both keys
    are the same, and `LabsMockError` for a file that holds no conversations.
    """
    if not url.startswith(("http://", "https://")) or url.rstrip("/").endswith(BASE_PATH):
        raise CannotRun(f"URL: expected http:// or https:// and a host, without {BASE_PATH}; got {url}")
    if second_api_key == api_key:
        raise CannotRun("second-api-key: expected the key of another organisation; got the same key twice")
    chosen = PROFILES[profile]
    earning = read_conversations(conversations) if conversations else {}
    second_key = second_api_key or ""
    with _without_storage(), Client(url, api_key, second_key=second_key, max_requests=max_requests) as client:
        target = Target(client, Selection(collections, scenarios, datasets, earning), chosen.scenarios)
        return run_checks(target, chosen, seed, strict=strict, allow_incomplete=allow_incomplete, watch=watch)


def run_checks(  # noqa: PLR0913 - likewise
    target: Target,
    profile: Profile,
    seed: int = 0,
    checks: Sequence[Check] | None = None,
    *,
    strict: bool = False,
    allow_incomplete: bool = False,
    watch: Watch = _unwatched,
) -> Report:
    """Run checks (default: all, and the state machine) with a seed, and report.

    Raises `StartError` if nothing responds, `CannotRun` if a key, or what is named, is not known. Every check has an equal
    part of what is left of the budget.
    """
    if checks is None:
        checks = [*CHECKS, sequences(profile, seed)]
    reasons: dict[str, list[str]] = defaultdict(list)
    unfinished: dict[str, list[str]] = defaultdict(list)
    errors = []
    for index, one in enumerate([what_it_offers, *checks]):
        target.client.share_budget(len(checks) - index if index else 1)
        watch(index, len(checks) + 1, one.name)
        ended = run_check(target, one, profile, seed)
        if isinstance(ended, OutOfBudget):
            unfinished[str(ended)].append(one.name)
        if isinstance(ended, Skip):
            for clause in one.clauses:
                reasons[clause].append(ended.reason)
        elif ended is not None:
            errors.append(printable(f"{one.name}: {type(ended).__name__}: {ended}"))
    client = target.client
    return Report(
        url=printable(client.url),
        profile=profile.name,
        seed=seed,
        strict=strict,
        allow_incomplete=allow_incomplete,
        requests=client.used,
        seconds=round(client.seconds, 3),
        waited=round(client.waited, 3),
        errors=errors,
        incomplete=_incomplete(target, unfinished, len(checks) + 1),
        verdicts=target.verdicts.finished(reasons, next(iter(unfinished), "")),
    )


def _incomplete(target: Target, unfinished: Mapping[str, Sequence[str]], planned: int) -> list[str]:
    """What was planned and not finished, a sentence for each reason."""
    found = []
    for why, names in unfinished.items():
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        found.append(f"{why}: {len(names)} of {planned} checks were not finished, {', '.join(names[:NAMED])}{more}")
    return found + [UNREWARDED] * (not target.verdicts.rewarded)


@contextmanager
def _without_storage() -> Iterator[None]:
    """What Hypothesis writes, though it has no database, goes to a folder that is deleted."""
    before = storage_directory(intent_to_write=False).home_directory
    with TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(before)
