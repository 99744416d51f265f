"""The pytest plugin: fixtures, the marker `labs_mock`, options, and the report on the requests of a test.

Nothing heavy is imported at module level: a test run that uses no fixture pays next to nothing.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from labs_mock.conformance.options import add_to_pytest
from labs_mock.contract.limits import PLAN_NAMES
from labs_mock.errors import LabsMockError

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

    from labs_mock.serving.thread import ServerThread
    from labs_mock.state import World
    from labs_mock.testing.handle import LabsMock

NAMES = ("labs_mock", __name__)
"""The names of the plugin: that of its entry point, and that of its module, in `pytest_plugins` and after `-p`."""
FINDINGS = ("error", "warn", "ignore")


class LabsMockWarning(pytest.PytestWarning):
    """Findings of a test whose `findings` are "warn"."""


@dataclass(frozen=True, slots=True)
class PluginOption:
    """An argument of the marker, which is also `--labs-mock-<name>` and, in the ini file, `labs_mock_<name>`."""

    name: str
    help: str
    several: bool = False


OPTIONS = (
    PluginOption("scenarios", "folder of scenarios; without it, the shipped library"),
    PluginOption("seed", "what ids and all choices at random start from (default: 0)"),
    PluginOption("plan", f"plan of the test's key: {PLAN_NAMES} (default)"),
    PluginOption("clock", "frozen (default), frozen:<ISO time>, real or x<number>"),
    PluginOption("canary", "true: rewards whose last bits identify the conversation (default: false)"),
    PluginOption(
        "faults", "faults, each as a line of YAML such as {path: /api/v1/evaluate, every: 2, status: 503}", several=True
    ),
    PluginOption("datasets", "datasets, each as a line of YAML or the path of a file", several=True),
    PluginOption("findings", "effect of a finding that is a warning on its test: error (default), warn or ignore"),
)
SETTINGS = ("seed", "plan", "clock", "canary")
SEVERAL = [option.name for option in OPTIONS if option.several]


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """The test world that is open, with its server, its key and the options of the test."""

    server: "ServerThread"
    world: "World"
    key: str
    options: dict[str, Any]


OPEN_WORLD = pytest.StashKey[OpenWorld]()


# Options and the marker


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
        group.addoption(f"--labs-mock-{option.name}", dest=name, action=action, default=None, help=option.help)
        kind: Literal["linelist", "string"] = "linelist" if option.several else "string"
        parser.addini(name, option.help, kind)
    add_to_pytest(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    names = ", ".join(f"{option.name}=…" for option in OPTIONS)
    config.addinivalue_line("markers", f"labs_mock({names}): options of the labs-mock server for a test")


def _test_options(item: pytest.Item) -> dict[str, Any]:
    """The options of a test: from the marker, else the command line, else the ini file. Raises `LabsMockError` for bad ones."""
    options = {"faults": [], "datasets": [], "findings": "error"}
    for name in options:
        if (value := _session_option(item.config, name)) is not None:
            options[name] = value
    options |= {
        name: _read_option(name, value, item.config.rootpath) for name, value in _marker_arguments(item).items()
    }
    _check_word("findings", options["findings"], FINDINGS)
    return options


def _session_option(config: pytest.Config, name: str) -> Any:
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


# Fixtures


@pytest.fixture(scope="session")
def labs_mock_scenarios(pytestconfig: pytest.Config) -> Path | str | None:
    """The folder of scenarios; override it to use your own. None is the shipped library."""
    folder: Path | None = _session_option(pytestconfig, "scenarios")
    return folder


@pytest.fixture(scope="session")
def labs_mock_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Settings of the server by name, as `labs-mock serve` has them; override it to use your own."""
    options = {name: _session_option(pytestconfig, name) for name in SETTINGS}
    return {name: value for name, value in options.items() if value is not None}


@pytest.fixture(scope="session")
def _labs_mock_make_world() -> Callable[..., "World"]:
    """Makes a world of a folder and settings, with the key of a test or without. A folder is read once a session."""
    from labs_mock.config.library import load_library, shipped_library
    from labs_mock.serving.worlds import make_world

    libraries = cache(load_library)

    def make(folder: Path | str | None, settings: dict[str, Any], key: str | None = None) -> "World":
        library = libraries(shipped_library() if folder is None else Path(folder).resolve())
        return make_world(library, {"clock": "frozen", "port": 0, **settings}, key)

    return lambda *arguments: _result_or_fail(lambda: make(*arguments))


@pytest.fixture(scope="session")
def _labs_mock_thread(
    _labs_mock_make_world: Callable[..., "World"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator["ServerThread"]:
    from labs_mock.serving.thread import ServerThread

    world = _labs_mock_make_world(labs_mock_scenarios, labs_mock_settings)
    server = _result_or_fail(lambda: ServerThread(world))
    _result_or_fail(server.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def labs_mock_server(_labs_mock_thread: "ServerThread") -> "LabsMock":
    """The server of the whole session, on a port of its own; while a test has `labs_mock`, that test's world responds."""
    from labs_mock.testing.handle import LabsMock

    world = _labs_mock_thread.world
    token = world.settings.control_token
    return LabsMock(url=_labs_mock_thread.url, api_key=world.first_key, control_token=token).start()


@pytest.fixture
def _labs_mock_open_world(
    request: pytest.FixtureRequest,
    _labs_mock_thread: "ServerThread",
    _labs_mock_make_world: Callable[..., "World"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator[OpenWorld]:
    options = _result_or_fail(lambda: _test_options(request.node))
    settings = {**labs_mock_settings, **{name: options[name] for name in SETTINGS if name in options}}
    key = _labs_mock_thread.new_key()
    world = _labs_mock_make_world(options.get("scenarios", labs_mock_scenarios), settings, key)
    _labs_mock_thread.open(world, key)
    open_world = OpenWorld(_labs_mock_thread, world, key, options)
    request.node.stash[OPEN_WORLD] = open_world
    yield open_world
    _labs_mock_thread.close()
    del request.node.stash[OPEN_WORLD]  # pytest keeps its items


@pytest.fixture
def labs_mock(_labs_mock_thread: "ServerThread", _labs_mock_open_world: OpenWorld) -> "LabsMock":
    """The server with a world and a key of this test alone, as its marker and the options have it."""
    from labs_mock.testing.handle import LabsMock

    key, options = _labs_mock_open_world.key, _labs_mock_open_world.options
    token = _labs_mock_open_world.world.settings.control_token
    mock = LabsMock(url=_labs_mock_thread.url, api_key=key, control_token=token).start()
    _result_or_fail(lambda: [mock.add_dataset(dataset) for dataset in options["datasets"]])
    _result_or_fail(lambda: [mock.add_fault(**fault) for fault in options["faults"]])
    warnings = [warning for fault in mock.faults() for warning in fault.warnings] if options["faults"] else []
    if warnings:
        pytest.fail(f"labs-mock: a fault that would never happen: {warnings[0]}", pytrace=False)
    return mock


def _result_or_fail(make: Callable[[], Any]) -> Any:
    """What a function returns, or the test fails with the message of its error, and without a traceback."""
    try:
        return make()
    except LabsMockError as error:
        message = str(error)
    pytest.fail(f"labs-mock: {message}", pytrace=False)


@pytest.fixture
def labs_mock_app(labs_mock: "LabsMock", _labs_mock_thread: "ServerThread") -> "ASGIApp":  # noqa: ARG001 - with its faults and datasets
    """The ASGI application of the same world, for transports without a socket."""
    return _labs_mock_thread.app


@pytest.fixture
def labs_mock_env(labs_mock: "LabsMock", monkeypatch: pytest.MonkeyPatch) -> "LabsMock":
    """The environment that clients read: `LABS_URL`, and `LABS_API_KEY` and `LABS_KEY`, for the time of the test."""
    for name, value in (
        ("LABS_URL", labs_mock.url),
        ("LABS_API_KEY", labs_mock.api_key),
        ("LABS_KEY", labs_mock.api_key),
    ):
        monkeypatch.setenv(name, value)
    return labs_mock


@pytest.fixture
def labs_mock_client(labs_mock: "LabsMock") -> Iterator["httpx.Client"]:
    """An `httpx.Client` with the base URL `…/api/v1` and the test's key; it needs httpx."""
    if find_spec("httpx") is None:
        pytest.fail("labs_mock_client needs httpx: pip install httpx", pytrace=False)
    import httpx

    headers = {"Authorization": f"Bearer {labs_mock.api_key}"}
    with httpx.Client(
        base_url=f"{labs_mock.url}/api/v1",
        headers=headers,
        trust_env=False,
        verify=False,  # noqa: S501 - there are no certificates on this machine, and to read some takes 15 ms
    ) as client:
        yield client


# The report on a test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that has passed fails all the same for findings and unexpected errors of its requests."""
    result = yield
    if OPEN_WORLD in item.stash:
        _report_findings(item, item.stash[OPEN_WORLD])
    return result


def _report_findings(item: pytest.Item, test: OpenWorld) -> None:
    from labs_mock.testing.request_report import failures_in, warnings_in

    failures = test.server.result_of(failures_in(test.world))
    findings = test.server.result_of(warnings_in(test.world))
    if failures:
        pytest.fail(
            "\n".join(["labs-mock answered 500 where no fault and no dataset asked for it:", *failures]), pytrace=False
        )
    text = "\n".join(["labs-mock has findings, which the real service would take silently:", *findings])
    if findings and test.options["findings"] == "error":
        pytest.fail(f'{text}\n(findings="warn" or "ignore" in the marker labs_mock lets them pass)', pytrace=False)
    if findings and test.options["findings"] == "warn":
        item.warn(LabsMockWarning(text))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed shows its last requests."""
    report = yield
    if OPEN_WORLD in item.stash and report.failed:
        from labs_mock.testing.request_report import summary

        test = item.stash[OPEN_WORLD]
        report.sections.append(("labs-mock", test.server.result_of(summary(test.world))))
    return report
