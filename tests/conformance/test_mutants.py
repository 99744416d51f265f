"""The suite's own test: broken servers, each of which it must report under the clause that it breaks."""

import re
from collections import Counter, defaultdict
from functools import cache

import pytest

from labs_mock.conformance.checks import Check
from labs_mock.conformance.client import Client
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.runner import CHECKS, PROFILES, run
from labs_mock.conformance.verdicts import Report
from labs_mock.contract.clauses import Part
from tests.conformance.mutants import SECOND_KEY, Mutant
from tests.conformance.mutants.every import MUTANTS
from tests.conformance.served import small_world
from tests.support import KEY, live

QUICK = PROFILES["quick"]
PYTHON = re.compile(r"\bb'|[\[{(]'|'[\]})]|\b(None|True|False)\b|\bdictionary\b|\(\d+, |,\)")
"""What would be Python's way to write a value, in a message that is about HTTP and JSON."""

HANDFUL = 5  # other parts of clauses that may fail beside a mutant's own
NARROW = list({mutant.part.clause: mutant for mutant in reversed(MUTANTS) if not mutant.wide}.values())[::-1]
"""A mutant of each clause that breaks one thing."""


def asking(url: str) -> Client:
    """A client with both keys that never waits."""
    return Client(url, KEY, second_key=SECOND_KEY, sleep=lambda _: None)


def judged() -> Report:
    """A quick run against a server that starts here."""
    with live(small_world()) as running, asking(running.url) as client:
        return run(Lab(client, most_scenarios=QUICK.scenarios), QUICK)


@cache
def judges() -> tuple[dict[Part, list[Check]], list[str]]:
    """The checks that judge each part of a clause, and what did not hold; a run against the unbroken server, check by check."""
    found = defaultdict(list)
    with live(small_world()) as running, asking(running.url) as client:
        lab = Lab(client, most_scenarios=QUICK.scenarios)
        run(lab, QUICK, checks=[])
        for one in CHECKS:
            before = lab.judgements.counts.copy()
            run(lab, QUICK, checks=[one])
            for part in lab.judgements.counts - before:
                found[part].append(one)
        declared = {part: sorted(ones, key=lambda one: part.clause not in one.clauses) for part, ones in found.items()}
        return declared, [str(violation) for violation in lab.judgements.violations.values()]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_broken_server_is_found_out(mutant: Mutant) -> None:
    """It fails the part of the clause that it breaks: checks run until that fails, those first that usually judge it."""
    likely, _ = judges()
    checks = [*likely[mutant.part], *(one for one in CHECKS if one not in likely[mutant.part])]
    with mutant.applied(), live(small_world()) as running, asking(running.url) as client:
        lab = Lab(client, most_scenarios=QUICK.scenarios)
        tried = (run(lab, QUICK, checks=[one]) for one in checks)
        assert any(mutant.part in lab.judgements.violations for _ in tried), (
            f"survived; failed: {lab.judgements.violations}"
        )
        for violation in lab.judgements.violations.values():
            assert not PYTHON.search(f"{violation.expected}; {violation.seen}"), violation


@pytest.mark.parametrize("mutant", NARROW, ids=lambda mutant: mutant.name)
def test_a_failure_does_not_spread(mutant: Mutant) -> None:
    """In a whole run one broken thing fails its own clause, and hardly any other; all checks come to their end."""
    with mutant.applied():
        report = judged()
    failed = [one.part for one in report.verdicts if one.violation is not None]
    assert mutant.part in failed
    assert len(failed) <= 1 + HANDFUL, failed
    assert report.errors == []


def test_every_part_that_is_judged_has_a_mutant() -> None:
    """Nothing fails against the server as it is, and what is judged there can fail."""
    found, failed = judges()
    assert failed == []
    assert set(found) == {mutant.part for mutant in MUTANTS}


def test_mutants_can_be_told_apart() -> None:
    """Each has a sentence of its own, and there are enough of them."""
    assert [name for name, times in Counter(mutant.name for mutant in MUTANTS).items() if times > 1] == []
    assert len(MUTANTS) >= 75
