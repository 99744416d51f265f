"""Episodes and requests in a saved session, and the plain data that they stand for."""

from base64 import b64decode
from itertools import pairwise
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from labs_mock.contract.findings import KINDS, Finding
from labs_mock.contract.responses import TerminalReason
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.http.session.saved_fields import Count, Instant, RewardValue
from labs_mock.scenario.files.fields import FileModel, Slug
from labs_mock.state.episode import Episode
from labs_mock.state.record import Record


class SavedCall(FileModel):
    """A tool call of the operator."""

    type: str
    name: str
    input: Any


class SavedMessage(FileModel):
    """A message of a transcript."""

    operator: bool
    content: str
    calls: list[SavedCall]


class SavedEpisode(FileModel):
    """An episode with its transcript; `version` is that of its scenario."""

    id: str
    origin: str
    organisation: str
    collection: Slug
    slug: Slug
    version: str
    score_turns: bool
    ended: TerminalReason | None
    touched: Instant
    transcript: list[SavedMessage]

    def plain(self, lines: tuple[TranscriptLine, ...], version: str) -> Episode:
        """The episode with the lines of its transcript. Raises `ValueError` unless it goes from observation to observation."""
        if not lines or lines[0].operator or lines[-1].operator:
            raise ValueError("episode.transcript: expected the opening first, and an observation at the end")
        turns = sum(one.operator and not behind.operator for one, behind in pairwise(lines))
        if turns != sum(not line.operator for line in lines) - 1:
            raise ValueError("episode.transcript: expected a message of the operator between two observations")
        return Episode(
            self.id,
            self.origin,
            self.organisation,
            self.collection,
            self.slug,
            version,
            self.score_turns,
            lines,
            turns,
            self.ended,
            self.touched,
        )


class SavedBytes(FileModel):
    """A body that is no text, in base64."""

    base64: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]*={0,2}$")]


SavedBody = str | SavedBytes | None


def body_of(saved: SavedBody) -> bytes | None:
    """A body as it was. Raises `ValueError` for what is no base64."""
    if isinstance(saved, SavedBytes):
        return b64decode(saved.base64, validate=True)
    return None if saved is None else saved.encode()


class SavedFinding(FileModel):
    """A finding on a request."""

    code: str
    place: str
    hint: str

    def plain(self) -> Finding:
        """The finding. Raises `ValueError` for an unknown code."""
        if self.code not in KINDS:
            raise ValueError(f"record.findings: unknown code {self.code[:40]!r}")
        return Finding(self.code, self.place, self.hint)


class SavedRecord(FileModel):
    """A request and its response; `credentials` are numbers that tell what it came with from what others did."""

    number: Annotated[int, Field(ge=1, le=2**53)]
    received: Instant
    method: str
    path: str
    query: str
    organisation: str | None
    key: str | None
    credentials: list[Count]
    request_id: str
    size: Count
    request: SavedBody
    status: Annotated[int, Field(ge=100, le=999)]
    response: SavedBody
    duration_ms: Count
    findings: list[SavedFinding]
    faults: list[str]
    rewards: list[RewardValue | None]
    run: Count
    skipped: Count
    episode: str | None
    turn: Count | None
    delivery: list[str]
    fingerprint: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{2})*$", max_length=200)]
    order: Count
    window_end: Count | None
    peer: Annotated[list[Any], Field(min_length=2, max_length=2)] | None
    user_agent: str
    answered: Count
    amended: Instant | None

    def plain(self) -> Record:
        """The record. Raises `ValueError` for what could not have been one."""
        peer = None if self.peer is None else (self.peer[0], self.peer[1])
        if peer is not None and not (isinstance(peer[0], str) and type(peer[1]) is int):
            raise ValueError("record.peer: expected an address and a port")
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return Record(
            **fields
            | {
                "credentials": tuple(map(str, self.credentials)),
                "request": body_of(self.request),
                "response": body_of(self.response),
                "findings": tuple(finding.plain() for finding in self.findings),
                "faults": tuple(self.faults),
                "rewards": tuple(self.rewards),
                "delivery": tuple(self.delivery),
                "fingerprint": bytes.fromhex(self.fingerprint),
                "peer": peer,
                "user_agent": self.user_agent.encode("latin-1", "replace"),
            }
        )
