"""How an answer goes out: what faults do to it on its way, and whether the client stays until its end."""

from labs_mock.contract.findings import Finding


class Delivery:
    """The `notes` and `findings` of a request's record, and the bytes of the body that were handed to the network.

    Everything is noted before it is done, so that whoever has seen a connection break off finds it in the journal.
    """

    def __init__(self, findings: list[Finding]) -> None:
        self.notes: list[str] = []
        self.sent: int | None = None  # until the head is out
        self._findings = findings

    def note(self, text: str) -> None:
        """Add what happens to the answer."""
        self.notes.append(text)

    def delayed(self, seconds: dict[str, float]) -> None:
        """Its head, its body or each chunk will be late by so much."""
        for place, delay in seconds.items():
            if delay:
                self.note(f"{place} delayed by {delay:g} s")

    def breaks(self, word: str) -> None:
        """It breaks off here."""
        self.note(f"{word} {self._place()}" if (word, self.sent) != ("cut", None) else "closed")

    def client_left(self) -> None:
        """The client has left before the end."""
        self.breaks("client left")
        self._findings.append(Finding("client_left", "", self._place()))

    def _place(self) -> str:
        if self.sent is None:
            return "before the head"
        return f"after {self.sent:,} {'byte' if self.sent == 1 else 'bytes'}"
