"""The test world that is open, as fixtures and hooks share it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from labs_mock.errors import LabsMockError

if TYPE_CHECKING:
    from labs_mock.serving.thread import ServerThread
    from labs_mock.state import World
    from labs_mock.testing.handle import LabsMock
    from labs_mock.testing.watched_store import WatchedStore


@dataclass(frozen=True, slots=True)
class OpenWorld:
    """The test world that is open, with its server, its store, the test's handle on it, and the options of the test.

    `origin` says where its `faults` are written if other tests share them (`origin_of_faults`). `failures` are
    what the test fails for even where nobody noticed, such as in a thread of its own.
    """

    server: "ServerThread"
    world: "World"
    store: "WatchedStore"
    mock: "LabsMock"
    options: dict[str, Any]
    origin: str | None
    failures: list[str] = field(default_factory=list)

    def fail(self, reason: str) -> NoReturn:
        """Fail the test, now or at its end."""
        self.failures.append(f"labs-mock: {reason}")
        pytest.fail(self.failures[-1], pytrace=False)


OPEN_WORLD = pytest.StashKey[OpenWorld]()


def result_or_fail(make: Callable[[], Any]) -> Any:
    """What a function returns, or the test fails with the message of its error, and without a traceback."""
    try:
        return make()
    except LabsMockError as error:
        message = str(error)
    pytest.fail(f"labs-mock: {message}", pytrace=False)
