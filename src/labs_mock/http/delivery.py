"""What the journal says of how a response was sent: what faults did to it, and whether the client stayed to its end."""

from collections.abc import Awaitable, Callable, Iterable

from labs_mock.contract.findings import Finding

Amend = Callable[[tuple[str, ...], tuple[Finding, ...]], Awaitable[None]]
"""Replaces the delivery of a record, and adds findings to it."""


_BROKEN = ("closed", "cut ", "reset ", "stalled ", "broken ")
_SPOILT = (*_BROKEN, "client left ", "garbage", "content type ", "another body", "reward NaN")


def broke_off(notes: Iterable[str]) -> bool:
    """Whether a response with these notes ended on the side of the server before all of it was sent."""
    return any(note.startswith(_BROKEN) for note in notes)


def broke_off_in_body(notes: Iterable[str]) -> bool:
    """Whether it did so after its head."""
    return any(note.startswith(_BROKEN) and " after " in note for note in notes)


def is_delayed(notes: Iterable[str]) -> bool:
    """Whether it was sent later than it was ready."""
    return any(" delayed by " in note for note in notes)


def is_spoilt(notes: Iterable[str]) -> bool:
    """Whether a response with these notes did not reach its client, or not as it was made."""
    return any(note.startswith(_SPOILT) for note in notes)


class Delivery:
    """The `notes` of a request's record, its findings, and the bytes of the body that were given to the network.

    Everything is in the record before it is done, so that whoever has seen a connection break off finds it in the journal.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.notes: list[str] = []
        self.bytes_sent: int | None = None  # None until the head is sent
        self._findings = findings
        self._amend: Amend | None = None
        self._saved = 0, 0

    def recorded(self, amend: Amend) -> None:
        """From now on there is a record, with all that was noted before, which can be amended."""
        self._amend, self._saved = amend, (len(self.notes), len(self._findings))

    async def save(self) -> None:
        """Put into the record what was noted since."""
        if self._amend is not None and (len(self.notes), len(self._findings)) != self._saved:
            findings = tuple(self._findings[self._saved[1] :])
            self._saved = len(self.notes), len(self._findings)
            await self._amend(tuple(self.notes), findings)

    def note(self, text: str) -> None:
        """Add what happens to the response; it has to be saved before that is sent."""
        self.notes.append(text)

    def note_delays(self, seconds: dict[str, float]) -> None:
        """Add the delays that there are before its head, its body or each chunk."""
        for place, delay in seconds.items():
            if delay:
                self.note(f"{place} delayed by {delay:g} s")

    async def save_progress(self) -> None:
        """Let the record know that the response goes on at this moment, which was delayed."""
        if self._amend is not None:
            await self._amend(tuple(self.notes), ())

    async def save_break(self, how: str) -> None:
        """Record that it breaks off here."""
        self.note(f"{how} {self._place()}" if (how, self.bytes_sent) != ("cut", None) else "closed")
        await self.save()

    async def save_client_left(self) -> None:
        """Record that the client has left before the end, in the findings too."""
        self._findings.append(Finding("client_left", "", self._place()))
        await self.save_break("client left")

    def _place(self) -> str:
        if self.bytes_sent is None:
            return "before the head"
        return f"after {self.bytes_sent:,} {'byte' if self.bytes_sent == 1 else 'bytes'}"
