import re

import pytest

from labs_mock.contract.clauses import BY_NAME
from labs_mock.contract.dataset_status import DATASET_STATUSES, FINAL, WITH_ERROR
from labs_mock.contract.limits import PLAN_NAMES, PLANS
from tests.http.datasets import STATES
from tests.pages import ROOT

PAGE = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")


def test_the_clauses_name_every_status() -> None:
    """DS-1 lists them, in their order, and DS-3 says what an export of each is (DS-1, DS-3)."""
    assert re.findall(r"`(\w+)`", BY_NAME["DS-1"].documented) == list(DATASET_STATUSES)
    assert {*re.findall(r"\w+", BY_NAME["DS-3"].documented)} >= {*DATASET_STATUSES}


def test_the_page_has_every_status() -> None:
    """The table of the page of datasets has each status with the code of its export, and an `error` where there is one (DS-2, DS-3)."""
    found = {
        name: (int(export), "`error`" in rest)
        for names, export, rest in re.findall(r"^\| (`.*`) \| 200 \| (\d+)(.*)\|$", PAGE, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert found == {name: (one.export, one.has_error) for name, one in DATASET_STATUSES.items()}


def test_every_status_is_tried_over_http() -> None:
    """The datasets of the tests over HTTP have a table of their own, with the same statuses and codes (DS-3)."""
    assert {name: export for name, (export, _) in STATES.items()} == {
        name: one.export for name, one in DATASET_STATUSES.items()
    }


def test_what_is_never_202_is_final() -> None:
    """A dataset that is ready, cancelled or failed never changes, and only a failed one has an error (DS-2, DS-6)."""
    assert FINAL == ("ready", "cancelled", "failed")
    assert WITH_ERROR == ("failed",)


@pytest.mark.parametrize("page", ["docs/settings.md", "docs/pytest.md", "docs/scenarios.md"])
def test_the_pages_name_every_plan(page: str) -> None:
    """Where plans are listed, all of them are, in the order of the table (RL-2)."""
    assert PLAN_NAMES in (ROOT / page).read_text(encoding="utf-8").replace("`", "")


@pytest.mark.parametrize("plan", PLANS)
def test_the_clause_names_every_plan(plan: str) -> None:
    """RL-2 says how many requests a minute each plan has (RL-2)."""
    assert plan in BY_NAME["RL-2"].documented.lower()
