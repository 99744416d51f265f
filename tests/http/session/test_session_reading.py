import copy
import gzip
import re
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_mock.errors import SessionError
from labs_mock.http.inspector.rendering import NAVIGATION
from labs_mock.http.page_headers import UI
from labs_mock.http.session import session_reading, session_saving
from labs_mock.http.session.session_reading import read_session
from tests.http.session.sessions import SESSION, SHOWN, lines_of, packed, saved, serving, shown, use


@cache
def _session(path: Path) -> bytes:
    with serving() as served:
        use(served)
        return saved(served, path)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A session in which there is something of every kind."""
    return _session(tmp_path_factory.mktemp("session") / "session.jsonl.gz")


@pytest.fixture
def lines(session: bytes) -> list[Any]:
    """Its lines, to be changed."""
    return lines_of(session)


def refusal(path: Path, content: bytes) -> str:
    """The one line with which a file is refused, behind its name."""
    path.write_bytes(content)
    with pytest.raises(SessionError) as raised:
        read_session(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: line ")
    assert "\n" not in message
    assert len(message) < 400 + len(str(path))
    return message.removeprefix(f"{path}: ")


def test_a_newer_format_is_refused(tmp_path: Path, lines: list[Any]) -> None:
    """In one line, whatever else is in the file."""
    lines[0] = {"labs_mock_session": 2, "version": "9.0", "else": []}
    found = refusal(tmp_path / "s.gz", packed([lines[0], b"what is this"]))
    assert re.fullmatch(
        r"line 1: format 2 of labs-mock 9\.0; this is labs-mock \S+, which reads formats up to 1", found
    )


NO_SESSION = "line 1: this is no saved session of labs-mock"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "line 1: the file ends here, and is not complete"),
        (b"hello", "line 1: broken, or no gzip file"),
        (gzip.compress(b"", mtime=0), NO_SESSION),
        (gzip.compress(b"hello\n", mtime=0), NO_SESSION),
        (gzip.compress(b"[1]\n", mtime=0), NO_SESSION),
        (gzip.compress(b'{"labs_mock_session": "1"}\n', mtime=0), NO_SESSION),
        (gzip.compress(b'{"labs_mock_session": 1}\n', mtime=0), "line 1: version: Field required"),
        (gzip.compress(b'{"labs_mock_session"', mtime=0), "line 1: it does not end; the file is not complete"),
    ],
)
def test_what_is_no_session_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    """An empty file, one of another kind, and one that ends at once."""
    assert refusal(tmp_path / "s.gz", content) == expected


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a folder."""
    with pytest.raises(SessionError, match=r"nothing: No such file"):
        read_session(tmp_path / "nothing")
    with pytest.raises(SessionError, match="Is a directory"):
        read_session(tmp_path)


DEEP = b'{"episode": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BAD_LINES: list[tuple[str, Any, str]] = [
    ("no JSON", b"{", "no JSON, or nested too deeply"),
    ("deep", DEEP, "no JSON, or nested too deeply"),
    ("not UTF-8", b'{"rows": ["\xff"]}', "no JSON, or nested too deeply"),
    ("a list", [], "Input should be an object"),
    ("nothing", {}, "expected one of account, collection"),
    ("two", {"rows": [], "rewards": {}}, "rewards.requests: Field required"),
    ("two that are", {"rows": [], "collection": {"slug": "a", "name": "", "description": ""}}, "expected one of account"),
    ("null", {"rows": None}, "expected one of account"),
    ("unknown", {"row": []}, "row: Extra inputs are not permitted"),
    ("an unknown slug", {"collection": {"slug": "../x", "name": "", "description": ""}}, "collection.slug"),
    ("the same collection", {"collection": {"slug": "case-management", "name": "", "description": ""}}, "collection.slug: there is one"),
    ("the end", {"end": {"lines": 1, "left_out": 0}}, "the end of a session of 1 lines; some are missing"),
    ("rewards", {"rewards": {"requests": [1], "items": [], "conversations": [], "rewards": []}}, "expected columns of one length"),
    ("a reward", {"rewards": {"requests": [1], "items": [0], "conversations": ["0" * 16], "rewards": [1e300]}}, "rewards.rewards.0"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), [one[1:] for one in BAD_LINES], ids=[one[0] for one in BAD_LINES])
def test_a_bad_line_is_named(tmp_path: Path, lines: list[Any], line: Any, expected: str) -> None:
    """By its number, with what is wrong in it."""
    found = refusal(tmp_path / "s.gz", packed([*lines[:-1], line, lines[-1]]))
    assert found.startswith(f"line {len(lines)}: ")
    assert expected in found


def changed(lines: list[Any], kind: str, *path: str | int, value: Any) -> tuple[int, list[Any]]:
    """The lines with something else at a place in the first line of a kind, and the number of that line."""
    number = next(index for index, line in enumerate(lines) if kind in line)
    lines = copy.deepcopy(lines)
    place = lines[number][kind]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return number + 1, lines


HELLO = {"operator": False, "content": "Hello.", "calls": []}
WRONG: list[tuple[str, tuple[str | int, ...], Any, str]] = [
    ("record", ("number",), 0, "greater than or equal to 1"),
    ("record", ("received",), 1e300, "record.received"),
    ("record", ("status",), "200", "valid integer"),
    ("record", ("peer",), [1, 2], "record.peer: expected an address and a port"),
    ("record", ("request",), {"base64": "!"}, "record.request"),
    ("record", ("fingerprint",), "abc", "record.fingerprint"),
    ("record", ("findings",), [{"code": "x", "place": "", "hint": ""}], "record.findings: unknown code 'x'"),
    ("episode", ("transcript",), [], "episode.transcript: expected the opening first"),
    ("episode", ("transcript",), [HELLO] * 2, "expected a message of the operator between two observations"),
    ("episode", ("transcript", 0, "calls"), [1], "episode.transcript.0.calls.0"),
    ("episode", ("ended",), "won", "episode.ended"),
    ("dataset", ("progress", "position"), 9, "dataset.progress.position: beyond its last stage"),
    ("dataset", ("stages",), [], "dataset.stages"),
    (
        "dataset",
        ("generate",),
        {"scenario": "a/b", "operators": ["x"], "count": 1},
        "expected 'generate' and 'scenario'",
    ),
    ("dataset", ("scenario",), ["case-management", "back-claim", "x"], "expected 'generate' and 'scenario' together"),
    ("scenario", ("content",), "{}", "scenario.content: "),
    ("scenario", ("content",), "{", "scenario.content: "),
    ("scenario", ("collection",), "other", "scenario.collection: no such collection before it"),
    ("fault", ("entry", "status"), 200, "fault.entry.status"),
    ("account", ("expires",), float(10**15), "account.expires"),
]


@pytest.mark.parametrize(("kind", "path", "value", "expected"), WRONG)
def test_what_is_wrong_in_a_line_is_named(
    tmp_path: Path, lines: list[Any], kind: str, path: tuple[str | int, ...], value: Any, expected: str
) -> None:
    """Values of other types, out of range, or that cannot be."""
    number, changed_lines = changed(lines, kind, *path, value=value)
    found = refusal(tmp_path / "s.gz", packed(changed_lines))
    assert found.startswith(f"line {number}: ")
    assert expected in found


def test_a_file_that_was_cut_is_refused(tmp_path: Path, session: bytes, lines: list[Any]) -> None:
    """Anywhere in it, also between two lines, and so is one with something behind its end."""
    for end in (*range(0, len(session), 97), len(session) - 1):
        assert "complete" in refusal(tmp_path / "s.gz", session[:end])
    for count in range(1, len(lines)):
        found = refusal(tmp_path / "s.gz", packed(lines[:count]))
        assert found == f"line {count + 1}: expected more: the session has no end, and is not complete"
    assert "some are missing" in refusal(tmp_path / "s.gz", packed([*lines[:-3], *lines[-2:]]))
    assert "a line behind the end" in refusal(tmp_path / "s.gz", packed([*lines, {"rows": []}]))
    assert "something stands behind the end" in refusal(tmp_path / "s.gz", session + session)
    assert "something stands behind the end" in refusal(tmp_path / "s.gz", session + b"x")


def test_a_damaged_file_is_refused(tmp_path: Path, session: bytes) -> None:
    """A byte that is another one is seen by the sums of gzip at the latest."""
    for place in range(10, len(session), 53):
        refusal(tmp_path / "s.gz", session[:place] + bytes([session[place] ^ 0x55]) + session[place + 1 :])


def test_a_line_that_is_too_long_is_refused_while_it_is_read(tmp_path: Path, lines: list[Any]) -> None:
    """After 64 MB of it, whatever comes behind."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = [packer.compress(orjson.dumps(lines[0]) + b"\n")]
    parts += [packer.compress(bytes(1 << 20)) for _ in range(70)]
    assert refusal(tmp_path / "s.gz", b"".join(parts)) == "line 2: longer than 64 MB"


def test_a_bomb_is_refused_while_it_is_read(tmp_path: Path, lines: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """After 512 MB unpacked, which are fewer in this test; what stands behind them is never unpacked."""
    assert session_saving.MAX_UNPACKED == 512 << 20
    monkeypatch.setattr(session_reading, "MAX_UNPACKED", 4 << 20)
    dataset = next(line for line in lines if "dataset" in line and line["dataset"]["generate"] is None)
    bomb = packed([*lines[: lines.index(dataset) + 1], *[b'{"rows": []' + b" " * 1_000_000 + b"}"] * 50])
    unpacked: list[int] = []
    original = session_reading._unpacked

    def counted(read: Any) -> Iterator[bytes]:
        for piece in original(read):
            unpacked.append(len(piece))
            yield piece

    monkeypatch.setattr(session_reading, "_unpacked", counted)
    found = refusal(tmp_path / "s.gz", bomb)
    assert re.fullmatch(r"line \d+: more than 4 MB unpacked, and at most so much is read", found)
    assert sum(unpacked) <= (4 << 20) + session_reading.CHUNK


VALUES: list[Any] = [
    None, 0, -1, 1, 2**53, 1e18, 1e-300, True, "", "x", "\u202e<script>\u0000", [], {}, [[]], [None], {"": {}},
    {"messages": None}, [{"operator": True, "content": "x", "calls": []}],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """All places in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for step in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[step], (*path, step))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_file(session: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """It is refused with one line, or shown: then no list, no page and no episode fails."""
    lines = lines_of(session)
    number = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.sampled_from(list(places(lines[number]))))
    value = data.draw(st.sampled_from(VALUES))
    inner: Any = lines[number]
    if place:
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
    else:
        lines[number] = value
    path = tmp_path / "s.gz"
    path.write_bytes(packed(lines))
    try:
        read_session(path)
    except SessionError:
        refusal(path, path.read_bytes())
        return
    with shown(path) as served:
        listed = served.client.get("/_mock/episodes").json()["episodes"]
        episodes = [f"episodes/{quote(one['id'], safe='')}" for one in listed]
        numbers = [one["number"] for one in served.client.get("/_mock/requests").json()["requests"]]
        single = [*(f"/_mock/{one}" for one in episodes), *(f"{UI}/{one}" for one in episodes)]
        single += [f"{UI}/requests/{number}" for number in numbers] + [
            f"{one}/rewards" for one in single[: len(episodes)]
        ]
        datasets = [quote(one["id"], safe="") for one in served.client.get("/_mock/datasets").json()["datasets"]]
        single += [f"/_mock/datasets/{one}/rows" for one in datasets] + [f"{UI}/datasets/{one}" for one in datasets]
        single += [f"{UI}/scenarios/case-management/back-claim"]
        for one in (*SHOWN, *(page.path for page in NAVIGATION), *single, SESSION):
            assert served.client.get(one).status_code < 500, one
