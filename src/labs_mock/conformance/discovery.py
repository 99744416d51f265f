"""Finds out what a server offers: the catalog, an episode of each scenario, what earns something there, and datasets."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from labs_mock.conformance.client import WITH_SECOND_KEY
from labs_mock.conformance.earning import beginnings, suggested
from labs_mock.conformance.offered import (
    Json,
    OfferedScenario,
    OfferedTool,
    Selection,
    listed_scenarios,
    most_varied,
)
from labs_mock.conformance.strategies import NEUTRAL, as_conversation
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import CannotRun, OutOfBudget, UnusableResponse


def discover(target: Target) -> None:
    """Request the catalog, an episode of each scenario and the status of each dataset, and let the target know of them.

    Raises `CannotRun` for what is selected and the server does not have, and for a second key that it does not know.
    """
    try:
        _discover(target)
    except OutOfBudget as spent:
        target.set_unknown(str(spent))
        raise


def _discover(target: Target) -> None:
    selection = target.selection
    catalog: Any = None
    with suppress(UnusableResponse):
        catalog = target.require("list_catalog")
    missing = selection.not_offered(listed_scenarios(catalog, Selection())) if catalog else []
    if missing:
        raise CannotRun(f"the catalog has no {missing[0]!r}")
    _check_named_datasets(target)
    _check_second_key(target)
    listed = listed_scenarios(catalog, selection)
    listed.sort(key=lambda one: (one.collection, one.slug) not in selection.earning)
    scenarios = [_played(target, one) for one in target.each(most_varied(listed, target.most_scenarios))]
    target.set_offer(scenarios, {})
    datasets = {}
    for name in target.each(selection.datasets or _mock_datasets(target)):
        with suppress(UnusableResponse):
            datasets[name] = str(target.status(name).get("status"))
    target.set_offer(scenarios, datasets)


def _check_named_datasets(target: Target) -> None:
    for name in target.each(target.selection.datasets):
        response = target.request("dataset_status", id=name)
        if response.status in (400, 404):
            raise CannotRun(f"there is no dataset {name!r}: {response.summary}")


def _check_second_key(target: Target) -> None:
    if target.client.has_second_key:
        response = target.request("list_catalog", authorization=WITH_SECOND_KEY)
        if response.status == 401:
            raise CannotRun(f"{target.client.url} does not know the second key: {response.summary}")


def _played(target: Target, scenario: OfferedScenario) -> OfferedScenario:
    """A scenario with what a first episode of it shows; without that, where the server does not show it."""
    with suppress(UnusableResponse, KeyError, TypeError):
        created = target.create(scenario)
        opening, tools = created["initial_observation"]["content"], tuple(map(OfferedTool.from_json, created["tools"]))
        known = replace(scenario, opening=opening, tools=tools)
        return replace(known, earning=_earning(target, known))
    return scenario


def _earning(target: Target, scenario: OfferedScenario) -> Sequence[Json] | None:
    """The operator's first messages that make a reward be above 0; none where every conversation is rewarded."""
    selected = target.selection.earning.get((scenario.collection, scenario.slug), ())
    for candidates in (beginnings(selected), suggested(scenario)):
        rewards = _rewards(target, scenario, candidates) if candidates else []
        if candidates and candidates[0] == (NEUTRAL,) and rewards[0] > 0:
            return ()
        for candidate, reward in zip(candidates, rewards, strict=True):
            if reward > 0:
                return candidate
    return None


def _rewards(target: Target, scenario: OfferedScenario, candidates: Sequence[Sequence[Json]]) -> list[float]:
    items = [
        {"id": str(number), **scenario.slugs, "messages": as_conversation(scenario, candidate)}
        for number, candidate in enumerate(candidates)
    ]
    return [float(one.get("reward", 0)) for one in target.batch(items)["results"]]


def _mock_datasets(target: Target) -> list[str]:
    """The datasets of a labs-mock server, which lists them itself; none of another one."""
    response = target.client.send("GET", "/_mock/datasets", authorization=None)
    try:
        return [str(one["id"]) for one in response.json["datasets"]] if response.status == 200 else []
    except (KeyError, TypeError):
        return []
