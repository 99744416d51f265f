"""What goes into the scripts of a request behind their epoch: the words of a commit, of an amendment and of a normalisation."""

from hashlib import sha256
from typing import Any

from labs_mock.contract.findings import Finding
from labs_mock.contract.limits import MAX_LOG
from labs_mock.state.bounds import Bounds
from labs_mock.state.commit import Commit
from labs_mock.state.episode import AppendedTurn, Episode, characters
from labs_mock.state.memory.normalisation import LOG_BYTES, REWARD_BYTES
from labs_mock.state.record import Record
from labs_mock.state.redis.packing import (
    pack,
    pack_findings,
    pack_head,
    pack_lines,
    pack_record,
    pack_rewards,
    without_secrets,
)
from labs_mock.state.sums import UNIT, NormalisationEntry

Words = tuple[Any, ...]
_NO_EPISODE: Words = ("", "", "", b"", 0, 0, "0", "")
_NO_TURN: Words = ("", 0, b"", 0, "0", "")
_NO_RECORD: Words = (b"", 0, b"", b"", 0, 0)


def commit_words(commit: Commit, bounds: Bounds) -> Words:
    """All of a commit, with the bounds of what it fills."""
    epoch, token, record, conversations, created, turn = commit
    return (
        epoch,
        token,
        bounds.tokens,
        *(_NO_EPISODE if created is None else _created(created)),
        *(_NO_TURN if turn is None else _turned(turn)),
        bounds.episodes,
        bounds.characters,
        *(_NO_RECORD if record is None else _logged(record)),
        bounds.records,
        bounds.journal,
        pack_rewards(record.rewards, conversations) if record is not None and conversations else b"",
        bounds.rewards,
    )


def amend_words(delivery: tuple[str, ...], findings: tuple[Finding, ...]) -> Words:
    """What replaces the delivery of a record, and what findings are added, with their weight and their number by severity."""
    weight = sum([len(one.place) + len(one.hint) for one in findings])
    return pack(delivery), pack_findings(findings), weight, *_severities(findings)


def normalise_words(entries: tuple[NormalisationEntry, ...], bounds: Bounds) -> Words:
    """The bounds of logs, and then each entry: its log, the bytes of its names, its reward, and how many windows it has, with these."""
    words: list[Any] = [bounds.tokens, MAX_LOG, bounds.normalisation, LOG_BYTES, REWARD_BYTES]
    for key, units, windows in entries:
        log = sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        words += [log, 4 * len(key[1]), units, *divmod(units * units, UNIT), len(windows)]
        for window in windows:
            words += ["n", window.number] if window.seconds is None else ["s", window.seconds]
    return tuple(words)


def _created(episode: Episode) -> Words:
    return (
        episode.id,
        episode.collection,
        episode.slug,
        pack_head(episode),
        episode.turns,
        characters(episode.transcript),
        repr(episode.touched),
        episode.ended or "",
    )


def _turned(turn: AppendedTurn) -> Words:
    name, expected, lines, ended, touched = turn
    return name, expected, pack_lines(lines), characters(lines), repr(touched), ended or ""


def _logged(record: Record) -> Words:
    return *pack_record(without_secrets(record)), *_severities(record.findings)


def _severities(findings: tuple[Finding, ...]) -> tuple[int, int]:
    warnings = sum([one.severity == "warning" for one in findings])
    return len(findings) - warnings, warnings
