"""`docs/mutants.md`, written by `make generated`: the broken servers of each clause, and the parts of clauses that have none."""

from labs_mock.conformance.verdicts import UNSEEN
from labs_mock.contract.clauses import BY_NAME, PARTS, SECTIONS
from tests.conformance.mutants import Mutant, every


def mutants() -> str:
    """The page: a table for each section of the contract, and one of what cannot be checked."""
    parts = [HEAD.format(count=len(every.MUTANTS))]
    for section, title in SECTIONS.items():
        rows = [_mutant(one) for one in every.MUTANTS if BY_NAME[one.part.clause].section == section]
        if rows:
            parts += [f"## {title}\n", "| clause | part | the broken server |\n|---|---|---|", *rows, ""]
    parts += [UNCHECKED, "| clause | part | because |\n|---|---|---|", *_unbroken()]
    return "\n".join(parts) + "\n"


def _clause(name: str) -> str:
    return f"[{name}](fidelity.md#{name.lower()})"


def _mutant(mutant: Mutant) -> str:
    return f"| {_clause(mutant.part.clause)} | {mutant.part.basis} | {mutant.sentence} |"


def _unbroken() -> list[str]:
    """The parts of clauses that no mutant breaks, since they are not checked."""
    broken = {mutant.part for mutant in every.MUTANTS}
    return [
        f"| {_clause(part.clause)} | {part.basis} | {UNSEEN[part.clause]} |" for part in PARTS if part not in broken
    ]


HEAD = """\
<!-- Written by `make generated` from the mutants in `tests/conformance/mutants`. -->

# What the conformance suite finds

This page is for people who want to know how far they can trust [`labs-mock conformance`](conformance.md); nobody needs it to use that
command. It lists the mistakes of servers that the suite is known to find.

A suite that cannot fail shows nothing. So our tests run it on {count} servers that are broken on purpose: each is this mock with one small
change, a *mutant*. The suite must report each of them under the clause that the change breaks, whether that part of the clause is
documented or inferred. The server without a change must pass, with any seed.
"""

UNCHECKED = """\
## What is not checked

These parts have no broken server, because no check can see them from outside:
"""
