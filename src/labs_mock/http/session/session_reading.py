"""Read a saved session, which anybody may have written: what is wrong with it is one line that names the place."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from labs_mock import __version__
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import BadRequest, RequestError, ScenarioError, SessionError, SettingsError
from labs_mock.http.routes import ROUTES
from labs_mock.http.session.saved_library import SavedAccount, SavedCollection, SavedDataset, SavedFault, SavedScenario
from labs_mock.http.session.saved_store import SavedState
from labs_mock.http.session.saved_talk import SavedEpisode, SavedRecord
from labs_mock.http.session.saved_world import SavedWorld
from labs_mock.http.session.session_lines import (
    FORMAT,
    MARK,
    SavedEnd,
    SavedHead,
    SavedRewards,
    SavedVerdict,
    SessionLine,
    columns_of,
    counts_of_head,
)
from labs_mock.http.session.session_saving import MAX_LINE, MAX_UNPACKED, MIB
from labs_mock.scenario.compiled.datasets import read_line
from labs_mock.scenario.compiled.scenario import Scenario, ScenarioName
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.state.account import Account
from labs_mock.state.dataset_progress import StoredDataset
from labs_mock.state.episode import Episode
from labs_mock.state.library_source import CollectionSource, LibrarySource, ScenarioSource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.posted_verdict import PostedVerdict
from labs_mock.state.quota import Quota
from labs_mock.state.record import Record
from labs_mock.state.world import scenario_source

Model = TypeVar("Model", bound=BaseModel)
CHUNK = 64 * 1024
NOT_A_SESSION = "this is no saved session of labs-mock"


def read_session(path: Path) -> SavedWorld:
    """The world of a saved session. Raises `SessionError` with one line that names the file, the line in it and what is wrong."""
    number = 1
    try:
        with path.open("rb") as file:
            lines = _lines(file.read)
            session = SessionReader(_head(next(lines, b"")))
            for line in lines:
                number += 1
                session.add(_line(line), number)
        number += 1
        return session.world()
    except OSError as error:
        raise SessionError(f"{path}: {error.strerror}") from None
    except _BrokenFileError as error:
        raise SessionError(f"{path}: line {error.number}: {error}") from None
    except (ValueError, SettingsError) as error:
        raise SessionError(f"{path}: line {number}: {error}") from None


class _BrokenFileError(Exception):
    """The file cannot be read further than to the line before the one with this number."""

    def __init__(self, what: str, number: int) -> None:
        self.number = number
        super().__init__(what)


def _lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines of a gzipped file, unpacked piece by piece. Raises `_BrokenFileError`."""
    pieces: list[bytes] = []
    number, unpacked, size = 1, 0, 0
    try:
        for piece in _unpacked(read):
            unpacked += len(piece)
            if unpacked > MAX_UNPACKED:
                raise ValueError(f"more than {MAX_UNPACKED // MIB} MB unpacked, and at most so much is read")  # noqa: TRY301
            first, *others = piece.split(b"\n")
            pieces.append(first)
            size += len(first)
            if size > MAX_LINE:
                raise ValueError(f"longer than {MAX_LINE // MIB} MB")  # noqa: TRY301
            if others:
                number += len(others)
                yield b"".join(pieces)
                yield from others[:-1]
                pieces, size = [others[-1]], len(others[-1])
        if size:
            raise ValueError("it does not end; the file is not complete")  # noqa: TRY301
    except ValueError as error:
        raise _BrokenFileError(str(error), number) from None


def _unpacked(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What a gzipped file contains, in pieces of at most 64 KiB. Raises `ValueError`."""
    gzip = zlib.decompressobj(31)
    try:
        while not gzip.eof:
            packed = gzip.unconsumed_tail or read(CHUNK)
            piece = gzip.decompress(packed, CHUNK)
            if not packed and not piece and not gzip.eof:
                raise ValueError("the file ends here, and is not complete")
            yield piece
    except zlib.error:
        raise ValueError("broken, or no gzip file") from None
    if gzip.unused_data or read(1):
        raise ValueError("something stands behind the end of the session")


def _head(line: bytes) -> SavedHead:
    """The first line. Raises `ValueError`."""
    try:
        value = orjson.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not isinstance(value.get(MARK), int):
        raise ValueError(NOT_A_SESSION)  # noqa: TRY004 - what `read_session` expects
    if value[MARK] > FORMAT:
        newer = f"{value.get('version')}"[:40]
        raise ValueError(
            f"format {value[MARK]} of labs-mock {newer}; this is labs-mock {__version__}, which reads formats up to {FORMAT}"
        )
    return _valid(SavedHead, line)


def _line(line: bytes) -> SessionLine:
    """Another line. Raises `ValueError`."""
    return _valid(SessionLine, line)


def _valid(model: type[Model], line: bytes) -> Model:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
        if detail["type"] == "json_invalid":
            raise ValueError("no JSON, or nested too deeply") from None
        place = ".".join(str(step)[:40] for step in detail["loc"][:6])
        raise ValueError(f"{place}: {detail['msg'][:200]}") from None


class SessionReader:
    """What was read so far. Every method raises `ValueError` for what could not have been saved."""

    def __init__(self, head: SavedHead) -> None:
        self._head = head
        self._accounts: list[tuple[Account, Quota]] = []
        self._collections: list[CollectionSource] = []
        self._scenarios: dict[str, Scenario] = {}  # by the versions that the file has for them
        self._served: list[ScenarioSource] = []
        self._earlier: list[ScenarioSource] = []
        self._datasets: list[tuple[SavedDataset, list[bytes]]] = []
        self._faults: list[PlannedFault] = []
        self._episodes: dict[str, Episode] = {}
        self._rewards: list[SavedRewards] = []
        self._verdicts: list[PostedVerdict] = []
        self._records: list[Record] = []
        self._end: SavedEnd | None = None

    def add(self, line: SessionLine, number: int) -> None:
        """A line behind the head, with its number."""
        present = line.model_fields_set
        if len(present) != 1 or getattr(line, *present) is None:
            raise ValueError(f"expected one of {', '.join(SessionLine.model_fields)}, and that alone")
        if self._end is not None:
            raise ValueError("a line behind the end")
        (kind,) = present
        if kind == "end" and getattr(line, kind).lines != number:
            raise ValueError(f"the end of a session of {getattr(line, kind).lines:,} lines; some are missing")
        getattr(self, f"_add_{kind}")(getattr(line, kind))

    def world(self) -> SavedWorld:
        """The world of all lines."""
        if self._end is None:
            raise ValueError("expected more: the session has no end, and is not complete")
        head, rewards = self._head, columns_of(self._rewards, self._head.rewards)
        library = LibrarySource(tuple(self._collections), tuple(self._served))
        state = SavedState(
            clock=head.clock.plain(),
            accounts=tuple(account for account, _ in self._accounts),
            quotas=tuple(quota for _, quota in self._accounts),
            library=library,
            earlier=tuple(self._earlier),
            datasets=tuple(self._dataset(*one) for one in self._datasets),
            faults=tuple(self._faults),
            episodes=tuple(self._episodes.values()),
            records=tuple(self._records),
            counts=counts_of_head(head, self._records[-1].number - head.journal.dropped if self._records else 0),
            rewards=rewards,
            verdicts=tuple(self._verdicts),
        )
        return SavedWorld(head, state, self._scenarios.values(), self._end.left_out)

    def _add_account(self, saved: SavedAccount) -> None:
        self._accounts.append(saved.plain(len(self._accounts)))

    def _add_collection(self, saved: SavedCollection) -> None:
        if saved.slug in [one.slug for one in self._collections]:
            raise ValueError("collection.slug: there is one with this slug")
        self._collections.append(CollectionSource(saved.slug, saved.name, saved.description))

    def _add_scenario(self, saved: SavedScenario) -> None:
        if saved.served and saved.collection not in [one.slug for one in self._collections]:
            raise ValueError("scenario.collection: no such collection before it")
        try:
            scenario = parse_scenario(saved.content, file=f"{saved.slug}.yaml", collection=saved.collection)
        except ScenarioError as error:
            raise ValueError(f"scenario.content: {error.problems[0].message}") from None
        source = scenario_source(scenario)
        if source in self._served or source in self._earlier:
            raise ValueError("scenario: it stands in a line before")
        self._scenarios[saved.version] = scenario
        (self._served if saved.served else self._earlier).append(source)

    def _add_dataset(self, saved: SavedDataset) -> None:
        if saved.id in [one.id for one, _ in self._datasets]:
            raise ValueError("dataset.id: there is one with this id")
        self._dataset(saved, [])
        self._datasets.append((saved, []))

    def _add_rows(self, rows: list[str]) -> None:
        if not self._datasets:
            raise ValueError("rows: no dataset before them")
        for row in rows:
            _check_row(row)
        self._datasets[-1][1].extend(row.encode() for row in rows)

    def _dataset(self, saved: SavedDataset, rows: list[bytes]) -> StoredDataset:
        if (saved.generate is None) != (saved.scenario is None):
            raise ValueError("dataset: expected 'generate' and 'scenario' together")
        name: ScenarioName | None = None
        if saved.scenario is not None:
            scenario = self._scenarios.get(saved.scenario[-1]) if saved.scenario else None
            if scenario is None:
                raise ValueError("dataset.scenario: no such scenario in the session")
            name = scenario.full_name
        return saved.plain(name, tuple(rows))

    def _add_fault(self, saved: SavedFault) -> None:
        self._faults.append(saved.plain())

    def _add_episode(self, saved: SavedEpisode) -> None:
        if saved.id in self._episodes:
            raise ValueError("episode.id: there is one with this id")
        lines = tuple(TranscriptLine(one.content, one.operator, _calls(one.calls)) for one in saved.transcript)
        scenario = self._scenarios.get(saved.version)
        version = saved.version if scenario is None else scenario.version
        self._episodes[saved.id] = saved.plain(lines, version)

    def _add_rewards(self, saved: SavedRewards) -> None:
        saved.check()
        self._rewards.append(saved)

    def _add_verdict(self, saved: SavedVerdict) -> None:
        self._verdicts.append(saved.plain())

    def _add_record(self, saved: SavedRecord) -> None:
        last = self._records[-1].number if self._records else self._head.journal.dropped
        if saved.number <= last:
            raise ValueError(f"record.number: expected one above {last:,}")
        record = saved.plain()
        _check_bodies(record)
        self._records.append(record)

    def _add_end(self, saved: SavedEnd) -> None:
        self._end = saved


def _check_row(row: str) -> None:
    """Raises `ValueError` unless it is a line as exports have it."""
    try:
        known = read_line(row.encode()).line().decode()
    except BadRequest as error:
        raise ValueError(f"rows: {error.message}") from None
    if known != row:
        raise ValueError("rows: expected lines as an export has them")


def _calls(calls: list[Any]) -> bytes:
    return orjson.dumps([call.model_dump() for call in calls]) if calls else b""


def _check_bodies(record: Record) -> None:
    """Raises `ValueError` unless the bodies of a request that was answered with a reward, or with an observation, are such."""
    if record.status != 200 or (record.episode is None and not record.rewards):
        return
    try:
        operation, _ = ROUTES.find(record.method, record.path)
        if record.request is not None and operation.request is not None:
            read_model(operation.request, read_json(record.request, b"application/json"))
    except RequestError as error:
        raise ValueError(f"record.request: {error.message}") from None
    received = orjson.loads(record.response) if record.response else {}
    observed = (
        [received.get(name) for name in ("initial_observation", "observation")] if isinstance(received, dict) else [0]
    )
    if not all(one is None or (isinstance(one, dict) and isinstance(one.get("content"), str)) for one in observed):
        raise ValueError("record.response: expected an observation in it")
