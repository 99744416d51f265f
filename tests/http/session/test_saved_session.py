import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs_mock import __version__
from labs_mock.http.control import PREFIX
from labs_mock.http.control.operations import CONTROL_OPERATIONS
from labs_mock.http.inspector.rendering import NAVIGATION
from labs_mock.http.session import session_saving
from labs_mock.state.bounds import Bounds
from tests.http.control.test_control_openapi import BODIES
from tests.http.session.sessions import (
    NUMBERS,
    SAID,
    SECRET,
    SESSION,
    SHOWN,
    WHERE,
    add_datasets,
    lines_of,
    saved,
    serving,
    shown,
    use,
)
from tests.support import CLAIM, KEY, Live, live, world


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    """A server that is used anew by each test."""
    with serving() as served:
        yield served


@pytest.fixture
def used(server: Live, tmp_path: Path) -> bytes:
    """The session of a server on which something of every kind has happened; it is in `tmp_path`, too."""
    server.reset()
    use(server)
    return saved(server, tmp_path / "session.jsonl.gz")


def test_a_session_is_lines_with_a_head_and_an_end(used: bytes) -> None:
    """The number of the format, the version and the settings stand in the first, how many there are in the last."""
    head, *lines, end = lines_of(used)
    assert (head["labs_mock_session"], head["version"]) == (1, __version__)
    assert head["settings"]["seed"] == 0
    assert not {"api_key", "control_token", "state_password"} & set(head["settings"])
    assert {kind for line in lines for kind in line} == {
        "account",
        "collection",
        "scenario",
        "dataset",
        "rows",
        "fault",
        "episode",
        "rewards",
        "record",
    }
    assert all(len(line) == 1 for line in lines)
    assert end == {"end": {"lines": len(lines) + 2, "left_out": 0}}


def test_no_secret_is_in_it(used: bytes) -> None:
    """Neither a key, wherever a client has put it, nor what a request came with as a proof."""
    text = gzip.decompress(used).decode()
    for secret in (KEY, SECRET, "another-secret", "6cab_of"):
        assert secret not in text
    assert '"lab_***********"' in text


def test_it_is_shown_as_the_server_was(server: Live, used: bytes, tmp_path: Path) -> None:
    """What the control plane lists is the same, and so are all rows of a dataset, the reward of an explanation and each episode."""
    with shown(tmp_path / "session.jsonl.gz") as other:
        for path in SHOWN:
            assert other.client.get(path).json() == server.client.get(path).json(), path
        for episode in server.client.get("/_mock/episodes").json()["episodes"]:
            path = f"/_mock/episodes/{episode['id']}"
            theirs, ours = other.client.get(path).json(), server.client.get(path).json()
            assert theirs["explanation"] == ours["explanation"]
            assert [line["turn"] for line in theirs["transcript"]] == [line["turn"] for line in ours["transcript"]]
        body = {**WHERE, "messages": SAID}
        assert (
            other.client.post("/_mock/explain", json=body).json()
            == server.client.post("/_mock/explain", json=body).json()
        )
        assert other.client.get(SESSION).content == used


def test_nothing_in_it_can_be_changed(used: bytes, tmp_path: Path) -> None:
    """Every operation that changes something is refused with the reason, also a reset; and the API is not served."""
    with shown(tmp_path / "session.jsonl.gz") as other:
        episode = other.client.get("/_mock/episodes").json()["episodes"][0]["id"]
        names = {"episodes": episode, "datasets": NUMBERS, "faults": "down"}
        for operation in CONTROL_OPERATIONS:
            if operation.method == "GET" or operation.name in ("verify_requests", "expect_rewards", "explain"):
                continue
            path = operation.path.replace("{id}", names.get(operation.path.split("/")[1], "x"))
            body = BODIES.get(operation.name, {})
            response = other.client.request(operation.method, PREFIX + path, json=body)
            if operation.name == "change_key":
                assert response.status_code == 404  # no key is known
            else:
                assert response.status_code == 403, f"{operation.name}: {response.text}"
                assert response.json()["message"].startswith("A saved session is shown: nothing in it can be changed")
        response = other.post("/evaluate", {**WHERE, "messages": SAID})
        assert response.status_code == 503
        assert response.json()["message"].startswith("A saved session is shown: /api/v1 is not served")
        other.client.get("/openapi.json")
        assert other.client.get(SESSION).content == used


@pytest.mark.usefixtures("used")
def test_every_page_shows_it(tmp_path: Path) -> None:
    """The pages of the inspector are served from it."""
    with shown(tmp_path / "session.jsonl.gz") as other:
        assert {other.client.get(one.path).status_code for one in NAVIGATION} == {200}


TEXTS = st.sampled_from(
    [SECRET, f"x {KEY} y", "\u2028\u0000\u202e", "é" * 50, "a\\u006cab_local", "%6cab_local", "<b>"]
)
ACTIONS: dict[str, Any] = {
    "evaluate": lambda live, text: live.post("/evaluate", {**WHERE, "messages": SAID, text: [text]}),
    "batch": lambda live, text: live.post(
        "/batch/evaluate", {"items": [{**WHERE, "id": "a", "messages": SAID}, {**WHERE, "id": text, "messages": []}]}
    ),
    "play": lambda live, text: live.turn(live.episode(score_turns=True), f"Tell me. {text}", text),
    "end": lambda live, _: live.client.post(f"/_mock/episodes/{live.episode()}/terminate", json={}),
    "noise": lambda live, text: live.client.post("/api/v1/evaluate", content=b"\xfe" + text.encode()),
    "elsewhere": lambda live, text: live.client.get("/nowhere", params={"q": text}),
    "wrong key": lambda live, text: live.client.get(
        "/api/v1/catalog", headers={"authorization": f"Bearer {text[:3].strip()}x".encode()}
    ),
    "other key": lambda live, text: live.post("/evaluate", {**WHERE, "messages": SAID, "n": text}, key=SECRET),
    "fault": lambda live, text: live.client.post(
        "/_mock/faults", json={"path": "/api/v1/catalog", "status": 503, "message": f"{len(text)}", "key": SECRET}
    ),
    "advance": lambda live, _: live.client.post("/_mock/clock/advance", json={"seconds": 7.25}),
    "datasets": lambda live, _: (
        add_datasets(live) if not live.client.get("/_mock/datasets").json()["datasets"] else None
    ),
    "poll": lambda live, _: live.client.get(
        f"/api/v1/training-datasets/{NUMBERS}/status", headers={"authorization": f"Bearer {KEY}"}
    ),
    "scenario": lambda live, text: live.client.post(
        "/_mock/scenarios", json={**WHERE, "scenario": {**CLAIM, "description": f"About {len(text)}."}}
    ),
    "forget": lambda live, _: live.client.delete("/_mock/requests", headers={"content-type": "application/json"}),
}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), TEXTS), max_size=12))
def test_saved_loaded_and_saved_again_it_has_the_same_bytes(
    server: Live, tmp_path: Path, actions: list[tuple[str, str]]
) -> None:
    """Whatever has happened before: a session saved, loaded and saved again is the same file, and shows the same lists."""
    server.reset()
    for name, text in actions:
        ACTIONS[name](server, text)
    path = tmp_path / "session.jsonl.gz"
    session = saved(server, path)
    assert SECRET not in gzip.decompress(session).decode()
    with shown(path) as other:
        assert other.client.get(SESSION).content == session
        for listed in SHOWN:
            assert other.client.get(listed).json() == server.client.get(listed).json(), listed


def test_a_session_is_whole_while_requests_come(tmp_path: Path) -> None:
    """Records that go while it is saved are absent from it, and nothing else is wrong with it."""
    with live(world(bounds=Bounds(records=700))) as server:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                server.post("/evaluate", {**WHERE, "messages": SAID})

        worker = threading.Thread(target=work)
        worker.start()
        try:
            path = tmp_path / "session.jsonl.gz"
            for _ in range(5):
                session = saved(server, path)
                with shown(path) as other:
                    numbers = [one["number"] for one in other.client.get("/_mock/requests").json()["requests"]]
                    assert numbers == sorted(set(numbers))
                    assert other.client.get(SESSION).content == session
        finally:
            stop.set()
            worker.join()


def test_bodies_are_left_out_first(server: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file would become larger than can be read: then whole lines, which its end counts; what is left can be shown."""
    server.reset()
    for _ in range(10):
        server.post("/evaluate", {**WHERE, "messages": SAID, "filling": "x" * 5_000})
    path = tmp_path / "session.jsonl.gz"
    whole = [line for line in lines_of(saved(server, path)) if "record" in line]
    monkeypatch.setattr(session_saving, "MAX_BODIES", 30_000)
    lines = lines_of(saved(server, path))
    records = [line for line in lines if "record" in line]
    kept = [one for one in records if one["record"]["request"] is not None]
    assert 0 < len(kept) < len(records) == 10
    assert kept == whole[: len(kept)]
    assert lines[-1]["end"]["left_out"] == 0
    with shown(path) as other:
        last = other.client.get("/_mock/requests").json()["requests"][-1]
        assert (last["dropped_bodies"], last["status"]) == (["request", "response"], 200)
    monkeypatch.setattr(session_saving, "MAX_UNPACKED", session_saving.MIB + 25_000)
    lines = lines_of(saved(server, path))
    count = sum("record" in line for line in lines)
    assert lines[-1]["end"] == {"lines": len(lines), "left_out": 10 - count}
    assert count < 10
    with shown(path) as other:
        assert len(other.client.get("/_mock/requests").json()["requests"]) == count
