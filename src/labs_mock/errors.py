"""Every exception that labs-mock raises on purpose.

::

    LabsMockError
    ├── SettingsError            a setting that cannot be used (exit code 2)
    ├── ScenarioError            files with mistakes, all of them at once (exit code 1 or 2)
    ├── StartError               the server could not start (exit code 3)
    └── RequestError             an answer other than 200; the class holds its status
        ├── BadRequest           400
        ├── Unauthorized         401
        ├── Forbidden            403
        ├── NotFound             404
        ├── MethodNotAllowed     405
        ├── BodyTooLarge         413
        ├── RateLimited          429
        ├── InternalError        500
        └── Faulted              500

The message of a `RequestError` is sent to the client as it is (ERR-1), so it never holds a key, a
stack trace or more than a few words of input.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class LabsMockError(Exception):
    """The root of the tree."""


class SettingsError(LabsMockError):
    """A setting has a value that cannot be used; the message names it and says what to give."""


class StartError(LabsMockError):
    """The server could not start, for instance because its port is taken."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in one file.

    `line` and `column` count from 1; `source` is the line itself; `expected` says what would be
    right, and is empty where the message alone says it.
    """

    file: str
    line: int
    column: int
    message: str
    expected: str = ""
    source: str = ""

    def __str__(self) -> str:
        parts = [f"{self.file}:{self.line}:{self.column}: {self.message}"]
        if self.source.strip():
            text, column = _window(self.source, self.column)
            number = f"  {self.line:>5}"
            parts.append(f"{number} | {text}")
            parts.append(f"{' ' * len(number)} | {' ' * (column - 1)}^")
        if self.expected:
            parts.append(f"        = {self.expected}")
        return "\n".join(parts)


def _window(source: str, column: int, width: int = 120) -> tuple[str, int]:
    """The part of a long line that surrounds its column."""
    if len(source) <= width:
        return source, column
    start = max(0, column - 1 - width // 2)
    return source[start : start + width], column - start


class ScenarioError(LabsMockError):
    """One or more mistakes in scenario, dataset, collection or server files."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(
            sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column, problem.message))
        )
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RequestError(LabsMockError):
    """An answer other than success: `status` and a `message` for the error envelope (ERR-1)."""

    status = 500

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class BadRequest(RequestError):
    """The request is not what the contract offers (GEN-3, GEN-6, ERR-2)."""

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
    """A known path and another method; `allow` lists those that it has (GEN-3)."""

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


class InternalError(RequestError):
    """A defect of the mock itself; the traceback is in its log and nowhere else."""

    status = 500


class Faulted(RequestError):
    """An error that the fault plan asks for, 500 or another."""

    status = 500

    def __init__(self, message: str, status: int = 500) -> None:
        self.status = status
        super().__init__(message)
