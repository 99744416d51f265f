"""Datasets for tests over HTTP: one in each status, some that move on, and talks of any length."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.dataset_status import FINAL
from labs_mock.scenario.compiled.datasets import Dataset, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.state import World
from tests.support import CLAIM, KEY, Live, library, scenario, world

PHRASES = (
    "Tell me what happened",
    "Good morning",
    "Thank you",
    "I understand",
    "Are you worried",
    "Go on",
    "So",
    "Yes",
)


def ways(part: str) -> list[str]:
    """80 texts that differ from those of any other part."""
    return [f"{fields} {part}{index}." for fields in PHRASES for index in range(10)]


TALKER = {"agent_template_id": "talker-v1", "says": [[ways("a"), ways("b")], [ways("c"), ways("d")]]}
"""A simulated operator with 80 ways to say each of the two parts of its two turns: rows of about 450 bytes."""

STATES: dict[str, tuple[int, dict[str, Any]]] = {
    "pending": (202, {"row_count": None, "message": "Waiting to start"}),
    "preview": (202, {"row_count": 3, "message": "The first three rows"}),
    "running": (202, {"row_count": 40, "message": "Rollouts are being made"}),
    "filtering": (202, {"row_count": None, "message": "Rollouts are being filtered"}),
    "ready": (200, {"row_count": 50, "message": "Ready to export"}),
    "cancelled": (409, {"row_count": 7, "message": "Cancelled"}),
    "failed": (500, {"row_count": None, "message": "Failed", "error": "The disk is full"}),
}
"""For every status the code of an export (DS-3), and what its dataset says of itself."""

POLLED = "10000000-0000-1000-8000-000000000001"
TIMED = "ffffffff-ffff-ffff-ffff-ffffffffffff"
LONG = "abcdef00-0000-8000-b000-0123456789ab"
ACCOUNTS = [
    KeyEntry(key=KEY, organisation="a"),
    KeyEntry(key="lab_none", organisation="b", subscriptions=[]),
    KeyEntry(key="lab_once", organisation="b", subscriptions=[], requests_per_minute=1),
]


def talks() -> Scenario:
    """The claim with the talker."""
    return scenario(operators={**CLAIM["operators"], "talker": TALKER})


def dataset(name: str, *stages: dict[str, Any], count: int = 50) -> Dataset:
    """A dataset of generated rows; without stages it is ready."""
    generate = {"scenario": "case-management/back-claim", "operators": ["talker"], "count": count}
    lifecycle = list(stages) or [{"status": "ready"}]
    data = {"id": name, "name": "Talks", "lifecycle": lifecycle, "rows": {"generate": generate}}
    return compile_dataset("talks", DatasetFile.model_validate(data), {"case-management/back-claim": talks()})


def with_datasets(*datasets: Dataset, **settings: Any) -> World:
    """A world with some datasets, on a frozen clock, and with several keys."""
    known = replace(library(talks(), keys=ACCOUNTS), datasets={one.id: one for one in datasets})
    return World(world(**settings).settings, known)


def in_state(status: str) -> Dataset:
    """A dataset that stays in a status for a long time."""
    fields = {key: value for key, value in STATES[status][1].items() if value is not None}
    if status == "ready":
        fields = {}
    stage = {"status": status, **fields}
    lifecycle = [stage] if status in FINAL else [{**stage, "polls": 1_000_000}, {"status": "ready"}]
    return dataset(name_of(status), *lifecycle)


def name_of(status: str) -> str:
    """The id of the dataset that stays in a status."""
    return f"00000000-0000-4000-8000-{list(STATES).index(status):012}"


def by_polls() -> Dataset:
    """A dataset that gets ready with the fifth poll."""
    return dataset(
        POLLED,
        {"status": "pending", "polls": 1},
        {"status": "running", "polls": 2, "row_count": 20},
        {"status": "filtering", "polls": 1},
        {"status": "ready"},
    )


def by_the_clock() -> Dataset:
    """A dataset of stages of seconds, and one of polls in between."""
    return dataset(
        TIMED,
        {"status": "pending", "seconds": 5},
        {"status": "preview", "seconds": 10, "row_count": 5},
        {"status": "running", "polls": 1},
        {"status": "filtering", "seconds": 30},
        {"status": "ready"},
    )


def one_of_each() -> World:
    """A world with a dataset in each status, one by polls, one by the clock, and a longer one."""
    return with_datasets(*map(in_state, STATES), by_polls(), by_the_clock(), dataset(LONG, count=2_000))


def get(server: Live, name: str, what: str, key: str = KEY, **options: Any) -> httpx.Response:
    """GET the status or the export of a dataset."""
    headers = [("authorization", f"Bearer {key}"), *options.pop("headers", [])]
    return server.client.request(
        options.pop("method", "GET"), f"/api/v1/training-datasets/{name}/{what}", headers=headers, **options
    )


def findings(response: httpx.Response) -> list[str]:
    """The codes of the findings of a response."""
    return [part.partition(";")[0] for part in response.headers.get("x-mock-findings", "").split(", ") if part]


def scenarios(folder: Path, count: int) -> Path:
    """A folder of scenarios with one dataset of so many rows, ready from the start."""
    (folder / "case-management").mkdir(parents=True)
    (folder / "datasets").mkdir()
    (folder / "case-management" / "collection.yaml").write_text("{name: Cases, description: Some cases.}")
    operators = {"talker": talks().file.operators["talker"].model_dump(exclude_defaults=True)}
    (folder / "case-management" / "back-claim.yaml").write_text(json.dumps({**CLAIM, "operators": operators}))
    generate = {"scenario": "case-management/back-claim", "operators": ["talker"], "count": count}
    file = {"id": LONG, "name": "Talks", "lifecycle": [{"status": "ready"}], "rows": {"generate": generate}}
    (folder / "datasets" / "talks.yaml").write_text(yaml.safe_dump(file))
    return folder
