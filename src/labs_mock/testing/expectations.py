"""`expect`: a block of a test in which requests are meant to be refused."""

from fnmatch import fnmatchcase
from types import TracebackType
from typing import TYPE_CHECKING

from labs_mock.contract.control import Json
from labs_mock.testing.assertions import UndecidableError, oldest_dropped
from labs_mock.testing.control_client import ControlClient
from labs_mock.testing.recorded import RecordedRequest

if TYPE_CHECKING:
    from labs_mock.state.record import Record  # which loads what only the server needs


class Expectation:
    """Requests that the server receives while a block is open, with a status, a path (with *) and a method, or any.

    They are known by their numbers in the journal, which the block notes where it begins and where it ends.
    """

    def __init__(self, control: ControlClient, status: int, path: str | None, method: str | None) -> None:
        self.status, self.path, self.method = status, path, method and method.upper()
        self._control = control
        self._after: int | None = None
        self._until: int | None = None

    def __enter__(self) -> None:
        """Open the block."""
        self._after, self._until = _newest(self._journal(limit=0)), None

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the block. Raises `AssertionError` if no request matched, also where an error of the client leaves the block."""
        __tracebackhide__ = True
        if raised is not None and not isinstance(raised, Exception):  # the test is skipped, or the run interrupted
            return
        filters = {"status": self.status, "path": self.path, "method": self.method, "after": self._after}
        found = self._journal(**filters, limit=0)
        self._until = _newest(self._journal(limit=0))
        if found["count"]:
            return
        if found["dropped"] > (self._after or 0):
            raise UndecidableError(f"undecidable: {oldest_dropped(found['dropped'], 'request')}")
        request = " ".join(filter(None, [self.method, "request", self.path and f"to {self.path}"]))
        raise AssertionError(f"expect: no {request} was answered {self.status} while the block was open")

    def covers(self, request: "Record | RecordedRequest") -> bool:
        """Whether a request is one of those."""
        return (
            self._after is not None
            and self._after < request.number
            and (self._until is None or request.number <= self._until)
            and request.status == self.status
            and (self.path is None or fnmatchcase(request.path, self.path))
            and self.method in (None, request.method)
        )

    def forget(self) -> None:
        """The journal is empty: its numbers begin again."""
        if self._after is not None:
            self._after = 0
        if self._until is not None:
            self._until = 0

    def _journal(self, **filters: object) -> Json:
        return self._control.get("/requests", filters)


def _newest(journal: Json) -> int:
    """The number of the newest request, of a journal that was read without filters."""
    return int(journal["count"]) + int(journal["dropped"])
