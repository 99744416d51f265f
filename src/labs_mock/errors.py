"""Every exception that labs-mock raises on purpose.

::

    LabsMockError
    ├── SettingsError            a setting that cannot be used (exit code 2)
    ├── ScenarioError            files with mistakes, all of them at once (exit code 1 or 2)
    ├── StartError               the server could not start (exit code 3)
    ├── SessionError             a saved session that cannot be read (exit code 2)
    ├── Conflict                 a commit expects what is no longer so
    ├── StaleEpoch               there was a reset of everything since a request arrived
    └── RequestError             a response other than 200; the class has its status
        ├── BadRequest           400
        ├── Unauthorized         401
        ├── Forbidden            403
        ├── NotFound             404
        ├── MethodNotAllowed     405
        ├── BodyTooLarge         413
        ├── RateLimited          429
        ├── HeadTooLarge         431
        ├── InternalError        500
        ├── Faulted              500
        ├── TooManyPages         503
        └── StoreUnavailable     503
            └── StoreFull        503

The message of a `RequestError` is sent to the client as it is (ERR-1), so it never contains a key, a
stack trace or more than a few words of input.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from labs_mock.escapes import printable


class LabsMockError(Exception):
    """The root of the tree."""


class SettingsError(LabsMockError):
    """A setting has a value that cannot be used; the message names it and the values that can."""


class StartError(LabsMockError):
    """The server could not start, for instance because its port is taken."""


class SessionError(LabsMockError):
    """A file cannot be read as a saved session; the message names it, the line in it and what is wrong."""


class Conflict(LabsMockError):
    """A commit expects what is no longer so: the episode has other turns, has ended or is gone, or the new id is taken.

    Nothing was changed. The request loads and computes again, or takes the next id; no client sees this.
    """


class StaleEpoch(LabsMockError):
    """There was a reset of everything since a request arrived. Nothing was changed; it starts again, and no client sees this."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file.

    `line` and `column` count from 1; `source` is the line itself; `expected` describes what would be
    right, and is empty where the message alone does.
    """

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    source: str = ""

    def text(self, kind: str = "") -> str:
        """For a person: place and message, the line with a mark below, and what was expected.

        Nothing in it can move the cursor of a terminal or turn its text around. `kind` stands before the message.
        """
        file, message, expected = (printable(text, keep="") for text in (self.file, self.message, self.expected))
        parts = [f"{file}:{self.line}:{self.column}: {kind and f'{kind}: '}{message}"]
        if self.source.strip():
            before, after = _window(self.source, self.column)
            number = f"  {self.line:>5}"
            parts.append(f"{number} | {before}{after}")
            parts.append(f"{' ' * len(number)} | {' ' * len(before)}^")
        if expected:
            parts.append(f"        = {expected}")
        return "\n".join(parts)

    def __str__(self) -> str:
        return self.text()


def _window(source: str, column: int, width: int = 120) -> tuple[str, str]:
    """The surroundings of a column of a line: the part before it, and the part from it on."""
    at = column - 1
    start = max(0, at - width // 2) if len(source) > width else 0
    return printable(source[start:at], keep=""), printable(source[at : start + width], keep="")


class ScenarioError(LabsMockError):
    """One or more mistakes in scenario, dataset, collection or server files.

    `problems` are sorted by their places; `more` counts those that were found and left out.
    """

    def __init__(self, problems: Iterable[Problem], more: int = 0) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column, problem.message))
        )
        self.more = more
        super().__init__("\n".join([*map(str, self.problems), *([f"and {more:,} more"] if more else ())]))


MAX_IN_FILE, MAX_KEPT = 20, 200


@dataclass(slots=True)
class Problems:
    """Problems as they are found. The first ones are kept, since nobody reads thousands; `more` counts the rest."""

    kept: list[Problem] = field(default_factory=list)
    more: int = 0
    files: set[str] = field(default_factory=set)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.kept) + self.more

    @property
    def room(self) -> int:
        """How many of another file would be kept."""
        return min(MAX_IN_FILE, MAX_KEPT - len(self.kept))

    def add(self, file: str, problems: Iterable[Problem], more: int = 0) -> None:
        """Add the problems of a file, in the order of their importance, and the number of those that are left out."""
        found = list(problems)
        room = self.room
        self.kept += found[:room]
        self.more += more + len(found[room:])
        if found or more:
            self.files.add(file)

    def complain(self) -> None:
        """Raises `ScenarioError` if there are any."""
        if self.count:
            raise ScenarioError(self.kept, self.more)


class RequestError(LabsMockError):
    """A response other than success: `status` and a `message` for the error envelope (ERR-1)."""

    status = 500

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class BadRequest(RequestError):
    """The request does not keep the contract (GEN-3, GEN-6, ERR-2)."""

    status = 400


class Unauthorized(RequestError):
    """No valid key (AUTH-1)."""

    status = 401


class Forbidden(RequestError):
    """A valid key without a subscription (AUTH-2)."""

    status = 403


class NotFound(RequestError):
    """Unknown path, collection, scenario or episode."""

    status = 404


class MethodNotAllowed(RequestError):
    """A known path with another method; `allow` lists its methods (GEN-3)."""

    status = 405

    def __init__(self, allow: str) -> None:
        self.allow = allow
        super().__init__(f"Method not allowed; use {allow}")


class BodyTooLarge(RequestError):
    """A body above the size limit (GEN-3)."""

    status = 413


class RateLimited(RequestError):
    """The quota of this minute is used up (RL-2)."""

    status = 429


class HeadTooLarge(RequestError):
    """A head above the size limit, or with too many fields (GEN-3)."""

    status = 431


class InternalError(RequestError):
    """A defect of the mock itself; the traceback is in its log and nowhere else."""

    status = 500


class Faulted(RequestError):
    """An error that the fault plan injects, 500 or another."""

    status = 500

    def __init__(self, message: str, status: int = 500) -> None:
        self.status = status
        super().__init__(message)


class TooManyPages(RequestError):
    """So many pages follow what happens that no other one can."""

    status = 503


class StoreUnavailable(RequestError):
    """The store that the state is in does not answer in time (GEN-2). Whether the request was applied is not known."""

    status = 503


class StoreFull(StoreUnavailable):
    """It is full, and has changed nothing; a reset makes room."""
