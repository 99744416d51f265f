import re

from labs_mock.testing.verdicts.reward_labels import LABELS, MIXED
from tests.pages import ROOT

PAGE = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
PRECEDENCE = (
    *("missing", "extra", "in_place", "nan", "failure_became_zero", "became_zero", "broadcast", "lossy"),
    *("summed_over_turns", "last_but_one_turn", "swapped", "reversed", "shifted", "sorted", "permuted", "rescaled"),
    *("other_conversation", "not_served", "mixed"),
)


def test_the_page_has_the_table() -> None:
    """Every label in its order, with what it means and what usually causes it."""
    section = PAGE.partition("\n## The labels\n")[2].partition("\n## ")[0]
    table = [line.strip("| ").split(" | ") for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]]
    assert table == [[f"`{rule.name}`", rule.meaning, rule.cause] for rule in (*LABELS, MIXED)]


def test_the_order_of_the_labels_is_a_promise() -> None:
    """A test may name the label that it expects of a mistake, so what comes first stays first."""
    assert tuple(rule.name for rule in (*LABELS, MIXED)) == PRECEDENCE
