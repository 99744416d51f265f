"""Scenarios that are known to have no mistakes: those of the shipped library, by what their files contain.

To read, check and compile them took a quarter of a server's start. A file is known by the digest of its place and its bytes, so
one that was changed is read, checked and compiled like any other.
"""

from hashlib import sha256
from pathlib import Path

from labs_mock.scenario.compiled.scenario import Scenario

TABLE = Path(__file__).parent / "known-scenarios.txt"
"""A line for each: the digest of the file, the scenario's version, and the JSON of the file. `make generated` writes it."""


class KnownScenarios:
    """Finds scenarios by their files."""

    def __init__(self, table: bytes) -> None:
        self._lines = dict(line.split(b" ", 1) for line in table.splitlines())

    def find(self, collection: str, slug: str, text: bytes) -> Scenario | None:
        """The scenario of a file with this text, if it is known; its parts are compiled when they are used."""
        known = self._lines.get(_digest(collection, slug, text))
        if known is None:
            return None
        version, content = known.split(b" ", 1)
        return Scenario(collection, slug, version.decode(), content)


def shipped_scenarios() -> KnownScenarios:
    """Those of the shipped library."""
    return KnownScenarios(TABLE.read_bytes())


def table_line(scenario: Scenario, text: bytes) -> bytes:
    """The line of a scenario whose file has this text."""
    name = _digest(scenario.collection, scenario.slug, text)
    return b" ".join([name, scenario.version.encode(), scenario.content])


def _digest(collection: str, slug: str, text: bytes) -> bytes:
    return sha256(f"{collection}/{slug}\n".encode() + text).hexdigest().encode()
