from typing import Any

import pytest

from labs_mock.scenario.files.dataset_checks import check_dataset
from tests.scenario.bases import DATASET, GONE, changed, steps


@pytest.mark.parametrize(
    ("where", "value", "path", "words"),
    [
        ("lifecycle.1.status", "failed", "lifecycle.1", "a stage after 'failed'"),
        ("lifecycle.2", {"status": "running"}, "lifecycle.2", "the lifecycle ends with 'running'"),
        ("lifecycle.2.polls", 3, "lifecycle.2.polls", "the final stage does not end"),
        ("lifecycle.2.seconds", 3, "lifecycle.2.seconds", "the final stage does not end"),
        ("lifecycle.0.polls", GONE, "lifecycle.0", "a stage without an end"),
        ("lifecycle.0.seconds", 3, "lifecycle.0", "a stage without an end, or with two"),
        ("lifecycle.2.status", "failed", "lifecycle.2", "'error' belongs to the status failed"),
        ("lifecycle.1.error", "Oh.", "lifecycle.1", "'error' belongs to the status failed"),
        ("rows", GONE, "lifecycle", "needs rows"),
        ("rows", {}, "rows", "several sources, or with none"),
        ("rows.file", "rows.jsonl", "rows", "several sources, or with none"),
    ],
)
def test_a_mistake_in_a_dataset_is_found(where: str, value: Any, path: str, words: str) -> None:
    """A lifecycle goes through stages that end to one that does not, and rows have one source."""
    assert list(check_dataset(DATASET)) == []
    found = list(check_dataset(changed(DATASET, where, value)))
    assert [(list(mistake.path), mistake.expected != "") for mistake in found if words in mistake.message] == [
        (steps(path), True)
    ]
