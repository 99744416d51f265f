"""Fixtures and Hypothesis profiles."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import support
from tests.installing import build_wheel
from tests.support import Live, live, world

pytest_plugins = ["pytester"]

settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("default"), derandomize=False, max_examples=2_000)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--store`: what the servers of this run keep their state in; the tests of the store itself try all of them."""
    parser.addoption(
        "--store", choices=("memory", "suspending", "redis"), default="memory", help="store of the tests' servers"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let every world of this process have the chosen store."""
    chosen = config.getoption("--store")
    if chosen == "memory":
        return
    from labs_mock.state import world  # noqa: PLC0415 - only now, since it is not light

    if chosen == "suspending":
        from tests.state.conftest import suspending_memory as make  # noqa: PLC0415
    else:
        from tests.state.redis_server import redis_stores  # noqa: PLC0415

        opened = ExitStack()
        config.add_cleanup(opened.close)
        make = opened.enter_context(redis_stores()).make
    world.MemoryStore = support.MemoryStore = make  # type: ignore[assignment, attr-defined]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[Live]:
    """One server a test module, over a world with the small claim scenario."""
    with live(world()) as running:
        yield running


@pytest.fixture
def server(shared_server: Live) -> Live:
    """The module's server, with its world as new."""
    shared_server.reset()
    return shared_server


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))
