"""What has been judged so far: how often, and the smallest violation of each part of a clause."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.violations import Violation
from labs_mock.contract.clauses import Part, part_of

_SHOWN = 400  # characters of what was seen


class Judgements:
    """Counts for every part of a clause, and its smallest violation.

    `closed` are parts that have failed before: they are judged and counted, but no longer end an example, so that one
    failure hides nothing else.
    """

    def __init__(self) -> None:
        self.counts: Counter[Part] = Counter()
        self.violations: dict[Part, Violation] = {}
        self.closed: set[Part] = set()
        self.exchanges: list[Sent] = []  # of the present example
        self.broken = False  # whether anything did not hold in it
        self.unsteady = False  # whether equal evaluations had different answers (EV-1)
        self.rewarded = False  # whether any reward was above 0

    def begin(self) -> None:
        """A new example."""
        self.exchanges = []
        self.broken = False

    def close(self) -> bool:
        """Close what has failed so far; whether that is anything new."""
        before = len(self.closed)
        self.closed |= set(self.violations)
        return len(self.closed) > before

    def expect(  # noqa: PLR0913, PLR0917 - the words of one judgement, in the order in which it reads
        self,
        clause: str,
        held: bool,
        expected: Any,
        seen: Any,
        inferred: bool | None = None,
        exchanges: Sequence[Sent] | None = None,
    ) -> None:
        """One judgement of a clause. Raises `Violation` where it does not hold, but for what is closed.

        `inferred` must be said for a clause that is D/I. `exchanges` are those that led there, by default all of the
        example.
        """
        part = part_of(clause, inferred)
        self.counts[part] += 1
        if held:
            return
        self.broken = True
        led = tuple(self.exchanges if exchanges is None else exchanges)
        violation = Violation(part, shown(expected), shown(seen), led)
        known = self.violations.get(part)
        if known is None or violation.size < known.size:
            self.violations[part] = violation
        if part not in self.closed:
            raise violation


def shown(value: Any) -> str:
    """A value as a report shows it, as JSON unless it is text, and not all of it where it is long."""
    text = value if isinstance(value, str) else quoted(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def quoted(value: Any) -> str:
    """A value as JSON; bytes as text, in which what is no UTF-8 stands as escapes."""
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace") or "of 0 bytes"
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """What stands in JSON for a value that it has no type for."""
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return quoted(value) if isinstance(value, bytes) else str(value)
