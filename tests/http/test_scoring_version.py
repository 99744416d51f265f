from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from labs_mock.scenario.compiled.scenario import Scenario, scoring_version
from labs_mock.scenario.files.loader import parse_scenario
from tests.support import CLAIM, Live, library, live, result_of, scenario, world

MESSAGES = [{"role": "assistant", "content": "Hello."}]


def of_finance(**changes: Any) -> Scenario:
    """A scenario in another collection."""
    return parse_scenario(orjson.dumps({**CLAIM, **changes}), file="back-claim.yaml", collection="finance")


@pytest.fixture
def server() -> Iterator[Live]:
    """A server of two scenarios in two collections, with a fresh world."""
    with live(world(scenario(), of_finance())) as running:
        yield running


def versions(server: Live) -> set[str]:
    """What `/evaluate`, a batch, a batch of errors alone and `/compare` say, for each scenario."""
    responses = []
    for collection in ("case-management", "finance"):
        where = {"collection_slug": collection, "scenario_slug": "back-claim"}
        item = {"id": "a", **where, "messages": MESSAGES}
        compared = {"response_a": {"messages": MESSAGES}, "response_b": {"messages": MESSAGES}}
        responses += [
            server.post("/evaluate", {**where, "messages": MESSAGES}),
            server.post("/batch/evaluate", {"items": [item]}),
            server.post("/batch/evaluate", {"items": [{**item, "scenario_slug": "nothing"}]}),
            server.post("/compare", {**where, **compared}),
        ]
    return {response.json()["scoring_version"] for response in responses}


def test_all_answers_of_a_server_have_one_version(server: Live) -> None:
    """Whatever the operation and the scenario, and if all items of a batch are errors, too (SV-1)."""
    assert versions(server) == {server.library().scoring_version}


def test_it_changes_with_a_scenario(server: Live) -> None:
    """One that is added or replaced over the control plane, or by a reload, and back again (SV-1)."""
    before = versions(server)
    body = {"collection_slug": "tests", "scenario_slug": "another", "scenario": CLAIM}
    server.client.post("/_mock/scenarios", json=body).raise_for_status()
    added = versions(server)
    server.client.post("/_mock/scenarios", json={**body, "scenario": {**CLAIM, "name": "Renamed"}}).raise_for_status()
    replaced = versions(server)
    result_of(server.world.publish(library(scenario(), of_finance(max_turns=3))))
    reloaded = versions(server)
    assert len(before | added | replaced | reloaded) == 4
    result_of(server.world.publish(library(scenario(), of_finance())))
    assert versions(server) == before


def test_it_follows_from_what_the_scenarios_are() -> None:
    """Not from the order of files, nor from datasets and keys (SV-1)."""
    one, other = scenario(), of_finance()
    assert scoring_version([one, other]) == scoring_version([other, one]) == library(other, one).scoring_version
    assert scoring_version([one]) != scoring_version([other]) != scoring_version([one, other])
