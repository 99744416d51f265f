"""All mutants, in the order of the contract."""

from labs_mock.contract.clauses import CLAUSES
from tests.conformance.mutants import MUTANTS as DECLARED
from tests.conformance.mutants import datasets, episodes, evaluation, general, organisations, units

MODULES = (general, organisations, episodes, evaluation, datasets, units)  # which declare them
_ORDER = [clause.name for clause in CLAUSES]
MUTANTS = sorted(DECLARED, key=lambda mutant: (_ORDER.index(mutant.part.clause), mutant.part.inferred))
