"""What the journal says of how a response was sent: what faults did to it, and whether the client stayed to its end."""

from labs_mock.contract.findings import Finding


class Delivery:
    """The `notes` of a request's record, its findings, and the bytes of the body that were given to the network.

    Everything is noted before it is done, so that whoever has seen a connection break off finds it in the journal.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.notes: list[str] = []
        self.bytes_sent: int | None = None  # None until the head is sent
        self._findings = findings

    def note(self, text: str) -> None:
        """Add what happens to the response."""
        self.notes.append(text)

    def note_delays(self, seconds: dict[str, float]) -> None:
        """Add the delays that there are before its head, its body or each chunk."""
        for place, delay in seconds.items():
            if delay:
                self.note(f"{place} delayed by {delay:g} s")

    def note_break(self, how: str) -> None:
        """Add that it breaks off here."""
        self.note(f"{how} {self._place()}" if (how, self.bytes_sent) != ("cut", None) else "closed")

    def note_client_left(self) -> None:
        """Add that the client has left before the end, to the findings too."""
        self.note_break("client left")
        self._findings.append(Finding("client_left", "", self._place()))

    def _place(self) -> str:
        if self.bytes_sent is None:
            return "before the head"
        return f"after {self.bytes_sent:,} {'byte' if self.bytes_sent == 1 else 'bytes'}"
