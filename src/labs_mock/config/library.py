"""A whole folder: its collections, its datasets and its `server.yaml`, or all mistakes of all files at once."""

import os
from collections.abc import Collection as Names
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import labs_mock
from labs_mock.config.fault_warnings import plan_warnings
from labs_mock.config.server_file import FullServerFile, ServerFile, check_server, secrets_in
from labs_mock.errors import Problem, ScenarioError
from labs_mock.redaction import Redactor
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.scenario.compiled.scenario import Scenario, scoring_version
from labs_mock.scenario.files.folder import is_regular, read_regular
from labs_mock.scenario.files.known_files import shipped_files
from labs_mock.scenario.files.loader import SERVER, Collection, Loader
from labs_mock.scenario.files.paths import Mistake, Suggestion, texts

_NO_SERVER_FILE = ServerFile.model_construct()


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that a folder of files defines. Collections and scenarios are sorted by slug, datasets have their ids.

    `scoring_version` is in every response that has a reward (SV-1).
    `warnings` are about what can be loaded and was hardly meant.
    """

    collections: dict[str, Collection]
    datasets: dict[str, Dataset] = field(default_factory=dict)
    server: ServerFile = _NO_SERVER_FILE
    warnings: tuple[Problem, ...] = ()
    scoring_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scoring_version", scoring_version(self.scenarios))

    @property
    def scenarios(self) -> list[Scenario]:
        """All scenarios of all collections."""
        return [scenario for collection in self.collections.values() for scenario in collection.scenarios.values()]

    def with_scenario(self, scenario: Scenario) -> "Library":
        """The same library with a scenario added or replaced; a collection that is new is named by its slug."""
        slug = scenario.collection
        group = self.collections.get(slug) or Collection(slug, slug, "", {})
        scenarios = dict(sorted({**group.scenarios, scenario.slug: scenario}.items()))
        collections = {**self.collections, slug: replace(group, scenarios=scenarios)}
        return replace(self, collections=dict(sorted(collections.items())))


def shipped_library() -> Path:
    """The folder of the scenarios that come with the package."""
    package = Path(labs_mock.__file__).parent
    installed = package / "library"
    return installed if installed.is_dir() else package.parent.parent / "scenarios"


def load_library(folder: Path) -> Library:
    """Load a folder. Raises `ScenarioError` with the mistakes in it."""
    loader = Loader(folder, known=shipped_files() if folder == shipped_library() else None)
    library = read_library(loader)
    loader.problems.complain()
    return library


def load_scenarios(folder: Path) -> Library:
    """Load the scenarios of a folder, and neither its datasets nor `server.yaml`. Raises `ScenarioError`."""
    loader = Loader(folder)
    library = Library(loader.read_collections()) if loader.check_is_library() else Library({})
    mask_keys(loader)
    loader.problems.complain()
    return library


def read_library(loader: Loader) -> Library:
    """All of a loader's folder that has no mistakes; these, and warnings, are in the loader."""
    if not loader.check_is_library():
        return Library({})
    collections = loader.read_collections()
    datasets = loader.read_datasets()
    server = read_server(loader, datasets)
    if not loader.scenarios and not loader.problems.count:
        loader.add_problem(loader.folder, "no scenarios in this folder", "expected <collection>/<scenario>.yaml")
    mask_keys(loader)
    return Library(collections, datasets, server or _NO_SERVER_FILE, tuple(loader.warnings.kept))


def read_server(loader: Loader, datasets: Names[str]) -> ServerFile | None:
    """The `server.yaml` of a folder whose scenarios were read, if it has one without mistakes; datasets by their ids."""
    path, known = loader.folder / SERVER, dict.fromkeys(name.partition("/")[0] for name in loader.scenarios)

    def check(data: dict[str, Any]) -> Iterator[Mistake]:
        yield from check_server(data)
        for place, name in texts(data, "keys.*.subscriptions.*") if loader.complete else ():
            if name not in known:
                yield Mistake(place, f"unknown collection '{name}'", Suggestion(name, known))

    def warn(data: dict[str, Any]) -> Iterator[Mistake]:
        named = [name.partition("/") for name in loader.scenarios]
        scenarios = [(collection, slug) for collection, _, slug in named]
        return plan_warnings(data, scenarios, datasets) if loader.complete else iter(())

    return loader.read_model(path, FullServerFile, check, warn) if os.path.lexists(path) else None


def mask_keys(loader: Loader) -> None:
    """Make every key of the folder's `server.yaml` unreadable in the loader's problems and warnings."""
    path = loader.folder / SERVER
    if not (loader.problems.kept or loader.warnings.kept) or not is_regular(path):
        return
    try:
        text = read_regular(path, SERVER).decode("utf-8", "replace")
    except ScenarioError:  # already among the problems; and then nothing of the file can be shown
        return
    redact = Redactor((), secrets_in(text))
    for found in (loader.problems, loader.warnings):
        found.kept = [
            replace(one, message=redact(one.message), expected=redact(one.expected), source=redact(one.source))
            for one in found.kept
        ]
