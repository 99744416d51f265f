"""`docs/broken-clients.md`: the table of mistakes, with the check that finds each."""

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

The typical mistakes of reward clients, and how a test finds each of them. It is for people who test a client or a trainer. Each mistake is written down as a few lines of code in
[`tests/broken_clients`](../tests/broken_clients).

- Found by **every test**: any test with the fixture `labs_mock` fails if the client does this, even if the test asserts nothing, unless the test
  [expects it](pytest.md#what-fails-a-test).
- Found by an **assertion**: the client returns rewards, advantages or training texts that look like any others. Only the [assertion](verdicts.md#the-methods) in the table sees the
  mistake.

If a client turns a 503 into 0, a test needs an assertion on the rewards to find it, or a [drill](drills.md): a 503 comes only from a fault, and a test with a fault
expects it.

| | the client | found by | the message contains |
|---|---|---|---|
"""

SOUND_HEAD = """
## Sound clients

These clients pass, without any message. Where an assertion fits, their tests use it:
"""
