import os
import subprocess
import sys
from functools import cache
from itertools import accumulate
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.contract.rows import Row, line, row_mistakes
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.generated_rows import GeneratedRows, complexity_score
from labs_mock.engine.player import Player
from labs_mock.engine.reward import assess
from labs_mock.engine.rollout import roll_out
from labs_mock.scenario.compiled.datasets import ATTEMPTS, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.dataset_schema import DatasetFile
from tests.scenario.bases import JOURNEY
from tests.support import scenario

Read = list[dict[str, Any]]
SILENCE, HALF = "<no_response/>", {"quality_score": {"at_least": 0.5}}
IDENTITY, OTHER = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d", "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5e"
HELLO = ["Hello.", "Tell me what happened.", "Right."]
ASK = ["Do you have a second job?", "Thank you.", "That is nonsense."]
MORE = ["Are you worried?", "I understand.", "Well."]


def speaking(*says: Any, name: str = "expert") -> dict[str, Any]:
    """A simulated operator that says this, one entry a turn."""
    return {name: {"agent_template_id": f"{name}-v1", "says": list(says)}}


TALK = scenario(
    operators={**speaking([HELLO], [ASK, MORE], [ASK], [MORE]), **speaking([ASK], [HELLO, MORE], [MORE], name="novice")}
)
"""A conversation in which operators call no tools, so that rows show all that they did."""

WALKS = scenario(
    JOURNEY,
    operators=speaking([HELLO, MORE], [{"silent": True}], [[*ASK, "How was it?"], MORE], [{"silent": True}], [MORE]),
)
"""A journey over three sessions, two of which end in silence."""


def rows_of(on: Scenario, seed: int = 7, identity: str = IDENTITY, **changes: Any) -> GeneratedRows:
    """The rows that a scenario's operators make: 10 of them by default."""
    name = f"{on.collection}/{on.slug}"
    generate = {
        "scenario": name,
        "operators": list(on.file.operators),
        "count": 10,
        "temperatures": [0.5, 1],
        **changes,
    }
    data = {"id": identity, "name": "N", "lifecycle": [{"status": "ready"}], "rows": {"generate": generate}}
    return GeneratedRows(compile_dataset("rows", DatasetFile.model_validate(data), {name: on}), on, seed)


def read(rows: GeneratedRows) -> Read:
    """All rows."""
    return [orjson.loads(rows.line(index).text) for index in range(len(rows))]


def contents(row: dict[str, Any], role: str) -> list[str]:
    """What one of the two says."""
    return [message["content"] for message in row["messages"] if message["role"] == role]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
@settings(max_examples=30)
def test_a_row_made_alone_is_the_row_made_after_others(order: list[int]) -> None:
    """Any row can be rendered alone, in any order and more than once (DS-6)."""
    rows = rows_of(TALK, keep=HALF)
    assert [rows.line(index) for index in order] == [rows_of(TALK, keep=HALF).line(index) for index in order]


MAKE = """
from hashlib import sha256
from labs_mock.engine.generated_rows import GeneratedRows
from labs_mock.config.library import load_library, shipped_library
library = load_library(shipped_library())
for dataset in library.datasets.values():
    if dataset.scenario:
        scenario = library.collections[dataset.scenario.collection].scenarios[dataset.scenario.slug]
        rows = GeneratedRows(dataset, scenario, 7)
        print(dataset.slug, sha256(b"".join(rows.line(index).text for index in range(40))).hexdigest())
"""


@cache
def made(hash_seed: str) -> str:
    """Digests of the first rows of each shipped dataset, made in a process of its own."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", MAKE], env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("hash_seed", ["1", "4711"])
def test_another_process_makes_the_same_rows(hash_seed: str) -> None:
    """Rows do not depend on the process or on PYTHONHASHSEED (DET-1, DS-6)."""
    assert made(hash_seed) == made("0")
    assert len(made("0").splitlines()) >= 3


def test_seed_and_dataset_make_other_rows() -> None:
    """The same seed and dataset give the same rows; another one of either gives others."""
    one, *others = [read(rows_of(TALK, *which)) for which in [(7, IDENTITY), (7, IDENTITY), (8, IDENTITY), (7, OTHER)]]
    assert [one == other for other in others] == [True, False, False]


@pytest.mark.parametrize("keep", [{}, HALF])
@pytest.mark.parametrize("seed", range(3))
def test_no_two_rows_are_drawn_alike(keep: dict[str, Any], seed: int) -> None:
    """Operator, temperature and wording, together, differ between any two rows, filtered or not."""
    rows = read(rows_of(TALK, seed, keep=keep))
    chosen = {(row["agent_template_id"], row["metadata"]["temperature"], *contents(row, "assistant")) for row in rows}
    assert len(chosen) == 10


def test_the_keep_filter_by_a_naive_reading() -> None:
    """The count stays; each row is the first of its 32 attempts that passes, or else the one that comes closest."""
    taken = set()
    attempts = read(rows_of(TALK, count=32 * 5))
    for quality, complexity in [(0, 0), (0.3, 0), (0.45, 0.28), (0, 0.3), (0.57, 0.33), (1, 0), (1, 1)]:
        rows = rows_of(
            TALK, count=5, keep={"quality_score": {"at_least": quality}, "complexity_score": {"at_least": complexity}}
        )
        assert len(rows) == 5
        for index in range(5):
            tried = [(row["metadata"], row) for row in attempts[index::5]]
            missing = [
                max(0.0, quality - one["quality_score"]) + max(0.0, complexity - one["complexity_score"])
                for one, _ in tried
            ]
            best = missing.index(min(missing))
            line = rows.line(index)
            assert (orjson.loads(line.text), line.kept) == (tried[best][1], missing[best] == 0)
            taken.add((best > 0, line.kept))
    assert taken == {(False, True), (True, True), (False, False), (True, False)}


@pytest.mark.parametrize("on", [TALK, WALKS], ids=["conversation", "journey"])
@pytest.mark.parametrize("keep", [{}, {"quality_score": {"at_least": 1.0}}], ids=["all", "best"])
def test_what_metadata_mean(on: Scenario, keep: dict[str, Any]) -> None:
    """`quality_score` is the reward of the row's own messages, `rollout_index` the number of the draw (ROW-1, ROW-2)."""
    player, temperatures = Player(on), set()
    for index, row in enumerate(read(rows_of(on, temperatures=[0.25, 1], keep=keep))):
        metadata = row["metadata"]
        messages = [Message(role=message["role"], content=message["content"]) for message in row["messages"]]
        play = player.fold(player.start(), operator_turns(player, messages).turns)
        assert metadata["quality_score"] == assess(on, play).reward
        assert metadata["turn_count"] == len(contents(row, "assistant")) == play.turn
        assert (metadata["rollout_index"] % 10, metadata["rollout_index"] // 10 < ATTEMPTS) == (index, True)
        temperatures.add(metadata["temperature"])
    assert temperatures == {0.25, 1.0}


@pytest.mark.parametrize("on", [TALK, WALKS, scenario()], ids=["conversation", "journey", "calls"])
def test_a_generated_row_keeps_the_contract(on: Scenario) -> None:
    """The persona is `user` and begins, roles take turns, and the operator has the last word (ROW-1, ROW-2)."""
    for row in read(rows_of(on)):
        assert row_mistakes(Row.model_validate(row)) == []
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"] * row["metadata"]["turn_count"]
        assert row["messages"][0]["content"] == on.first_observation
        assert row["scenario_id"] == f"{on.collection}/{on.slug}"
        assert row["agent_template_id"] in {operator.agent_template_id for operator in on.file.operators.values()}
        assert {key for message in row["messages"] for key in message} == {"role", "content"}


SCRIPT = [
    "Hello.",
    {"parts": [{"silent": True}], "thinking": " She <asks> for\nquiet…  "},
    {"parts": ["How was it?", "Well?"], "thinking": "\u2028"},
    [{"silent": True}],
]


def test_silence_and_thinking_stand_in_a_row_as_they_are() -> None:
    """Silence is a message of its own; `thinking` stands beside `content`, verbatim, or is absent (TOK-1, TOK-2, ROW-3)."""
    (row,) = read(rows_of(scenario(JOURNEY, operators=speaking(*SCRIPT)), count=1))
    assert row["messages"] == [
        {"role": "user", "content": "Hello."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Pardon me."},
        {"role": "assistant", "content": SILENCE, "thinking": " She <asks> for\nquiet…  "},
        {"role": "user", "content": "I wonder about my note."},
        {"role": "assistant", "content": "How was it? Well?", "thinking": "\u2028"},
        {"role": "user", "content": "Not so well."},
        {"role": "assistant", "content": SILENCE},
    ]


def thoughtful(thinks: str, speaks: str) -> Scenario:
    """A conversation that rewards a greeting; two operators may greet, and the one with more to say thinks."""
    thinker = {"parts": [[thinks, *"bcdef"]], "thinking": "Hm."}
    return scenario(
        state=None,
        rapport=None,
        tools=None,
        completed=None,
        criteria={"success_metrics": [{"id": "greets", "text": "T", "when": {"says": ["hi"]}}]},
        operators={**speaking(thinker, [list("abcde")]), **speaking([[speaks, "y"]], name="novice")},
    )


@given(
    st.sampled_from([("hi", "hi"), ("a", "hi"), ("hi", "x"), ("a", "x")]),
    st.integers(0, 99),
    st.sampled_from([0, 0.5, 1]),
)
def test_the_first_row_has_thinking_if_any_has(greets: tuple[str, str], seed: int, at_least: float) -> None:
    """Whoever passes the keep-filter, nobody learns from a later row that there is `thinking` (ROW-3)."""
    rows = read(rows_of(thoughtful(*greets), seed, count=2, keep={"quality_score": {"at_least": at_least}}))
    having = [any("thinking" in message for message in row["messages"]) for row in rows]
    assert having[0] == any(having)
    assert having[0] or at_least


@pytest.mark.parametrize("on", [TALK, WALKS, scenario(), scenario(JOURNEY, operators=speaking(*SCRIPT))])
def test_a_row_that_is_made_of_encoded_messages_has_the_bytes_of_any_other(on: Scenario) -> None:
    """A client cannot see in a line that its messages were encoded before (ROW-4)."""
    rows = rows_of(on, count=1 if len(on.file.operators) == 1 else 10, temperatures=[0, 1])
    for index in range(len(rows)):
        text = rows.line(index).text
        assert line(orjson.loads(text)) == text


@pytest.mark.parametrize("seed", range(4))
def test_thinking_does_not_lift_the_keep_filter(seed: int) -> None:
    """The first row, too, is an attempt that passes, if any does: here one of the 32 in the whole choice space."""
    assert rows_of(thoughtful("a", "hi"), seed, count=1, temperatures=[1], keep=HALF).line(0).kept


def test_floats_are_written_as_floats() -> None:
    """Numbers that may be fractional have a point even where they are whole, the others have none (ROW-3)."""
    rows = read(rows_of(thoughtful("hi", "hi"), count=3, temperatures=[0, 0.5, 1]))
    types = {(name, type(value)) for row in rows for name, value in row["metadata"].items()}
    whole = {("rollout_index", int), ("turn_count", int), ("ifd_score", type(None))}
    assert types == whole | {(name, float) for name in ("temperature", "quality_score", "complexity_score")}
    assert {row["metadata"]["quality_score"] for row in rows} == {0.0, 1.0}


CALLS = {"call": "order_imaging", "input": {"region": "neck"}}


@pytest.mark.parametrize(
    ("says", "effort"),
    [
        pytest.param(["Hello."], 1, id="a-turn"),
        pytest.param(["Hello."] * 12, 12, id="twelve-turns"),
        pytest.param(["Well."], 1 + 2, id="a-volunteered-item"),
        pytest.param(["Well.", "Do you have a second job?"], 2 + 4, id="two-items"),
        pytest.param(["Do you have a second job?"] * 2, 2 + 4, id="revealed-once"),
        pytest.param([["Hello.", CALLS]], 1 + 2 + 3, id="a-call-that-reveals"),
        pytest.param([["Hello.", CALLS, CALLS]], 1 + 2 + 6, id="two-calls-in-a-turn"),
        pytest.param(["Hello.", ["Fine.", {"call": "claim_status", "input": {"value": "denied"}}], "Bye."], 2 + 2 + 3,
                     id="nothing-after-the-end"),
    ],
)  # fmt: skip
def test_the_complexity_of_a_rollout(says: list[Any], effort: int) -> None:
    """The score is e / (e + 20), where a turn adds 1 to e, a revealed item 2 and a tool call 3."""
    on = scenario(operators=speaking(*says))
    expected = round(effort / (effort + 20), 6)
    rollout = roll_out(Player(on), "expert")
    calls = sum(len(message.get("tool_calls") or ()) for turn in rollout.turns for message in turn)
    assert complexity_score(on, rollout.play, calls) == expected
    assert read(rows_of(on, count=1))[0]["metadata"]["complexity_score"] == expected


SECRET = "xyzzy"
skips = st.lists(st.integers(1, 400), min_size=1, max_size=4)
turns = st.sampled_from(
    [[{"silent": True}], ["Tell me more."], ["See you."], ["How was it?"], [f"I wrote {SILENCE} once."]]
)


@given(skips, st.lists(turns, min_size=2, max_size=10), st.integers(1, 3))
def test_the_persona_neither_sees_nor_tells_of_the_token(days: list[int], says: list[Any], length: int) -> None:
    """Token, context block, facts and criteria are in no observation and no `user` message (TOK-3, NEVER-1)."""
    starts = [0, *accumulate(days)]
    sessions = [
        {"after_days": start, "ends": {"turns": length, "when": {"says": ["see you"]}}}
        | ({"reach_out": [{"when": {"silent": True}, "say": "Are you there?"}, {"say": "Me again."}]} if start else {})
        for start in starts
    ]
    on = scenario(
        JOURNEY,
        sessions=sessions,
        persona={**JOURNEY["persona"], "identity": {"name": SECRET}},
        state=[{**JOURNEY["state"][0], "fact": SECRET}],
        criteria={"success_metrics": [{"id": "asks", "text": SECRET, "when": {"discovered": "lapse"}}]},
        operators=speaking(*says),
    )
    (row,) = read(rows_of(on, count=1))
    rollout = roll_out(Player(on), "expert")
    silent = [content == SILENCE for content in contents(row, "assistant")]
    assert silent == [turn == [{"silent": True}] for turn in says][: len(silent)]
    context = rollout.play.context
    known = {form.format(gap) for gap in days for form in ("no word for {} days", "{} days later")}
    assert len(context) == sum(heard.endswith(("Are you there?", "Me again.")) for heard in rollout.observations)
    assert set(context) <= known
    canaries = [*context, SILENCE, "no_response", "no word", "days later", SECRET]
    for heard in [*rollout.observations, *contents(row, "user")]:
        assert not [canary for canary in canaries if canary in heard]
    assert SECRET not in str(row)
