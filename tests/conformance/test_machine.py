"""The state machine: what shows only where requests of several kinds come one after the other."""

from dataclasses import replace
from typing import Any

import pytest

from labs_mock.conformance.client import Client
from labs_mock.conformance.machine import sequences
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.report import Report
from labs_mock.conformance.runner import run_checks
from labs_mock.conformance.target import Target
from labs_mock.engine.assessment import Assessment
from labs_mock.engine.player import Player
from labs_mock.state.episode import AppendedTurn, Episode
from labs_mock.state.memory.episodes import Episodes
from tests.support import KEY, Live

QUICK = PROFILES["quick"]


def machine_run(server: Live, seed: int = 0) -> Report:
    """A run of the machine alone."""
    with Client(server.url, KEY, sleep=lambda _: None) as client:
        return run_checks(Target(client), QUICK, seed, [sequences(QUICK, seed)])


def clauses(report: Report) -> list[str]:
    """The clauses that do not hold."""
    return [one.part.clause for one in report.violated]


@pytest.mark.parametrize("seed", range(5))
def test_no_sequence_breaks_the_unbroken_server(server: Live, seed: int) -> None:
    """Whatever comes in whatever order, all that the machine knows holds (EP-4, EP-13, EV-1, ID-1, RL-1)."""
    report = machine_run(server, seed)
    assert clauses(report) == []
    assert not report.errors
    counts = {(one.part.clause, one.part.inferred): one.checked for one in report.verdicts}
    assert counts["EP-4", False] > 10
    assert counts["ID-1", True] > 100


@pytest.mark.slow
def test_what_one_episode_does_to_another_is_found(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that keeps turns of the latest episode alone fails, and the report has a short sequence (EP-4)."""
    keep = Episodes.change

    def forget(self: Episodes, created: Episode | None, turn: AppendedTurn | None) -> None:
        latest = turn is None or next(reversed(self._stored)) == turn.episode
        keep(self, created, turn if latest else None)

    monkeypatch.setattr(Episodes, "change", forget)
    report = machine_run(server)
    assert "EP-4" in clauses(report)
    found = {one.part.clause: one.violation for one in report.verdicts if one.violation}
    assert len(found["EP-4"].responses) <= 6


@pytest.mark.slow
def test_a_reward_that_wanders_is_found(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose rewards depend on earlier requests fails by itself, in batches or in comparisons (EV-1)."""
    count = iter(range(1_000_000))

    assess = Player.assess

    def wander(*given: Any) -> Assessment:
        return replace(assess(*given), reward=next(count) % 3 / 2)

    monkeypatch.setattr(Player, "assess", wander)
    assert {"EV-1", "EV-2", "BAT-3", "CMP-1"} & set(clauses(machine_run(server)))
