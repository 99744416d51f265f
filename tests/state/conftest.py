"""Each implementation of `Store`, for the tests that are written against it."""

from collections.abc import Iterator

import pytest

from labs_mock.state.bounds import Bounds
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.store import InitialState, Store
from tests.state.redis_server import MISSING, RedisStores, redis_is_installed, redis_stores
from tests.state.samples import Make, initial
from tests.state.suspending import suspending


def memory(state: InitialState | None = None, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple
    """A store in memory."""
    return MemoryStore(state or initial(), bounds)


def suspending_memory(state: InitialState | None = None, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple
    """The same, as one that suspends and serialises."""
    return suspending(memory(state, bounds))


@pytest.fixture(scope="session")
def stores_in_redis() -> Iterator[RedisStores]:
    """A Redis for all tests of this process, if one is installed."""
    if not redis_is_installed():
        pytest.skip(MISSING)
    with redis_stores() as stores:
        yield stores


@pytest.fixture(
    scope="session", params=["memory", "suspending", pytest.param("redis", marks=pytest.mark.slow)], ids=str
)
def make(request: pytest.FixtureRequest) -> Make:
    """Makes stores of one kind."""
    if request.param == "redis":
        stores: RedisStores = request.getfixturevalue("stores_in_redis")
        return stores.make
    return {"memory": memory, "suspending": suspending_memory}[request.param]
