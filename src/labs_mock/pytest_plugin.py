"""The pytest plugin: fixtures, the marker `labs_mock`, options, and what a test is told of its requests.

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
"""What the plugin can be called: by its entry point, or by its module in `pytest_plugins` and after `-p`."""
FINDINGS = ("error", "warn", "ignore")


class LabsMockWarning(pytest.PytestWarning):
    """Findings of a test whose `findings` are "warn"."""


@dataclass(frozen=True, slots=True)
class PluginOption:
    """What can be said by the marker, as `--labs-mock-<name>`, or as `labs_mock_<name>` in the ini file."""

    name: str
    help: str
    several: bool = False


OPTIONS = (
    PluginOption("scenarios", "folder of scenarios; without it, the shipped library"),
    PluginOption("seed", "what ids and all choices at random start from (default: 0)"),
    PluginOption("plan", f"plan of the test's key: {PLAN_NAMES} (default)"),
    PluginOption("clock", "frozen (default), frozen:<ISO time>, real or x<number>"),
    PluginOption(
        "faults", "faults, each as a line of YAML such as {path: /api/v1/evaluate, every: 2, status: 503}", several=True
    ),
    PluginOption("datasets", "datasets, each as a line of YAML or the path of a file", several=True),
    PluginOption("findings", "what a finding that is a warning does to its test: error (default), warn or ignore"),
)
SETTINGS = ("seed", "plan", "clock")
SEVERAL = [option.name for option in OPTIONS if option.several]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a test has of the server."""

    world: "World"
    key: str
    asked: dict[str, Any]


VISIT = pytest.StashKey[Visit]()


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
    """Make the marker known."""
    names = ", ".join(f"{option.name}=…" for option in OPTIONS)
    config.addinivalue_line("markers", f"labs_mock({names}): how the server of labs-mock is for a test")


def _asked(item: pytest.Item) -> dict[str, Any]:
    """What marker, command line or ini file say for a test, in this order. Raises `LabsMockError` for what cannot be."""
    asked = {"faults": [], "datasets": [], "findings": "error"}
    asked |= {
        name: said for name in ("faults", "datasets", "findings") if (said := _option(item.config, name)) is not None
    }
    asked |= {name: _read(name, said, item.config.rootpath) for name, said in _marked(item).items()}
    _check("findings", asked["findings"], FINDINGS)
    return asked


def _option(config: pytest.Config, name: str) -> Any:
    """What the command line or else the ini file says; None if neither says anything."""
    if said := config.getoption(f"labs_mock_{name}"):
        return _read(name, said, config.invocation_params.dir)
    if said := config.getini(f"labs_mock_{name}"):
        return _read(name, said, config.rootpath)
    return None


def _read(name: str, said: Any, folder: Path) -> Any:
    """A value with its paths made absolute, and with objects instead of lines of YAML and names of files."""
    if name == "scenarios" and said is not None:
        if not isinstance(said, str | Path):
            raise LabsMockError(f"scenarios: expected a folder, got {said!r}")
        return folder / said
    if name in SEVERAL:
        if not isinstance(said, list | tuple) or not all(isinstance(one, str | dict) for one in said):
            raise LabsMockError(f"{name}: expected a list of objects")
        return [_object(name, one, folder) if isinstance(one, str) else one for one in said]
    return said


def _object(name: str, text: str, folder: Path) -> dict[str, Any]:
    """A mapping from a line of YAML, or from the file that it names."""
    from labs_mock.scenario.files.yaml_document import YamlDocument

    inline = text.lstrip().startswith("{")
    return YamlDocument(f"labs_mock_{name}", text).value if inline else YamlDocument.read(folder / text, text).value


def _marked(item: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say; the closest one counts. Raises `LabsMockError` for what they cannot say."""
    said: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("labs_mock"))):
        if mark.args:
            raise LabsMockError(f"marker labs_mock: expected names, such as labs_mock(seed=…), got {mark.args[0]!r}")
        said |= mark.kwargs
    for name in said:
        _check("marker labs_mock", name, [option.name for option in OPTIONS])
    return said


def _check(what: str, word: object, known: Sequence[str]) -> None:
    """Raises `LabsMockError` that says what is known."""
    from labs_mock.text import did_you_mean

    if word not in known:
        raise LabsMockError(f"{what}: unknown {word!r}; {did_you_mean(str(word), known)}")


# Fixtures


@pytest.fixture(scope="session")
def labs_mock_scenarios(pytestconfig: pytest.Config) -> Path | str | None:
    """The folder of scenarios; override it to use your own. None is the shipped library."""
    folder: Path | None = _option(pytestconfig, "scenarios")
    return folder


@pytest.fixture(scope="session")
def labs_mock_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Settings of the server by name, as `labs-mock serve` has them; override it to use your own."""
    said = {name: _option(pytestconfig, name) for name in SETTINGS}
    return {name: value for name, value in said.items() if value is not None}


@pytest.fixture(scope="session")
def _labs_mock_world() -> Callable[..., "World"]:
    """Makes worlds. A folder is read once a session."""
    from labs_mock.config.library import load_library, shipped_library
    from labs_mock.serving.worlds import make_world

    libraries = cache(load_library)

    def make(folder: Path | str | None, settings: dict[str, Any], key: str | None = None) -> "World":
        library = libraries(shipped_library() if folder is None else Path(folder).resolve())
        return make_world(library, {"clock": "frozen", "port": 0, **settings}, key)

    return lambda *asked: _told(lambda: make(*asked))


@pytest.fixture(scope="session")
def _labs_mock_thread(
    _labs_mock_world: Callable[..., "World"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator["ServerThread"]:
    from labs_mock.serving.thread import ServerThread

    world = _labs_mock_world(labs_mock_scenarios, labs_mock_settings)
    server = _told(lambda: ServerThread(world))
    _told(server.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def labs_mock_server(_labs_mock_thread: "ServerThread") -> "LabsMock":
    """The server of the whole session, on a port of its own; while a test has `labs_mock`, that test's world answers."""
    from labs_mock.testing.handle import LabsMock

    world = _labs_mock_thread.world
    token = world.settings.control_token
    return LabsMock(url=_labs_mock_thread.url, api_key=world.first_key, control_token=token).start()


@pytest.fixture
def _labs_mock_visit(
    request: pytest.FixtureRequest,
    _labs_mock_thread: "ServerThread",
    _labs_mock_world: Callable[..., "World"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator[Visit]:
    asked = _told(lambda: _asked(request.node))
    settings = {**labs_mock_settings, **{name: asked[name] for name in SETTINGS if name in asked}}
    key = _labs_mock_thread.new_key()
    world = _labs_mock_world(asked.get("scenarios", labs_mock_scenarios), settings, key)
    _labs_mock_thread.open(world, key)
    visit = Visit(world, key, asked)
    request.node.stash[VISIT] = visit
    yield visit
    _labs_mock_thread.close()
    del request.node.stash[VISIT]  # pytest keeps its items


@pytest.fixture
def labs_mock(_labs_mock_thread: "ServerThread", _labs_mock_visit: Visit) -> "LabsMock":
    """The server with a world and a key of this test alone, as the marker says."""
    from labs_mock.testing.handle import LabsMock

    visit, asked = _labs_mock_visit, _labs_mock_visit.asked
    token = visit.world.settings.control_token
    mock = LabsMock(url=_labs_mock_thread.url, api_key=visit.key, control_token=token).start()
    _told(lambda: [mock.add_dataset(dataset) for dataset in asked["datasets"]])
    _told(lambda: [mock.add_fault(**fault) for fault in asked["faults"]])
    vain = [warning for fault in mock.faults() for warning in fault["warnings"]] if asked["faults"] else []
    if vain:
        pytest.fail(f"labs-mock: a fault that would never happen: {vain[0]}", pytrace=False)
    return mock


def _told(make: Callable[[], Any]) -> Any:
    """What is made, or the test fails with what went wrong, and without a traceback."""
    try:
        return make()
    except LabsMockError as error:
        said = str(error)
    pytest.fail(f"labs-mock: {said}", pytrace=False)


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


# What a test is told


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that has passed fails all the same for what its requests came to."""
    result = yield
    if VISIT in item.stash:
        _judge(item, item.stash[VISIT])
    return result


def _judge(item: pytest.Item, visit: Visit) -> None:
    from labs_mock.testing.judging import failures_in, warnings_in

    failures, findings = failures_in(visit.world), warnings_in(visit.world)
    if failures:
        pytest.fail(
            "\n".join(["labs-mock answered 500 where no fault and no dataset asked for it:", *failures]), pytrace=False
        )
    told = "\n".join(["labs-mock has findings, which the real service would take silently:", *findings])
    if findings and visit.asked["findings"] == "error":
        pytest.fail(f'{told}\n(findings="warn" or "ignore" in the marker labs_mock lets them pass)', pytrace=False)
    if findings and visit.asked["findings"] == "warn":
        item.warn(LabsMockWarning(told))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed shows its last requests."""
    report = yield
    if VISIT in item.stash and report.failed:
        from labs_mock.testing.judging import summary

        report.sections.append(("labs-mock", summary(item.stash[VISIT].world)))
    return report
