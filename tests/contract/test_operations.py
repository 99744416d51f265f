import re

import pytest

from labs_mock.contract.clauses import PARTS, Part, part_of
from labs_mock.contract.dimensions import DIMENSIONS, default_name
from labs_mock.contract.operations import OPERATIONS
from labs_mock.http.endpoints import ENDPOINTS


def test_every_operation_has_an_endpoint() -> None:
    """Routes are the table of operations, no more and no fewer."""
    assert list(ENDPOINTS) == [operation.name for operation in OPERATIONS]
    assert len({(operation.method, operation.full_path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_operations_cite_clauses() -> None:
    """Each operation names the clauses that it keeps, and responds with codes in use (GEN-2)."""
    for operation in OPERATIONS:
        assert operation.clauses
        assert all(re.fullmatch(r"[A-Z]+-\d+", clause) for clause in operation.clauses)
        assert set(operation.statuses) <= {200, 202, 400, 401, 403, 404, 409, 413, 429, 431, 500}
        assert operation.full_path.startswith("/api/v1/")


def test_default_score_names() -> None:
    """Dimensions that a scenario does not name are numbered by their row in the format's table."""
    assert [default_name(dimension) for dimension in DIMENSIONS] == [
        "D1_SuccessMetrics",
        "D2_FailureMetrics",
        "D3_BestPractices",
        "D4_Rubrics",
        "D5_Discovery",
        "D6_OutputSimilarity",
        "D7_DecisionMatch",
    ]


def test_the_parts_of_clauses_in_the_table_exist() -> None:
    """What makes a request succeed, what its response looks like and what its fields say together stand in the contract (GEN-2)."""
    for operation in OPERATIONS:
        named = [operation.success, operation.shape, operation.consistency and operation.consistency.part]
        assert set(named) <= {None, *PARTS}
        assert all(part is None or part.clause in operation.clauses for part in named)


def test_a_part_is_documented_or_inferred() -> None:
    """A clause with both is not taken for either, and a part that is not there is an error (EV-1, CAT-2, EP-1)."""
    assert part_of("EV-1") == Part("EV-1", inferred=False)
    assert part_of("CAT-2") == Part("CAT-2", inferred=True)
    assert part_of("CAT-2").basis == "inferred"
    for clause, inferred in (("EP-1", None), ("EV-1", True), ("CAT-2", False)):
        with pytest.raises(AssertionError, match=clause):
            part_of(clause, inferred)
