"""Each implementation of `Store`, for the tests that are written against it."""

import pytest

from labs_mock.state.bounds import Bounds
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.store import InitialState, Store
from tests.state.samples import Make, initial
from tests.state.suspending import suspending


def memory(state: InitialState | None = None, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple
    """A store in memory."""
    return MemoryStore(state or initial(), bounds)


def suspending_memory(state: InitialState | None = None, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple
    """The same, as one that suspends and serialises."""
    return suspending(memory(state, bounds))


@pytest.fixture(scope="session", params=[memory, suspending_memory], ids=["memory", "suspending"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes stores of one kind."""
    maker: Make = request.param
    return maker
