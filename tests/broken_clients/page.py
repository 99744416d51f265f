"""`docs/broken-clients.md`: the table, with what convicts each client."""

from tests.broken_clients.table import BROKEN, SOUND, Broken


def broken_clients() -> str:
    """The page."""
    sound = [f"- {row.kind}" for row in SOUND]
    return "\n".join([HEAD + "\n".join(map(_row, BROKEN)), SOUND_HEAD, *sound]) + "\n"


def _row(row: Broken) -> str:
    by = f"`{row.call}`" if row.call else "every test"
    return f"| {row.number} | {row.mistake} | {by} | `{row.text.removeprefix('AssertionError: ').rstrip()}` |"


HEAD = """\
<!-- Written by `make generated` from the table in `tests/broken_clients`. -->

# Broken clients

The usual mistakes of reward clients, each written down in a few lines in [`tests/broken_clients`](../tests/broken_clients), and what
convicts it. *Every test* with the fixture `labs_mock` fails through such a client, even if it asserts nothing, unless it asks for
what happened ([what fails a test](pytest.md#what-fails-a-test)). The others give rewards, advantages or training texts that look like
any: they need the [assertion](verdicts.md#the-methods) that the table names. The last column is in the failure.

No client that turns a 503 into 0 fails by default: a 503 comes from a fault alone, and a fault asks for it. A test with such a
fault needs an assertion on the rewards; [drills](drills.md) have one.

| | the client | convicted by | with |
|---|---|---|---|
"""

SOUND_HEAD = """
## Sound clients

These pass without a word, with the assertion where there is one:
"""
