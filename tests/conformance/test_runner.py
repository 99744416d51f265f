"""The suite against the unbroken server, over a real socket."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.server_file import KeyEntry
from labs_mock.config.settings import settings_from
from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.client import Client
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.reports.document import document
from labs_mock.conformance.reports.terminal import print_report, progress
from labs_mock.conformance.runner import CHECKS, PROFILES, run
from labs_mock.conformance.target import Options
from labs_mock.conformance.verdicts import Report
from labs_mock.conformance.violations import Refused
from labs_mock.contract.clauses import CLAUSES
from labs_mock.engine import evaluation
from labs_mock.engine.reward import assess
from labs_mock.state import World
from tests.support import KEY, Live, live, world

QUICK = PROFILES["quick"]


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library."""
    with live(World(settings_from({"clock": "frozen", "port": 0}), load_library(shipped_library()))) as running:
        yield running


def judged(url: str, *, seed: int = 0, key: str = KEY, most: int | None = None, **options: Any) -> Report:
    """A quick run that never waits."""
    with Client(url, key, max_requests=most, sleep=lambda _: None) as client:
        return run(Lab(client, Options(**options), QUICK.scenarios), QUICK, seed)


def troubles(report: Report) -> list[str]:
    """All that did not hold or could not be judged by a defect of the suite."""
    return [*map(str, report.errors), *(str(one.violation) for one in report.verdicts if one.violation)]


@pytest.mark.parametrize("seed", [0, 1])
def test_the_unbroken_server_has_no_difference(shipped: Live, seed: int) -> None:
    """Nothing fails and nothing differs, and every part of every clause has a verdict."""
    report = judged(shipped.url, seed=seed)
    assert troubles(report) == []
    assert report.holds(strict=True)
    assert [one.part.clause for one in report.verdicts if not one.part.inferred] == [
        clause.name for clause in CLAUSES if clause.documented
    ]


def test_the_small_scenario_has_no_difference_either(server: Live) -> None:
    """A library of one scenario is judged, too."""
    assert troubles(judged(server.url)) == []


def test_what_is_not_judged_is_skipped_with_a_reason(server: Live) -> None:
    """A clause without a judgement is never passed."""
    report = judged(server.url)
    for verdict in report.verdicts:
        assert (verdict.judged > 0) == (verdict.outcome == "passed")
        assert bool(verdict.reason) == (verdict.outcome == "skipped")


@pytest.mark.parametrize("most", [1, 2, 40, 200])
def test_the_budget_is_never_exceeded(server: Live, most: int) -> None:
    """Not by one request, and what was not judged for want of it says so."""
    report = judged(server.url, most=most)
    assert len(server.world.journal) <= report.requests <= most
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
            running.world.clock.advance(60)

        with Client(running.url, KEY, max_requests=60, sleep=sleep) as client:
            report = run(Lab(client), QUICK)
    assert len(waited) >= 3
    assert troubles(report) == []


def test_a_wrong_key_is_no_failure_of_the_server(server: Live) -> None:
    """A key that the server does not know ends the run before anything is judged, after one request (AUTH-1)."""
    with pytest.raises(Refused, match="does not know the key: 401 Invalid or missing API key"):
        judged(server.url, key="lab_wrong")
    assert len(server.world.journal) == 1


def test_a_key_without_scores_is_judged_by_what_it_sees() -> None:
    """What needs scores is skipped, with the reason (AUTH-3)."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a", score_access="reward")])) as running:
        report = judged(running.url)
    assert troubles(report) == []
    assert {one.part.clause: one.reason for one in report.verdicts}["RC-5"] == "the key sees no scores"


def test_a_failure_hides_no_other(server: Live) -> None:
    """A check goes on behind a part that failed, and each part keeps its smallest sequence of requests."""

    @check("EV-1", "CMP-1")
    def fails_twice(lab: Lab, data: DrawExample) -> None:
        """Two failures in one check."""
        scenario = data(lab.scenarios)
        lab.evaluate(scenario, [{"role": "assistant", "content": "Hello."}])
        lab.expect("EV-1", held=False, expected="this", seen="that")
        lab.ask("list_catalog")
        lab.expect("CMP-1", held=False, expected="one", seen="two", inferred=False)

    with Client(server.url, KEY) as client:
        report = run(Lab(client), QUICK, checks=[fails_twice])
    assert report.failed() == ["EV-1", "CMP-1"]
    found = {one.part.clause: one.violation for one in report.verdicts if one.violation}
    assert [len(violation.exchanges) for violation in found.values()] == [1, 2]


def test_the_cause_comes_first(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rewards jitter, EV-1 is the failure, and what else does not hold says that it follows from it."""
    count = iter(range(1_000_000))

    def jittering(*given: Any) -> Any:
        found = assess(*given)
        return replace(found, reward=round(found.reward * 0.9 + next(count) % 7 / 100, 6))

    monkeypatch.setattr(evaluation, "assess", jittering)
    with Client(server.url, KEY) as client:
        of_rewards = [one for one in CHECKS if {*one.clauses} & {"EV-1", "EV-2", "BAT-3", "CMP-1", "GEN-5", "RC-4"}]
        report = run(Lab(client), QUICK, checks=of_rewards)
    failed = {one.part.clause: one.violation.follows for one in report.verdicts if one.violation}
    assert failed.pop("EV-1") == ""
    assert len(failed) >= 5
    assert set(failed.values()) == {"EV-1"}
    console = Console(file=io.StringIO(), width=100)
    print_report(document(report), console)
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
        run(Lab(client), QUICK, checks=CHECKS[:2], watch=lambda *said: seen.append(said))
    assert seen == [(0, 3, "runner.what_it_offers"), (1, 3, CHECKS[0].name), (2, 3, CHECKS[1].name)]


def test_progress_is_for_terminals_alone() -> None:
    """It draws on a terminal, and leaves nothing there; anything else gets nothing."""
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal)
        with progress(console) as watch:
            watch(3, 9, "a check")
        assert isinstance(console.file, io.StringIO)
        assert bool(console.file.getvalue()) == terminal


def test_a_curl_line_gives_the_same_answer(server: Live) -> None:
    """It holds all of the request, and the key by its name alone (ERR-2)."""
    with Client(server.url, KEY) as client:
        lab = Lab(client)
        lab.discover()
        lab.judgements.begin()
        lab.evaluate(lab.every_scenario[0], [{"role": "assistant", "content": "It's 'quoted' $HOME \N{SNOWMAN}"}])
        [sent] = lab.judgements.exchanges
    line = sent.curl()
    assert KEY not in line
    assert "$LABS_API_KEY" in line
    assert "It'\"'\"'s" in line


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_the_unbroken_server_passes_whatever_the_seed(shipped: Live, first: int) -> None:
    """A hundred runs with a hundred seeds: no failure and no difference."""
    for seed in range(first, first + 10):
        assert troubles(judged(shipped.url, seed=seed)) == []
