from typing import Any

import pytest

from labs_mock.engine.requires_check import check_requires
from tests.scenario.bases import TASK
from tests.support import CLAIM


@pytest.mark.parametrize(
    ("rule", "warns"),
    [
        ({"discovered": "onset"}, True),
        ({"count": {"of": "discovered", "at_least": 1}}, True),
        ({"not": {"says": ["nonsense"]}}, True),
        ({"all": [{"not": {"discovered": "fear"}}, {"not": {"silent": True}}]}, True),
        ({"heard": ["my claim"]}, True),
        ({"matches": "."}, True),
        ({"heard": ["sorry, what do you mean"], "turns": {"at_least": 5}}, True),
        ({"any": [{"discovered": "side_job"}, {"discovered": "onset"}]}, True),
        ({"discovered": "side_job"}, False),
        ({"discovered": "imaging"}, False),
        ({"says": ["what happened"]}, False),
        ({"calls": "order_imaging"}, False),
        ({"all": [{"discovered": "onset"}, {"says": ["hello"]}]}, False),
        ({"silent": True}, False),
        ({"count": {"of": "discovered", "at_least": 2}}, False),
        ({"discovered": "onset", "turns": {"at_least": 13}}, False),
    ],
)
def test_what_holds_of_itself_is_found(rule: dict[str, Any], warns: bool) -> None:
    """Volunteered items, phrases that match anyway and rules of nothing but `not` require nothing of the operator (RC-6)."""
    found = list(check_requires({**CLAIM, "scoring": {"requires": rule}}))
    assert [mistake.path for mistake in found] == [("scoring", "requires")] * warns
    assert all("after 12 turns" in mistake.message and mistake.expected for mistake in found)


def test_where_nothing_is_required_nothing_is_found() -> None:
    """Of a scenario without `requires`, or without a persona, too (RC-6)."""
    assert not list(check_requires(CLAIM))
    assert not list(check_requires({**CLAIM, "scoring": {"gate": {"terminology": 1.0}}}))
    tool = TASK["tools"][0]["id"]
    assert not list(check_requires({**TASK, "scoring": {"requires": {"calls": tool}}}))
    assert list(check_requires({**TASK, "scoring": {"requires": {"not": {"calls": tool}}}}))
