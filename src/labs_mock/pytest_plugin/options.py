"""The options: of the marker `labs_mock`, of the command line and of the ini file, and what they are for one test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from labs_mock.conformance.options import add_to_pytest
from labs_mock.contract.limits import PLAN_NAMES
from labs_mock.errors import LabsMockError

NAMES = ("labs_mock", "labs_mock.pytest_plugin")
"""The names of the plugin: that of its entry point, and that of its module, in `pytest_plugins` and after `-p`."""
EFFECTS = ("error", "warn", "ignore")
"""What a problem that is found after a test does to it."""


@dataclass(frozen=True, slots=True)
class PluginOption:
    """An argument of the marker, which is also `--labs-mock-<name>` and, in the ini file, `labs_mock_<name>`."""

    name: str
    help: str
    several: bool = False

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--labs-mock-{self.name.replace('_', '-')}"


OPTIONS = (
    PluginOption("scenarios", "folder of scenarios; without it, the shipped library"),
    PluginOption("seed", "what ids and all choices at random start from (default: 0)"),
    PluginOption("plan", f"plan of the test's key: {PLAN_NAMES} (default)"),
    PluginOption("clock", "frozen (default), frozen:<ISO time>, real or x<number>"),
    PluginOption("canary", "true: rewards whose last bits identify the conversation (default: false)"),
    PluginOption(
        "state", "the Redis that has the state, redis://host:port/0, rediss:// or unix://; without it, memory"
    ),
    PluginOption(
        "faults", "faults, each as a line of YAML such as {path: /api/v1/evaluate, every: 2, status: 503}", several=True
    ),
    PluginOption("datasets", "datasets, each as a line of YAML or the path of a file", several=True),
    PluginOption("findings", "effect of a finding that is a warning on its test: error (default), warn or ignore"),
    PluginOption("refusals", "effect of a refusal that nothing asked for on its test: error (default), warn or ignore"),
    PluginOption(
        "unused_faults",
        "effect of a fault that was never applied on its test or the run: error (default), warn or ignore",
    ),
)
SAVE = "--labs-mock-save"
SETTINGS = ("seed", "plan", "clock", "canary", "state")
EFFECT_OPTIONS = ("findings", "refusals", "unused_faults")
SEVERAL = [option.name for option in OPTIONS if option.several]


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Options of the command line and of the ini file.

    Pytest finds the plugin by its entry point, and again where somebody names its module: once is enough.
    """
    for name in NAMES:
        if not pluginmanager.has_plugin(name):
            pluginmanager.set_blocked(name)
    group = parser.getgroup("labs-mock", "labs-mock: a mock of the Labs API")
    for option in OPTIONS:
        name, action = f"labs_mock_{option.name}", "append" if option.several else "store"
        group.addoption(option.flag, dest=name, action=action, default=None, help=option.help)
        kind: Literal["linelist", "string"] = "linelist" if option.several else "string"
        parser.addini(name, option.help, kind)
    group.addoption(
        SAVE, dest="labs_mock_save", metavar="DIR", default=None, help="save the session of each failed test"
    )
    add_to_pytest(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    names = ", ".join(f"{option.name}=…" for option in OPTIONS)
    config.addinivalue_line("markers", f"labs_mock({names}): options of the labs-mock server for a test")


def options_of(item: pytest.Item) -> dict[str, Any]:
    """The options of a test: from the marker, else the command line, else the ini file. Raises `LabsMockError` for bad ones."""
    options = {"faults": [], "datasets": [], **dict.fromkeys(EFFECT_OPTIONS, "error")}
    for name in options:
        if (value := session_option(item.config, name)) is not None:
            options[name] = value
    options |= {
        name: _read_option(name, value, item.config.rootpath) for name, value in _marker_arguments(item).items()
    }
    for name in EFFECT_OPTIONS:
        _check_word(name, options[name], EFFECTS)
    return options


def origin_of_faults(item: pytest.Item) -> str | None:
    """Where the faults of a test are written, if other tests share them: a class, a module, the command line or the ini file.

    None for those of the test's own marker.
    """
    for node, mark in item.iter_markers_with_node("labs_mock"):
        if "faults" in mark.kwargs:
            return None if node is item else node.nodeid
    return "the command line" if item.config.getoption("labs_mock_faults") else "the ini file"


def save_folder(config: pytest.Config) -> Path | None:
    """Where the sessions of failed tests are saved; None if they are not."""
    folder = config.getoption("labs_mock_save")
    return None if folder is None else config.invocation_params.dir / folder


def session_option(config: pytest.Config, name: str) -> Any:
    """The value on the command line, else in the ini file; None if it stands in neither."""
    if value := config.getoption(f"labs_mock_{name}"):
        return _read_option(name, value, config.invocation_params.dir)
    if value := config.getini(f"labs_mock_{name}"):
        return _read_option(name, value, config.rootpath)
    return None


def _read_option(name: str, value: Any, folder: Path) -> Any:
    """A value with its paths made absolute, and with objects instead of lines of YAML and names of files."""
    if name == "scenarios" and value is not None:
        if not isinstance(value, str | Path):
            raise LabsMockError(f"scenarios: expected a folder, got {value!r}")
        return folder / value
    if name in SEVERAL:
        if not isinstance(value, list | tuple) or not all(isinstance(one, str | dict) for one in value):
            raise LabsMockError(f"{name}: expected a list of objects")
        return [_read_object(name, one, folder) if isinstance(one, str) else one for one in value]
    return value


def _read_object(name: str, text: str, folder: Path) -> dict[str, Any]:
    """An object from a line of YAML, or from the file that it names."""
    from labs_mock.scenario.files.yaml_document import YamlDocument

    inline = text.lstrip().startswith("{")
    return YamlDocument(f"labs_mock_{name}", text).value if inline else YamlDocument.read(folder / text, text).value


def _marker_arguments(item: pytest.Item) -> dict[str, Any]:
    """The arguments of the markers of a test; the closest marker counts. Raises `LabsMockError` for unknown names."""
    arguments: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("labs_mock"))):
        if mark.args:
            raise LabsMockError(f"marker labs_mock: expected names, such as labs_mock(seed=…), got {mark.args[0]!r}")
        arguments |= mark.kwargs
    for name in arguments:
        _check_word("marker labs_mock", name, [option.name for option in OPTIONS])
    return arguments


def _check_word(place: str, word: object, known: Sequence[str]) -> None:
    """Raises `LabsMockError` that names the known words if it is none of them."""
    from labs_mock.text import did_you_mean

    if word not in known:
        raise LabsMockError(f"{place}: unknown {word!r}; {did_you_mean(str(word), known)}")
