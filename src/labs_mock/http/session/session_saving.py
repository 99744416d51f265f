"""Save a session: everything that a world knows, line by line, with no key in it."""

import asyncio
import os
import zlib
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from labs_mock import __version__
from labs_mock.errors import LabsMockError
from labs_mock.http.control.journal import hidden, records_of, redactor_of
from labs_mock.http.session.saved_world import SavedWorld
from labs_mock.http.session.session_lines import FORMAT, MARK
from labs_mock.redaction import Redact
from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.scenario.files.schema import ScenarioFile
from labs_mock.state import World
from labs_mock.state.account import Account
from labs_mock.state.dataset_progress import StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import ScenarioSource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import JournalCounts, Record, RewardColumns

MIB = 1024 * 1024
MAX_UNPACKED = 512 * MIB
MAX_LINE = 64 * MIB
MAX_BODIES = 256 * MIB  # of the lines before a record that still has its bodies
LEVEL = 4  # of zlib: twice as fast as 6, for files that are a tenth larger
ROWS, REWARDS = 100, 1_000  # in a line

Value = dict[str, Any] | list[str]
Make = Callable[[], Value]


async def session_chunks(world: World) -> AsyncIterator[bytes]:
    """A session as the bytes of a file, made while they are read; of a saved one they are those of its file."""
    writer = SessionWriter()
    async for kind, make in _lines(world):
        chunk = await asyncio.to_thread(writer.add, kind, make)
        if chunk:
            yield chunk
    yield writer.end()


async def save_session(world: World, path: Path) -> None:
    """Write a session to a file, which appears when it is whole. Raises `LabsMockError` if it cannot be written."""
    partial_file = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial_file.open("wb") as file:
            async for chunk in session_chunks(world):
                file.write(chunk)
        partial_file.replace(path)
    except OSError as error:
        raise LabsMockError(f"{path}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            partial_file.unlink()


class SessionWriter:
    """Compresses lines, and leaves out what would make the file larger than can be read: bodies first."""

    def __init__(self) -> None:
        self._gzip = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)  # with the head of gzip, in which is no time
        self._size = self._lines = self._left_out = 0

    def add(self, kind: str, make: Make) -> bytes:
        """A line, as far as it is compressed by now."""
        value = make()
        if kind == MARK:
            return self._write(_dumped(value))
        line = _dumped({kind: value})
        if kind == "record" and (len(line) > MAX_LINE or self._size + len(line) > MAX_BODIES):
            assert isinstance(value, dict)
            line = _dumped({kind: value | {"request": None, "response": None}})
        if len(line) > MAX_LINE or self._size + len(line) > MAX_UNPACKED - MIB:
            self._left_out += 1
            return b""
        return self._write(line)

    def end(self) -> bytes:
        """The last line, and what is left to write."""
        counted = {"lines": self._lines + 1, "left_out": self._left_out}
        return self._write(_dumped({"end": counted})) + self._gzip.flush()

    def _write(self, line: bytes) -> bytes:
        self._size += len(line)
        self._lines += 1
        return self._gzip.compress(line)


def _dumped(value: Value) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, which a path can bring
        return orjson.dumps(_encodable(value), option=orjson.OPT_APPEND_NEWLINE)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_encodable(name): _encodable(child) for name, child in value.items()}
    return [_encodable(child) for child in value] if isinstance(value, list | tuple) else value


async def _lines(world: World) -> AsyncIterator[tuple[str, Make]]:
    """All lines but the last, each with a function that makes it."""
    store, redact = world.store, world.redactor
    counts, log = await store.journal_counts(), await store.rewards(0, REWARDS)
    head = await _head(world, counts, log)
    yield MARK, lambda: head
    accounts, quotas = await store.accounts(), await store.quotas()
    for account, quota in zip(accounts, quotas, strict=False):
        yield "account", partial(_account, account, quota)
    async for kind, make in _library_lines(world):
        yield kind, make
    places = {account.key_digest: place for place, account in enumerate(accounts)}
    for fault in await store.faults():
        yield "fault", partial(_fault, fault, places, redact)
    async for episode in world.episodes():
        yield "episode", partial(_episode, episode, redact)
    end = log.dropped + log.stored  # those that come meanwhile belong to later records
    while log.rewards:
        yield "rewards", partial(_rewards, log)
        reached = log.after + len(log.rewards)
        log = await store.rewards(reached, max(0, min(REWARDS, end - reached)))
    for verdict in await store.verdicts():
        yield "verdict", partial(_verdict, verdict, redact)
    numbers: dict[str, int] = {}
    async for record in records_of(world, counts):
        yield "record", partial(_record, record, redactor_of(record, world), numbers)


async def _library_lines(world: World) -> AsyncIterator[tuple[str, Make]]:
    """Collections, scenarios and datasets, and the scenarios that episodes still have though they are no longer served."""
    _, library = await world.store.library()
    for collection in library.collections:
        yield "collection", collection._asdict
    served = {one.version for one in library.scenarios}
    for one in library.scenarios:
        yield "scenario", partial(_scenario, one, True)
    datasets = await world.store.datasets()
    used = [one.dataset.scenario.version for one in datasets if one.dataset.scenario is not None]
    used += [episode.version async for episode in world.episodes()]
    for version in dict.fromkeys(used):
        earlier = None if version in served else await world.store.scenario(version)
        if earlier is not None:
            yield "scenario", partial(_scenario, earlier, False)
    for stored in datasets:
        yield "dataset", partial(_dataset, stored)
        lines = stored.dataset.lines
        for start in range(0, len(lines), ROWS):
            yield "rows", partial(_rows, lines[start : start + ROWS])


async def _head(world: World, counts: JournalCounts, log: RewardColumns) -> dict[str, Any]:
    if isinstance(world, SavedWorld):
        return world.head.model_dump()
    clock = await world.store.clock()
    return {
        MARK: FORMAT,
        "version": __version__,
        "instance": world.instance,
        "settings": settings_of(world),
        "clock": {"specification": clock.specification, "mode": clock.mode, "now": clock.now()},
        "journal": {"dropped": counts.dropped, "dropped_findings": dict(counts.dropped_findings)},
        "rewards": log.dropped,
    }


def settings_of(world: World) -> dict[str, Any]:
    """All settings by name, but for keys, tokens and passwords; of a saved session those of the server that saved it."""
    if isinstance(world, SavedWorld):
        return world.head.settings
    settings = world.settings
    values = {field.name: getattr(settings, field.name) for field in fields(settings) if field.repr}
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _account(account: Account, quota: Quota) -> dict[str, Any]:
    terms = {field.name: getattr(account, field.name) for field in fields(account) if field.name != "key_digest"}
    left = {"remaining": quota.remaining, "reset": quota.reset}
    return {"key": terms.pop("masked"), **terms, "quota": left}


def _scenario(one: ScenarioSource, served: bool) -> dict[str, Any]:
    """A scenario with the JSON of its file as somebody would write it: without what is there by default."""
    file = ScenarioFile.model_validate_json(one.content)
    content = file.model_dump_json(by_alias=True, exclude_defaults=True)
    return {**one._asdict(), "content": content, "served": served}


def _dataset(stored: StoredDataset) -> dict[str, Any]:
    dataset, progress = stored.dataset, stored.progress
    forced = None if progress.stages == dataset.stages else _stage(progress.stages[0])
    return {
        "id": dataset.id,
        "slug": dataset.slug,
        "name": dataset.name,
        "stages": [_stage(stage) for stage in dataset.stages],
        "generate": None if dataset.generate is None else dataset.generate.model_dump(mode="json", exclude_unset=True),
        "scenario": None if dataset.scenario is None else list(dataset.scenario),
        "progress": {
            "forced": forced,
            "since": progress.since,
            "position": progress.position,
            "polls": progress.polls,
            "polled": progress.polled,
        },
        "keep_exhausted": stored.keep_exhausted,
    }


def _rows(lines: tuple[bytes, ...]) -> list[str]:
    return [line.decode() for line in lines]


def _stage(stage: Stage) -> dict[str, Any]:
    return asdict(stage)


def _fault(fault: PlannedFault, places: dict[bytes, int], redact: Redact) -> dict[str, Any]:
    key = None
    if fault.key is not None:
        key = {"masked": fault.key.masked, "account": places.get(fault.key.digest)}
    return {
        "id": fault.id,
        "entry": hidden(fault.entry.model_dump(mode="json", exclude_unset=True, exclude={"key"}), redact),
        "key": key,
        "matched": fault.matched,
        "applied": fault.applied,
    }


def _episode(episode: Episode, redact: Redact) -> dict[str, Any]:
    values = {name: value for name, value in episode._asdict().items() if name not in ("transcript", "turns")}
    transcript = [
        {
            "operator": line.operator,
            "content": redact(line.content),
            "calls": hidden(orjson.loads(line.calls or b"[]"), redact),
        }
        for line in episode.transcript
    ]
    return {**values, "transcript": transcript}


def _verdict(verdict: PostedVerdict, redact: Redact) -> dict[str, Any]:
    return {"posted": verdict.posted, "label": redact(verdict.label), "text": redact(verdict.text)}


def _rewards(log: RewardColumns) -> dict[str, Any]:
    hashes = [f"{one:016x}" for one in log.conversations]
    return {"requests": log.requests, "items": log.items, "conversations": hashes, "rewards": log.rewards}


def _record(record: Record, redact: Redact, numbers: dict[str, int]) -> dict[str, Any]:
    """A record as JSON; `numbers` has one for each credential, in the order in which they come."""
    values = record._asdict()
    del values["compressed"]
    return values | {
        "path": redact(record.path),
        "query": redact(record.query),
        "credentials": [numbers.setdefault(one, len(numbers)) for one in record.credentials],
        "request": _body(record.body("request"), redact),
        "response": _body(record.body("response"), redact),
        "findings": [hidden(finding._asdict(), redact) for finding in record.findings],
        "episode": record.episode and redact(record.episode),
        "fingerprint": record.fingerprint.hex(),
        "user_agent": redact(record.user_agent.decode("latin-1")),
    }


def _body(body: bytes | None, redact: Redact) -> str | dict[str, str] | None:
    """A body as text, else in base64; one with a secret in it is written anew, with stars in its place."""
    if body is None:
        return None
    text = body.decode("utf-8", "replace")
    if redact(text) != text:
        try:
            body = orjson.dumps(hidden(orjson.loads(body), redact))
        except ValueError:
            body = redact(text).encode()
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}
