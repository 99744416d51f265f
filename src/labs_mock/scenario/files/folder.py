"""What of a folder of scenarios may be read: regular files, and links that do not lead out of it."""

import os
import stat
from pathlib import Path

from labs_mock.errors import Problem, ScenarioError

MAX_BYTES = 1024 * 1024  # of a YAML file


def read_regular(path: Path, name: str, limit: int | None = None) -> bytes:
    """The bytes of a file, at most `limit` of them. Raises `ScenarioError`, with this name, for what is no regular file.

    It never waits: a pipe that nobody writes to is refused like a device or a folder.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a device may already do something
            raise _refusal(
                name, "cannot be read: not a regular file", "expected a file, not a folder, pipe, socket or device"
            )
        with open(path, "rb", opener=_without_waiting) as file:
            return file.read(-1 if limit is None else limit)
    except OSError as error:
        raise _refusal(name, f"cannot be read: {error.strerror}") from None


def is_folder(path: Path) -> bool:
    """Whether a path is a folder or a link to one."""
    return stat.S_ISDIR(_mode(path))


def is_regular(path: Path) -> bool:
    """Whether a path is a regular file or a link to one."""
    return stat.S_ISREG(_mode(path))


def _mode(path: Path) -> int:
    """What a path is; 0 where that cannot be found out."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # the latter for a name with a NUL
        return 0


def stays_in(root: Path, path: Path) -> bool:
    """Whether a path, all links followed, lies in a folder, all links followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refusal(name: str, message: str, expected: str = "") -> ScenarioError:
    return ScenarioError([Problem(name, 1, 1, message, expected)])
