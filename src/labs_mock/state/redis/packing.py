"""Records and episodes as bytes: MessagePack of their fields in order, so that the number of the format goes with their shape."""

import struct
from collections.abc import Iterable
from typing import Any

import msgpack

from labs_mock.contract.findings import Finding
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.redaction import Redact, Redactor
from labs_mock.state.account import key_digest
from labs_mock.state.episode import Episode
from labs_mock.state.memory.journal import SMALL, packed, weigh
from labs_mock.state.record import BODIES, Record, RewardColumns

_REWARD = struct.Struct("<HQd")
_STORED_REWARD = struct.Struct("<dHQd")


def pack(value: Any) -> bytes:
    """Plain data as bytes; texts may have lone surrogates, which a path can bring."""
    made: bytes = msgpack.packb(value, unicode_errors="surrogatepass")
    return made


def unpack(data: bytes) -> Any:
    """The same data, with tuples for all lists."""
    return msgpack.unpackb(data, use_list=False, unicode_errors="surrogatepass")


# Episodes


def pack_lines(lines: Iterable[TranscriptLine]) -> bytes:
    """Lines of a transcript."""
    return pack(tuple(lines))


def pack_head(episode: Episode) -> bytes:
    """What does not change in an episode, and its transcript as it began."""
    return pack((episode[1:7], episode.transcript))


def unpack_episode(stored: list[Any]) -> Episode:
    """An episode of what a script returns of it."""
    name, head, turns, touched, ended, later = stored
    fields, first = unpack(head)
    lines = [TranscriptLine(*line) for part in (first, *map(unpack, later)) for line in part]
    return Episode._make((name.decode(), *fields, tuple(lines), int(turns), ended.decode() or None, float(touched)))


# Records


def without_secrets(record: Record) -> Record:
    """The record with the SHA-256 of its credentials in place of them, and stars where they stand in its own texts."""
    if not record.credentials:
        return record
    redactor = Redactor((), record.credentials)

    def may_show(text: str) -> bool:  # most texts do not, and are long
        return any(map(text.__contains__, record.credentials)) or "%" in text or "\\u00" in text or "\\U00" in text

    def redact(text: str) -> str:
        return redactor(text) if may_show(text) else text

    digests = tuple([key_digest(one.encode("utf-8", "surrogatepass")).hex() for one in record.credentials])
    bodies = [data.decode("latin-1") for data in (record.request, record.response, record.user_agent) if data]
    findings = [text for one in record.findings for text in (one.place, one.hint)]
    if not may_show("\n".join([record.path, record.query, *findings, *bodies])):
        return record._replace(credentials=digests)
    return record._replace(
        credentials=digests,
        path=redact(record.path),
        query=redact(record.query),
        findings=tuple([Finding(one.code, redact(one.place), redact(one.hint)) for one in record.findings]),
        user_agent=_redacted(record.user_agent, redact) or b"",
        request=_redacted(record.request, redact),
        response=_redacted(record.response, redact),
    )


def _redacted(data: bytes | None, redact: Redact) -> bytes | None:
    if data is None:
        return None
    text = data.decode("latin-1")  # which changes no byte that is not masked
    shown = redact(text)
    return data if shown == text else shown.encode("latin-1", "replace")


def pack_record(record: Record) -> tuple[bytes, int, bytes, bytes]:
    """A record without its large bodies and what it weighs so, and these, compressed where that makes them smaller, b"" if not large."""
    whole = packed(record)
    request, response = [
        body if body is not None and len(body) > SMALL else b"" for body in (whole.request, whole.response)
    ]
    slim = whole
    if request or response:
        slim = whole._replace(request=None if request else whole.request, response=None if response else whole.response)
    return pack(tuple(slim)), weigh(slim), request, response


def unpack_record(
    number: bytes, fields: list[bytes], bodies: list[bytes | None], amended: list[bytes | None]
) -> Record:
    """A record of what a script returns of it."""
    stored = dict(zip(fields[::2], fields[1::2], strict=True))
    made = Record(*unpack(stored[b"data"]))
    delivery, added, moment, answered = amended
    findings = [Finding(*one) for one in made.findings]
    if added:
        findings += [Finding(*one) for one in _stream(added)]
    changes: dict[str, Any] = {name: body for name, body in zip(BODIES, bodies, strict=True) if body is not None}
    if delivery is not None and moment is not None:
        changes |= {"delivery": unpack(delivery), "amended": float(moment)}
    return made._replace(
        findings=tuple(findings), number=int(number), answered=int(answered or stored[b"answered"]), **changes
    )


def pack_findings(findings: Iterable[Finding]) -> bytes:
    """Findings one behind the other, so that more can be put behind them."""
    return b"".join([pack(tuple(one)) for one in findings])


def _stream(data: bytes) -> Iterable[Any]:
    reader = msgpack.Unpacker(use_list=False, unicode_errors="surrogatepass", max_buffer_size=0)
    reader.feed(data)
    yield from reader


# Rewards


def pack_rewards(rewards: tuple[float | None, ...], conversations: tuple[int, ...]) -> bytes:
    """Item, conversation and reward of each that is not None; the script puts the number of the record before each."""
    return b"".join(
        [_REWARD.pack(item, conversations[item], reward) for item, reward in enumerate(rewards) if reward is not None]
    )


def unpack_rewards(after: int, data: bytes, stored: int, dropped: int) -> RewardColumns:
    """The columns of some bytes of the ring."""
    rows = list(_STORED_REWARD.iter_unpack(data))
    requests, items, conversations, rewards = zip(*rows, strict=True) if rows else ((), (), (), ())
    return RewardColumns(after, tuple(map(int, requests)), items, conversations, rewards, stored, dropped)
