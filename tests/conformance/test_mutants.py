"""The suite's own test: broken servers, each of which it must report under the clause that it breaks."""

import re
from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from labs_mock.conformance.checks import Check
from labs_mock.conformance.client import Client
from labs_mock.conformance.execution import run_check
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.runner import CHECKS, run_checks, what_it_offers
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import Skip, Violation
from labs_mock.contract.clauses import Part
from tests.conformance.mutants import SECOND_KEY, Mutant
from tests.conformance.mutants.every import MUTANTS
from tests.conformance.served import small_world
from tests.support import KEY, live

pytestmark = pytest.mark.slow

QUICK = PROFILES["quick"]
BRIEF = replace(QUICK, examples=3, shrinks=5)
"""For whole runs that must fail: which parts of clauses do so counts, not how small the example is that shows it."""
PYTHON = re.compile(r"\bb'|[\[{(]'|'[\]})]|\b(None|True|False)\b|\bdictionary\b|\(\d+, |,\)")
"""Python's way to write a value, in a message that is about HTTP and JSON."""

HANDFUL = 5  # other parts of clauses that may fail beside a mutant's own
NARROW = list({mutant.part.clause: mutant for mutant in reversed(MUTANTS) if not mutant.wide}.values())[::-6]
"""Mutants that break one thing, of every sixth clause: a whole run takes as long as a hundred checks of one mutant."""


class Found(Skip):
    """The part of a clause that a mutant breaks is violated: nothing more need be checked."""


def patient(url: str) -> Client:
    """A client with both keys that never waits."""
    return Client(url, KEY, second_key=SECOND_KEY, sleep=lambda _: None)


def quick_target(client: Client) -> Target:
    """A target with the scenarios of a quick run, of which nothing is known yet."""
    return Target(client, most_scenarios=QUICK.scenarios)


@cache
def usual_checks() -> tuple[dict[Part, list[Check]], list[str]]:
    """The checks of each part of a clause, and what did not hold; a run against the unbroken server, check by check."""
    found = defaultdict(list)
    with live(small_world()) as running, patient(running.url) as client:
        target = quick_target(client)
        assert run_check(target, what_it_offers, QUICK, 0) is None
        for one in CHECKS:
            before = {part: verdict.checked for part, verdict in target.verdicts.by_part.items()}
            run_check(target, one, QUICK, 0)
            for part, verdict in target.verdicts.by_part.items():
                if verdict.checked > before[part]:
                    found[part].append(one)
        declared = {part: sorted(ones, key=lambda one: part.clause not in one.clauses) for part, ones in found.items()}
        return declared, [str(violation) for violation in target.verdicts.violated.values()]


def end_when_violated(target: Target, part: Part) -> None:
    """Let a check end as soon as a part of a clause is violated."""
    expect = target.expect

    def expect_and_end(*arguments: Any, **named: Any) -> None:
        try:
            expect(*arguments, **named)
        except Violation as violation:
            if violation.part == part:
                raise Found(str(part)) from None
            raise

    target.expect = expect_and_end


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_server_is_found_out(mutant: Mutant) -> None:
    """It fails the part of the clause that it breaks: checks run until that fails, those first that usually check it."""
    likely, _ = usual_checks()
    checks = [*likely[mutant.part], *(one for one in CHECKS if one not in likely[mutant.part])]
    with mutant.applied(), live(small_world()) as running, patient(running.url) as client:
        target = quick_target(client)
        end_when_violated(target, mutant.part)
        ends = (run_check(target, one, QUICK, 0) for one in (what_it_offers, *checks))
        assert any(isinstance(end, Found) for end in ends), f"survived; failed: {target.verdicts.violated}"
        for violation in target.verdicts.violated.values():
            assert not PYTHON.search(f"{violation.expected}; {violation.seen}"), violation


@pytest.mark.parametrize("mutant", NARROW, ids=lambda mutant: mutant.name)
def test_a_failure_does_not_spread(mutant: Mutant) -> None:
    """In a whole run one broken thing fails its own clause, and hardly any other; all checks come to their end."""
    with mutant.applied(), live(small_world()) as running, patient(running.url) as client:
        report = run_checks(quick_target(client), BRIEF)
    failed = [one.part for one in report.violated]
    assert mutant.part in failed
    assert len(failed) <= 1 + HANDFUL, failed
    assert report.errors == []


def test_every_part_that_is_checked_has_a_mutant() -> None:
    """Nothing fails against the server as it is, and what is checked there can fail."""
    found, failed = usual_checks()
    assert failed == []
    assert set(found) == {mutant.part for mutant in MUTANTS}


def test_mutants_can_be_told_apart() -> None:
    """Each has a sentence of its own, and there are enough of them."""
    assert [name for name, times in Counter(mutant.name for mutant in MUTANTS).items() if times > 1] == []
    assert len(MUTANTS) >= 75
