"""Options and arguments that several commands have, and the settings that they name."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from labs_mock.config.library import load_scenarios, shipped_library
from labs_mock.config.settings import PREFIX, from_environment, from_options, settings_from
from labs_mock.errors import LabsMockError, NotFound, SettingsError
from labs_mock.scenario.compiled.scenario import Scenario, scoring_version
from labs_mock.scenario.files.folder import MAX_BYTES, read_regular
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.text import did_you_mean

ExistingFolder = click.Path(path_type=Path, file_okay=False, exists=True)


def named_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that options name, and those that the environment names beside them. Raises `SettingsError`."""
    return {**from_environment(os.environ), **from_options(options)}


def scenario_folder(named: Mapping[str, Any]) -> Path:
    """The folder of scenarios among some settings, or the shipped library. Raises `SettingsError` if it does not exist."""
    folder = settings_from(named).scenarios
    if folder is not None and not folder.is_dir():  # click has checked options: this is the variable
        raise SettingsError(f"{PREFIX}SCENARIOS: no such folder: {folder}")
    return folder or shipped_library()


def find_scenario(name: str, folder: Path) -> tuple[Scenario, str]:
    """A scenario by `<collection>/<slug>` in a folder, or a YAML file.

    With the scoring version of a server of that folder, or of that file alone (SV-1).

    Raises `ScenarioError` for files with mistakes and `NotFound` for an unknown slug.
    """
    path = Path(name)
    if path.suffix == ".yaml":
        text = read_regular(path, name, MAX_BYTES + 1)
        alone = parse_scenario(text, file=path.name, collection=path.resolve().parent.name)
        return alone, scoring_version([alone])
    library = load_scenarios(folder)
    for scenario in library.scenarios:
        if f"{scenario.collection}/{scenario.slug}" == name:
            return scenario, library.scoring_version
    known = [f"{one.collection}/{one.slug}" for one in library.scenarios]
    raise NotFound(f"no scenario {name[:80]!r}; {did_you_mean(name, known)}")


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises `LabsMockError` that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabsMockError(f"{path}: {error.strerror}") from None


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1,000 scenarios`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
