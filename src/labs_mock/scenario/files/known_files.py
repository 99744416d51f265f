"""Files that are known to have no mistakes: those of the shipped library, by what they contain.

To parse and check them, and to compile the scenarios, took a quarter of a server's start. A file is known by the digest of its
name and its bytes, so one that was changed is parsed and checked like any other.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from labs_mock.scenario.compiled.scenario import Scenario

TABLE = Path(__file__).parent / "known-files.txt"
"""A line for each: the digest, a scenario's version or `-`, and what the file has as JSON. `make generated` writes it."""


class KnownFiles:
    """Finds what a file has by its name in the folder and its text."""

    def __init__(self, table: bytes) -> None:
        self._lines = dict(line.split(b" ", 1) for line in table.splitlines())

    def scenario(self, name: str, text: bytes) -> Scenario | None:
        """The scenario of a file, if it is known; its parts are compiled when they are used."""
        known = self._lines.get(_digest(name, text))
        if known is None:
            return None
        collection, _, slug = name.removesuffix(".yaml").partition("/")
        version, content = known.split(b" ", 1)
        return Scenario(collection, slug, version.decode(), content)

    def value(self, name: str, text: bytes) -> dict[str, Any] | None:
        """The data of another file, if it is known. Only what it says of other files can be wrong."""
        known = self._lines.get(_digest(name, text))
        if known is None:
            return None
        value: dict[str, Any] = orjson.loads(known.split(b" ", 1)[1])
        return value


def shipped_files() -> KnownFiles:
    """Those of the shipped library."""
    return KnownFiles(TABLE.read_bytes())


def scenario_line(name: str, text: bytes, scenario: Scenario) -> bytes:
    """The line of a scenario's file."""
    return b" ".join([_digest(name, text), scenario.version.encode(), scenario.content])


def value_line(name: str, text: bytes, value: dict[str, Any]) -> bytes:
    """The line of another file."""
    return b" ".join([_digest(name, text), b"-", orjson.dumps(value)])


def _digest(name: str, text: bytes) -> bytes:
    return sha256(f"{name}\n".encode() + text).hexdigest().encode()
