"""The fixtures: the server of a session, and what a test gets of it."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from labs_mock.extras import to_install
from labs_mock.pytest_plugin.open_world import OPEN_WORLD, OpenWorld, result_or_fail
from labs_mock.pytest_plugin.options import SETTINGS, options_of, origin_of_faults, session_option

if TYPE_CHECKING:
    import httpx
    from starlette.types import ASGIApp

    from labs_mock.serving.thread import ServerThread
    from labs_mock.serving.worlds import WorldParts
    from labs_mock.testing.followed_time import FollowedTime
    from labs_mock.testing.handle import LabsMock


NO_APP = (
    "labs_mock_app: connections to the state in Redis are in the loop of the server, not of the test; "
    'use a client of labs_mock.url, or write @pytest.mark.labs_mock(state="") for a state in memory'
)


@pytest.fixture(scope="session")
def labs_mock_scenarios(pytestconfig: pytest.Config) -> Path | str | None:
    """The folder of scenarios; override it to use your own. None is the shipped library."""
    folder: Path | None = session_option(pytestconfig, "scenarios")
    return folder


@pytest.fixture(scope="session")
def labs_mock_settings(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Settings of the server by name, as `labs-mock serve` has them; override it to use your own."""
    options = {name: session_option(pytestconfig, name) for name in SETTINGS}
    return {name: value for name, value in options.items() if value is not None}


@pytest.fixture(scope="session")
def _labs_mock_world_parts(pytestconfig: pytest.Config) -> Callable[..., "WorldParts"]:
    """Makes the parts of a world of a folder and settings, with a test's key or without. A folder is read once a session.

    The namespace of its state is of this session, this worker of pytest-xdist and this world alone.
    """
    from labs_mock.config.library import load_library, shipped_library
    from labs_mock.serving.own_namespace import own_namespace, with_access
    from labs_mock.serving.worlds import world_parts

    libraries = cache(load_library)
    worker = getattr(pytestconfig, "workerinput", {}).get("workerid", "pytest")

    def make(folder: Path | str | None, settings: dict[str, Any], *of_a_test: Any) -> "WorldParts":
        library = libraries(shipped_library() if folder is None else Path(folder).resolve())
        settings = with_access({"clock": "frozen", "port": 0, **settings})
        return world_parts(library, settings, *of_a_test, namespace=own_namespace(settings, worker))

    return lambda *arguments: result_or_fail(lambda: make(*arguments))


@pytest.fixture(scope="session")
def _labs_mock_thread(
    _labs_mock_world_parts: Callable[..., "WorldParts"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator["ServerThread"]:
    from labs_mock.serving.thread import ServerThread

    parts = _labs_mock_world_parts(labs_mock_scenarios, labs_mock_settings)
    server = result_or_fail(lambda: ServerThread(parts))
    result_or_fail(server.start)
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
    _labs_mock_world_parts: Callable[..., "WorldParts"],
    labs_mock_scenarios: Path | str | None,
    labs_mock_settings: dict[str, Any],
) -> Iterator[OpenWorld]:
    from labs_mock.testing.handle import LabsMock
    from labs_mock.testing.watched_store import WatchedStore

    options = result_or_fail(lambda: options_of(request.node))
    settings = {**labs_mock_settings, **{name: options[name] for name in SETTINGS if name in options}}
    key = _labs_mock_thread.new_key()
    parts = _labs_mock_world_parts(options.get("scenarios", labs_mock_scenarios), settings, key)
    watch = partial(WatchedStore, key=key, own_plan="plan" in options)
    world = result_or_fail(lambda: _labs_mock_thread.open(parts, key, watch))
    mock = LabsMock(url=_labs_mock_thread.url, api_key=key, control_token=world.settings.control_token).start()
    store = cast("WatchedStore", world.store)
    open_world = OpenWorld(_labs_mock_thread, world, store, mock, options, origin_of_faults(request.node))
    request.node.stash[OPEN_WORLD] = open_world
    yield open_world
    _labs_mock_thread.close()
    del request.node.stash[OPEN_WORLD]  # pytest keeps its items


@pytest.fixture
def labs_mock(_labs_mock_open_world: OpenWorld) -> "LabsMock":
    """The server with a world and a key of this test alone, as its marker and the options have it."""
    mock, options = _labs_mock_open_world.mock, _labs_mock_open_world.options
    result_or_fail(lambda: [mock.add_dataset(dataset) for dataset in options["datasets"]])
    result_or_fail(lambda: [mock.add_fault(**fault) for fault in options["faults"]])
    warnings = [warning for fault in mock.faults() for warning in fault.warnings] if options["faults"] else []
    if warnings:
        pytest.fail(f"labs-mock: a fault that would never happen: {warnings[0]}", pytrace=False)
    return mock


@pytest.fixture
def labs_mock_app(labs_mock: "LabsMock", _labs_mock_open_world: OpenWorld) -> "ASGIApp":  # noqa: ARG001 - with its faults and datasets
    """The ASGI application of the same world, for transports without a socket; its state must be in memory."""
    if _labs_mock_open_world.world.settings.state:
        pytest.fail(f"labs-mock: {NO_APP}", pytrace=False)
    return _labs_mock_open_world.server.app


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
        pytest.fail(f"labs_mock_client needs httpx: {to_install('pytest')}", pytrace=False)
    import httpx

    from labs_mock.testing.own_connections import OwnConnections

    url, headers = f"{labs_mock.url}/api/v1", {"Authorization": f"Bearer {labs_mock.api_key}"}
    with httpx.Client(base_url=url, headers=headers, transport=OwnConnections(), trust_env=False) as client:
        yield client


@pytest.fixture
def labs_mock_time(labs_mock: "LabsMock", _labs_mock_open_world: OpenWorld) -> Iterator["FollowedTime"]:  # noqa: ARG001 - with its faults and datasets
    """The test's time follows the mock's clock: `time` and `datetime` read it, sleeps move it; it needs time-machine."""
    if find_spec("time_machine") is None:
        pytest.fail(f"labs_mock_time needs time-machine: {to_install('pytest')}", pytrace=False)
    from labs_mock.testing.followed_time import FollowedTime

    test = _labs_mock_open_world
    with FollowedTime(test.server, test.store, test.fail) as followed:
        yield followed
