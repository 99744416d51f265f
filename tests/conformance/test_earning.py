"""What earns something: from files, and from the public texts of a scenario."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.settings import settings_from
from labs_mock.conformance.client import Client
from labs_mock.conformance.discovery import discover
from labs_mock.conformance.earning import beginnings, read_conversations, suggested
from labs_mock.conformance.offered import OfferedScenario, Selection
from labs_mock.conformance.strategies import NEUTRAL, operator
from labs_mock.conformance.target import Target
from labs_mock.contract.limits import MAX_ITEMS
from labs_mock.errors import LabsMockError
from labs_mock.state import World
from tests.support import CLAIM, KEY, Live, live, scenario, world

MESSAGES = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello."},
    {"role": "assistant", "content": "Tell me what happened.", "thinking": "First things first."},
    {"role": "user", "content": "I fell."},
    {"role": "assistant", "content": "Then this.", "tool_calls": [{"type": "decision", "name": "a", "input": {}}]},
]
TURNS = (
    operator("Tell me what happened."),
    operator("Then this.", {"type": "decision", "name": "a", "input": {}}),
)
BODY = {"collection_slug": "case-management", "scenario_slug": "back-claim", "messages": MESSAGES}
ROW = {"scenario_id": "case-management/back-claim", "agent_template_id": "a", "messages": MESSAGES, "metadata": {}}


@pytest.mark.parametrize("entry", [BODY, ROW])
def test_a_file_is_json_or_lines(tmp_path: Path, entry: dict[str, Any]) -> None:
    """One conversation, a list of them, or one a line; as a body of `/evaluate` or as a row of an export (EV-1, ROW-1)."""
    file, one = tmp_path / "conversations", orjson.dumps(entry)
    for count, content in ((1, one), (2, b"[" + one + b", " + one + b"]"), (2, one + b"\n\n" + one + b"\n")):
        file.write_bytes(content)
        assert read_conversations(str(file)) == {("case-management", "back-claim"): [TURNS] * count}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": no conversation; expected collection_slug"),
        ("[]", ": no conversation; expected collection_slug"),
        ("7", ": conversation 1: expected collection_slug"),
        ('{"messages": []}', ": conversation 1: expected collection_slug"),
        (orjson.dumps([BODY, {**BODY, "messages": MESSAGES[2:3]}]).decode(), ": conversation 2: expected"),
        (orjson.dumps({**BODY, "messages": MESSAGES[:2]}).decode(), ": conversation 1: expected"),
        (orjson.dumps({**BODY, "messages": [7]}).decode(), ": conversation 1: expected"),
        (orjson.dumps({**BODY, "scenario_slug": None}).decode(), ": conversation 1: expected"),
        (orjson.dumps(BODY).decode() + "\nnothing\n", ":2: expected JSON"),
        (None, ": No such file or directory"),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_its_place(tmp_path: Path, content: str | None, message: str) -> None:
    """Before the run, and with what to send instead."""
    file = tmp_path / "conversations"
    if content is not None:
        file.write_text(content)
    with pytest.raises(LabsMockError) as caught:
        read_conversations(str(file))
    assert str(caught.value).startswith(f"{file}{message}")


def test_beginnings_are_tried_from_the_shortest() -> None:
    """Of all conversations of a scenario, no more than a batch has items."""
    assert beginnings([TURNS, TURNS[:1]]) == [TURNS[:1], TURNS[:1], TURNS]
    assert len(beginnings([TURNS * MAX_ITEMS])) == MAX_ITEMS


def test_suggestions_are_a_batch_of_the_same() -> None:
    """What nobody rewards comes first, calls come last; the same for the same scenario."""
    known = OfferedScenario(
        "a", "b", description=" ".join(f"word{chr(97 + index % 26) * 5}{index}" for index in range(500))
    )
    candidates = suggested(known)
    assert candidates == suggested(known)
    assert candidates[0] == (NEUTRAL,)
    assert len(candidates) <= MAX_ITEMS


def offered(server: Live, **options: Any) -> dict[str, OfferedScenario]:
    """The scenarios that a run knows of a server."""
    with Client(server.url, KEY) as client:
        target = Target(client, Selection(**options), most_scenarios=100)
        discover(target)
        return {repr(one): one for one in target.every_scenario}


def test_something_is_found_that_earns_in_every_shipped_scenario() -> None:
    """From catalog, opening and tools alone; text about nothing earns nothing in any of them (RC-6)."""
    with live(World(settings_from({"clock": "frozen", "port": 0}), load_library(shipped_library()))) as server:
        found = offered(server)
    assert len(found) == 13
    assert all(one.earning for one in found.values())


def test_where_anything_is_rewarded_nothing_need_be_found(server: Live) -> None:
    """The scenario has no requirement."""
    assert offered(server)["case-management/back-claim"].earning == ()


def test_what_nobody_guesses_is_taken_from_a_file() -> None:
    """As much of it as is needed to earn something; without it nothing is known to earn anything (RC-6)."""
    guarded = {**CLAIM, "scoring": {"requires": {"says": ["the heron flies at dawn"]}}}
    secret = (operator("Good morning."), operator("The heron flies at dawn."), operator("Goodbye."))
    with live(world(scenario(guarded))) as server:
        assert offered(server)["case-management/back-claim"].earning is None
        found = offered(server, earning={("case-management", "back-claim"): [secret]})
    assert found["case-management/back-claim"].earning == secret[:2]
