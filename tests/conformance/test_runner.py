"""The suite against the unbroken server, over a real socket."""

import io
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.server_file import KeyEntry
from labs_mock.config.settings import settings_from
from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.client import Client
from labs_mock.conformance.discovery import discover
from labs_mock.conformance.machine import sequences
from labs_mock.conformance.offered import Selection
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.report import Report
from labs_mock.conformance.reports.terminal import print_report, progress
from labs_mock.conformance.runner import CHECKS, run_checks
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import CannotRun
from labs_mock.contract.clauses import CLAUSES
from labs_mock.engine.player import Player
from labs_mock.state import World
from tests.pages import ROOT
from tests.support import KEY, Live, live, world

pytestmark = pytest.mark.slow

QUICK = PROFILES["quick"]


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library."""
    with live(World(settings_from({"clock": "frozen", "port": 0}), load_library(shipped_library()))) as running:
        yield running


def quick_run(url: str, *, seed: int = 0, key: str = KEY, most: int | None = None, **options: Any) -> Report:
    """A quick run that never waits."""
    with Client(url, key, max_requests=most, sleep=lambda _: None) as client:
        return run_checks(Target(client, Selection(**options), QUICK.scenarios), QUICK, seed, strict=True)


def troubles(report: Report) -> list[str]:
    """All that did not hold or could not be checked by a defect of the suite."""
    return [*map(str, report.errors), *(str(one.violation) for one in report.verdicts if one.violation)]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_unbroken_server_has_no_difference(shipped: Live, seed: int) -> None:
    """Nothing fails and nothing differs, and every part of every clause has a verdict."""
    report = quick_run(shipped.url, seed=seed)
    assert troubles(report) == []
    assert report.holds
    assert [one.part.clause for one in report.verdicts if not one.part.inferred] == [
        clause.name for clause in CLAUSES if clause.documented
    ]


def test_canaries_break_the_clauses_that_their_page_names() -> None:
    """What fails or differs with canary rewards is what the table of `docs/canary.md` says, and nothing else."""
    settings = settings_from({"clock": "frozen", "port": 0, "canary": True})
    with live(World(settings, load_library(shipped_library()))) as server:
        report = quick_run(server.url)
    rows = re.findall(r"^\| ([A-Z]+-\d+) \| (\w+) \|", (ROOT / "docs" / "canary.md").read_text(), re.MULTILINE)
    assert report.errors == []
    assert {(one.part.clause, one.outcome) for one in report.verdicts if one.violation} == {*rows}


@pytest.fixture(scope="module")
def small(shared_server: Live) -> Report:
    """A run against a library of one scenario."""
    return quick_run(shared_server.url)


def test_the_small_scenario_has_no_difference_either(small: Report) -> None:
    """A library of one scenario is checked, too."""
    assert troubles(small) == []


def test_what_is_not_checked_is_skipped_with_a_reason(small: Report) -> None:
    """A clause that was never checked is never passed."""
    for verdict in small.verdicts:
        assert (verdict.checked > 0) == (verdict.outcome == "passed")
        assert bool(verdict.reason) == (verdict.outcome == "skipped")


@pytest.mark.parametrize("most", [1, 2, 40, 200])
def test_the_budget_is_never_exceeded(server: Live, most: int) -> None:
    """Not by one request, and what was not checked for want of it has that reason."""
    report = quick_run(server.url, most=most)
    assert len(server.records()) <= report.requests <= most
    assert troubles(report) == []
    if most <= 40:
        assert any("budget" in one.reason for one in report.verdicts)


def test_a_small_plan_is_waited_for() -> None:
    """With few requests a minute the client waits for the next window rather than to be refused (RL-2)."""
    waited: list[float] = []
    keys = [KeyEntry(key=KEY, organisation="a", requests_per_minute=10)]
    with live(world(keys=keys)) as running:

        def sleep(seconds: float) -> None:
            waited.append(seconds)
            running.advance(60)

        with Client(running.url, KEY, max_requests=60, sleep=sleep) as client:
            report = run_checks(Target(client), QUICK)
    assert len(waited) >= 3
    assert troubles(report) == []


def test_a_wrong_key_is_no_failure_of_the_server(server: Live) -> None:
    """A key that the server does not know ends the run before anything is checked, after one request (AUTH-1)."""
    with pytest.raises(CannotRun, match="does not know the key: 401 Invalid or missing API key"):
        quick_run(server.url, key="lab_wrong")
    assert len(server.records()) == 1


def test_a_key_without_scores_is_original_what_it_sees() -> None:
    """What needs scores is skipped, with the reason (AUTH-3)."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a", score_access="reward")])) as running:
        report = quick_run(running.url)
    assert troubles(report) == []
    assert {one.part.clause: one.reason for one in report.verdicts}["RC-5"] == "the key sees no scores"


def test_a_failure_hides_no_other(server: Live) -> None:
    """A check goes on behind a part that failed, and each part keeps its smallest sequence of requests."""

    @check("EV-1", "CMP-1")
    def fails_twice(target: Target, data: Draw) -> None:
        """Two failures in one check."""
        scenario = data(target.scenarios)
        target.evaluate(scenario, [{"role": "assistant", "content": "Hello."}])
        target.expect("EV-1", holds=False, expected="this", seen="that")
        target.request("list_catalog")
        target.expect("CMP-1", holds=False, expected="one", seen="two", inferred=False)

    with Client(server.url, KEY) as client:
        report = run_checks(Target(client), QUICK, checks=[fails_twice])
    assert [one.part.clause for one in report.violated] == ["EV-1", "CMP-1"]
    found = {one.part.clause: one.violation for one in report.verdicts if one.violation}
    assert [len(violation.responses) for violation in found.values()] == [1, 2]


def test_the_cause_comes_first(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rewards jitter, EV-1 is the failure, and all else that does not hold is reported to follow from it."""
    count = iter(range(1_000_000))

    def jittering(*arguments: Any) -> Any:
        found = assess(*arguments)
        return replace(found, reward=round(found.reward * 0.9 + next(count) % 7 / 100, 6))

    assess = Player.assess
    monkeypatch.setattr(Player, "assess", jittering)
    with Client(server.url, KEY) as client:
        of_rewards = [one for one in CHECKS if {*one.clauses} & {"EV-1", "EV-2", "BAT-3", "CMP-1", "GEN-5", "RC-4"}]
        report = run_checks(Target(client), QUICK, checks=of_rewards)
    failed = {one.part.clause: one.follows for one in report.violated}
    assert failed.pop("EV-1") == ""
    assert len(failed) >= 5
    assert set(failed.values()) == {"EV-1"}
    console = Console(file=io.StringIO(), width=100)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    found = re.findall(
        r"^([A-Z]+-\d+) (?:failed|differs from our reading), which", console.file.getvalue(), re.MULTILINE
    )
    assert {*found} == {*failed}
    assert "\nEV-1 failed: " in console.file.getvalue().rpartition("follows from EV-1")[2]


def test_a_run_is_watched(server: Live) -> None:
    """Each check is announced before it begins, with how many are done and how many there are."""
    seen = list[tuple[int, int, str]]()
    with Client(server.url, KEY) as client:
        run_checks(Target(client), QUICK, checks=CHECKS[:2], watch=lambda *progress: seen.append(progress))
    assert seen == [(0, 3, "runner.what_it_offers"), (1, 3, CHECKS[0].name), (2, 3, CHECKS[1].name)]


def test_progress_is_for_terminals_alone() -> None:
    """It draws on a terminal, and leaves nothing there; anything else gets nothing."""
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal)
        with progress(console) as watch:
            watch(3, 9, "a check")
        assert isinstance(console.file, io.StringIO)
        assert bool(console.file.getvalue()) == terminal


def test_a_curl_line_has_all_of_the_request(server: Live) -> None:
    """It holds all of the request, and the key by its name alone (ERR-2)."""
    with Client(server.url, KEY) as client:
        target = Target(client)
        discover(target)
        target.verdicts.begin_example()
        target.evaluate(target.every_scenario[0], [{"role": "assistant", "content": "It's 'quoted' $HOME \N{SNOWMAN}"}])
        [response] = target.verdicts.responses
    line = response.curl()
    assert KEY not in line
    assert "$LABS_API_KEY" in line
    assert "It'\"'\"'s" in line


# How many seeds beside 0 and 1. A run of one takes seconds; after a change of the strategies there should be many.
SEEDS = int(os.environ.get("TEST_SEEDS", "8"))


@pytest.mark.parametrize("seed", range(2, 2 + SEEDS))
def test_the_unbroken_server_passes_whatever_the_seed(shipped: Live, seed: int) -> None:
    """More seeds for all that depends on one: no failure and no difference."""
    checks = [*(one for one in CHECKS if one.draws), sequences(QUICK, seed)]
    with Client(shipped.url, KEY, sleep=lambda _: None) as client:
        report = run_checks(Target(client, most_scenarios=QUICK.scenarios), QUICK, seed, checks)
    assert troubles(report) == []
