import re

from labs_mock.contract.dimensions import DIMENSIONS, default_name
from labs_mock.contract.operations import OPERATIONS
from labs_mock.http.endpoints import ENDPOINTS


def test_every_operation_has_an_endpoint() -> None:
    """Routes are the table of operations, no more and no fewer."""
    assert [endpoint.operation for endpoint in ENDPOINTS] == list(OPERATIONS)
    assert len({(operation.method, operation.full_path) for operation in OPERATIONS}) == len(OPERATIONS)


def test_operations_cite_clauses() -> None:
    """Each operation names the clauses that it keeps, and answers with codes in use (GEN-2)."""
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
