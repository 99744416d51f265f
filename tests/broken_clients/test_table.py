"""Each broken client is found by what the table says, and each sound one passes without a word."""

from collections.abc import Mapping

import pytest

from tests.broken_clients.outcomes import Outcome, outcomes_of_run
from tests.broken_clients.table import BROKEN, SOUND, Broken, Sound

Outcomes = Mapping[str, Outcome]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What became of all tests of one run."""
    return outcomes_of_run(tmp_path_factory.mktemp("clients"))


@pytest.mark.parametrize("row", [row for row in BROKEN if not row.call], ids=lambda row: row.number)
def test_by_default(outcomes: Outcomes, row: Broken) -> None:
    """A test with this client fails although it asserts nothing, and says why."""
    outcome = outcomes[f"test_default[{row.number}]"]
    assert not outcome.passed
    assert row.text in outcome.text


@pytest.mark.parametrize("row", [row for row in BROKEN if row.call], ids=lambda row: row.number)
def test_by_a_call(outcomes: Outcomes, row: Broken) -> None:
    """A test with this client passes by default, and fails with the call, which says why."""
    assert outcomes[f"test_default[{row.number}]"].passed
    outcome = outcomes[f"test_call[{row.number}]"]
    assert not outcome.passed
    assert row.text in outcome.text


@pytest.mark.parametrize("row", SOUND, ids=lambda row: row.kind)
def test_sound(outcomes: Outcomes, row: Sound) -> None:
    """A test with this client passes with the call, and nothing is printed."""
    assert outcomes[f"test_sound[{row.kind}]"] == Outcome(True, "", "")


def test_numbers() -> None:
    """Each number of the issue, from 1 to 29, is in the table once."""
    assert [row.number for row in BROKEN] == list(range(1, 30))
