import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.http.control.test_reset import ADDED, FAULT, NORMALISED, PARTS, a_world, compare, control, evaluate
from tests.http.datasets import POLLED, TIMED, get, name_of
from tests.http.test_batch import TEXTS, WHERE, item
from tests.support import KEY, Live, live

DATASETS = (POLLED, TIMED, name_of("ready"), name_of("running"), name_of("failed"))
NEW = "20000000-0000-4000-8000-000000000002"
Response = tuple[str, str, int, list[tuple[bytes, bytes]], bytes]


def probes(server: Live) -> Iterator[httpx.Response]:
    """A fixed list of requests: all that a client, or who reads the control plane, could see of what was before."""
    for path in ("requests", "rewards", "keys", "datasets", "clock", "faults", "episodes/ep_unknown", "health"):
        yield control(server, "GET", path)
    for key in (KEY, ADDED, "lab_none", "lab_once", "lab_once"):
        yield evaluate(server, key=key, **NORMALISED)
    for _ in range(2):
        created = server.post("/episodes", {**WHERE, "score_turns": True})
        yield created
        episode = created.json()["episode_id"]
        yield server.turn(episode, TEXTS[1])
        yield control(server, "GET", f"episodes/{episode}")
    yield server.post("/batch/evaluate", {"items": [item("a", TEXTS[1], **NORMALISED), item("b", scenario_slug="x")]})
    yield compare(server, *TEXTS[:2])
    for name in (*DATASETS, NEW):
        for what in ("status", "export", "status"):
            yield get(server, name, what)
    yield server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"})
    yield server.client.get("/nowhere")
    for path in ("datasets", "keys", "faults", "requests"):
        yield control(server, "GET", path)


def probe_all(server: Live) -> list[Response]:
    """The responses to all probes: the request, and status, headers and body but for the instance and the client's ports."""
    own = re.compile(rb'%b|"peer":"127.0.0.1:\d+"' % server.world.instance.encode())
    return [
        (one.request.method, one.request.url.path, one.status_code, _without_length(one), own.sub(b"", one.content))
        for one in probes(server)
    ]


def _without_length(response: httpx.Response) -> list[tuple[bytes, bytes]]:
    """The headers, without the length that ports have a share in."""
    return [header for header in response.headers.raw if header[0].lower() != b"content-length"]


texts = st.sampled_from(TEXTS)
keys = st.sampled_from([KEY, "lab_none", "lab_once", ADDED, "lab_wrong"])
moments = st.sampled_from([0, 0.25, 1, 30, 59, 60, 3_600, 86_399, 86_400, 40 * 86_400])


class Uses(RuleBasedStateMachine):
    """Everything that can be done with a server, and then a reset."""

    fresh: ClassVar[list[Response]]

    def __init__(self) -> None:
        super().__init__()
        self.running = ExitStack()
        self.server = self.running.enter_context(live(a_world()))
        self.episodes: list[str] = []

    @rule(text=texts, key=keys, normalised=st.sampled_from([{}, NORMALISED]))
    def evaluate(self, text: str, key: str, normalised: dict[str, Any]) -> None:
        evaluate(self.server, text, key, **normalised)

    @rule(texts=st.lists(texts, min_size=1, max_size=3), key=keys)
    def batch(self, texts: list[str], key: str) -> None:
        items = [item(str(index), text, **NORMALISED) for index, text in enumerate(texts)]
        self.server.post("/batch/evaluate", {"items": items}, key=key)

    @rule(text=texts)
    def compare(self, text: str) -> None:
        compare(self.server, text, TEXTS[0])

    @rule(scored=st.booleans())
    def begin(self, scored: bool) -> None:
        created = self.server.post("/episodes", {**WHERE, "score_turns": scored})
        self.episodes += [created.json()["episode_id"]] if created.is_success else []

    @rule(index=st.integers(0, 2), text=texts, turns=st.integers(1, 13))
    def turns(self, index: int, text: str, turns: int) -> None:
        for name in self.episodes[index : index + 1]:
            for _ in range(turns):
                self.server.turn(name, text, reward_config={"quality_weights": {"discovery": 1}})

    @rule(index=st.integers(0, 2))
    def terminate(self, index: int) -> None:
        for name in self.episodes[index : index + 1]:
            control(self.server, "POST", f"episodes/{name}/terminate")

    @rule(
        path=st.sampled_from(["evaluate", "nowhere", "training-datasets/x/status"]),
        method=st.sampled_from(["GET", "POST"]),
    )
    def mistake(self, path: str, method: str) -> None:
        self.server.client.request(method, f"/api/v1/{path}", content=b"{", headers={"authorization": f"Bearer {KEY}"})

    @rule(name=st.sampled_from(DATASETS), what=st.sampled_from(["status", "export"]), key=keys)
    def poll(self, name: str, what: str, key: str) -> None:
        get(self.server, name, what, key=key)

    @rule(
        name=st.sampled_from(DATASETS), status=st.sampled_from(["pending", "filtering", "ready", "cancelled", "failed"])
    )
    def force(self, name: str, status: str) -> None:
        error = {"error": "No reason"} if status == "failed" else {}
        assert control(self.server, "PATCH", f"datasets/{name}", {"status": status, **error}).is_success

    @rule(stage=st.sampled_from([{"status": "cancelled"}, {"status": "failed", "error": "No reason"}]))
    def add_dataset(self, stage: dict[str, str]) -> None:
        control(self.server, "POST", "datasets", {"id": NEW, "name": "New", "lifecycle": [stage]})

    @rule(rate=st.sampled_from([1, 5, 1_000]))
    def add_key(self, rate: int) -> None:
        control(self.server, "POST", "keys", {"key": ADDED, "organisation": "b", "requests_per_minute": rate})

    @rule(
        key=keys,
        terms=st.sampled_from(
            [
                {"revoked": True},
                {"plan": "standard"},
                {"subscriptions": []},
                {"score_access": "reward"},
                {"expires": "2026-01-02"},
            ]
        ),
    )
    def change_key(self, key: str, terms: dict[str, Any]) -> None:
        control(self.server, "PATCH", f"keys/{key}", terms)

    @rule(seconds=moments, mode=st.sampled_from([None, None, "frozen", "real", "x60", "x999999"]))
    def move_clock(self, seconds: float, mode: str | None) -> None:
        assert control(self.server, "POST", "clock/advance", {"seconds": seconds}).is_success
        assert control(self.server, "PUT", "clock", {"mode": mode}).is_success

    @rule()
    def forget_requests(self) -> None:
        control(self.server, "DELETE", "requests")

    @rule(
        fault=st.sampled_from(
            [FAULT, {"path": "/api/v1/episodes*", "status": 500, "every": 2}, {"status": 429, "nth": 3}]
        )
    )
    def add_fault(self, fault: dict[str, Any]) -> None:
        control(self.server, "POST", "faults", fault)

    @rule(part=st.sampled_from(PARTS))
    def reset_a_part(self, part: str) -> None:
        assert part in control(self.server, "POST", f"reset?only={part}").json()["reset"]

    @rule()
    def reset(self) -> None:
        assert control(self.server, "POST", "reset").is_success
        self.episodes.clear()
        again = probe_all(self.server)
        assert [one[:2] for one in again] == [one[:2] for one in self.fresh]
        for response, expected in zip(again, self.fresh, strict=True):
            assert response == expected

    def teardown(self) -> None:
        """Whatever was done: in the end everything is as it was."""
        with self.running:
            self.reset()


@pytest.mark.slow
def test_a_server_that_was_reset_is_like_a_fresh_one() -> None:
    """Whatever was done before: status, headers and bodies of all probes are those of a server that was just started (DET-1)."""
    with live(a_world()) as fresh:
        expected = probe_all(fresh)
    assert {200, 202, 401, 403, 404, 429, 500} <= {status for _, _, status, _, _ in expected}

    class Here(Uses):
        """The machine with what it is compared with."""

        fresh = expected

    run_state_machine_as_test(Here, settings=settings(max_examples=40, stateful_step_count=35))
