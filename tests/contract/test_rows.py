import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.parsing import read_model
from labs_mock.contract.rows import Row, line, line_of_parts, part, row_mistakes
from labs_mock.errors import BadRequest
from tests.scenario.bases import GONE, changed

ROW: dict[str, Any] = {
    "scenario_id": "coaching/weekly-check-ins",
    "agent_template_id": "coaching-expert-v1",
    "messages": [
        {"role": "user", "content": "I need a few quiet days."},
        {"role": "assistant", "content": "<no_response/>", "thinking": "She asks for silence."},
    ],
    "metadata": {
        "temperature": 1.0,
        "rollout_index": 0,
        "turn_count": 1,
        "quality_score": 0.9,
        "complexity_score": 0.25,
        "ifd_score": None,
    },
}

odd = st.sampled_from(["\u2028", "\u2029", "\x85", "\r\n", "\x0b\x0c\x1c", "Â\x85", "\\u2028", "\\", '"', "\U0002f028"])
texts = st.lists(st.text(max_size=4) | odd, max_size=4).map("".join)
filled = texts.filter(bool)
shares = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def messages_of(role: str) -> st.SearchStrategy[dict[str, Any]]:
    """A message of the persona, or one of the operator, who may think."""
    fixed = {"role": st.just(role), "content": texts}
    return st.fixed_dictionaries(fixed, optional={"thinking": filled} if role == "assistant" else {})


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row without mistakes."""
    turns = draw(st.lists(st.tuples(messages_of("user"), messages_of("assistant")), min_size=1, max_size=3))
    metadata = st.fixed_dictionaries(
        {
            "temperature": st.sampled_from([0.0, 1.0, 2.0]) | st.floats(0, 2),
            "rollout_index": st.integers(0, 2**53),
            "turn_count": st.just(len(turns)),
            "quality_score": shares,
            "complexity_score": shares,
            "ifd_score": st.none() | shares,
        }
    )
    return {
        "scenario_id": draw(filled),
        "agent_template_id": draw(filled),
        "messages": [message for turn in turns for message in turn],
        "metadata": draw(metadata),
    }


@given(st.dictionaries(texts, values, max_size=4))
def test_a_line_is_one_line_by_any_rule(row: dict[str, Any]) -> None:
    """A line ends with the one newline in it, also for clients that split lines by Unicode rules (ROW-4, DS-4)."""
    text = line(row).decode()
    assert text.splitlines(keepends=True) == [text]
    assert text.endswith("}\n")
    assert orjson.loads(text) == row


@given(st.dictionaries(texts, values, max_size=4))
def test_a_line_differs_from_plain_json_by_three_escapes_only(row: dict[str, Any]) -> None:
    """U+2028, U+2029 and U+0085 are escaped and nothing else is touched (ROW-4)."""
    escaped = orjson.dumps(row).decode().translate({0x2028: "\\u2028", 0x2029: "\\u2029", 0x85: "\\u0085"})
    assert line(row) == f"{escaped}\n".encode()


@given(rows())
def test_a_line_of_parts_is_the_line(row: dict[str, Any]) -> None:
    """Parts that were encoded before give the bytes of a row that is encoded at once, escapes included (ROW-4)."""
    texts = {key: part(value) for key, value in row.items() if key != "metadata"}
    messages = [part(message) for message in row["messages"]]
    assert line_of_parts({**row, **texts}) == line_of_parts({**row, **texts, "messages": messages}) == line(row)


@given(rows())
def test_a_row_comes_back_as_it_was(row: dict[str, Any]) -> None:
    """What is written and read again is the same, number types and absent `thinking` included (ROW-1, ROW-3)."""
    read = read_model(Row, row)
    written = json.loads(read.line())
    assert row_mistakes(read) == []
    assert json.dumps(written, sort_keys=True) == json.dumps(row, sort_keys=True)
    assert read_model(Row, written) == read
    assert read.has_thinking == any("thinking" in message for message in row["messages"])


@given(st.lists(rows(), min_size=2, max_size=4))
@pytest.mark.slow
def test_rows_are_read_line_by_line(several: list[dict[str, Any]]) -> None:
    """A client that splits an export by Unicode rules reads the rows that one does that splits at newlines (ROW-4)."""
    text = b"".join(read_model(Row, row).line() for row in several)
    assert [json.loads(one) for one in text.decode().splitlines()] == several
    assert [json.loads(one) for one in text.split(b"\n")[:-1]] == several


def test_the_bytes_of_a_row() -> None:
    """Whole numbers that may be fractional have a point, `ifd_score` is null, `thinking` is absent where there is none."""
    row = changed(changed(ROW, "metadata.temperature", 1), "metadata.quality_score", 0)
    assert read_model(Row, row).line().decode() == (
        '{"scenario_id":"coaching/weekly-check-ins","agent_template_id":"coaching-expert-v1","messages":['
        '{"role":"user","content":"I need a few quiet days."},'
        '{"role":"assistant","content":"<no_response/>","thinking":"She asks for silence."}],'
        '"metadata":{"temperature":1.0,"rollout_index":0,"turn_count":1,"quality_score":0.0,"complexity_score":0.25,'
        '"ifd_score":null}}\n'
    )


KNOWN = "is not a known name"


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        *((key, [], f"{key}: {KNOWN}") for key in ("prompt", "completion", "chosen", "rejected", "labels", "images")),
        ("request_id", "req_1", f"request_id: {KNOWN}"),
        ("messages.1.tool_calls", [], f"messages.1.tool_calls: {KNOWN}"),
        ("messages.0.name", "Kim", f"messages.0.name: {KNOWN}"),
        ("metadata.seed", 7, f"metadata.seed: {KNOWN}"),
        ("messages.1.thinking", None, "messages.1.thinking: expected text"),
        ("messages.1.thinking", "", "messages.1.thinking: expected at least 1 character"),
        ("messages.1.thinking", ["Hm."], "messages.1.thinking: expected text"),
        ("messages.1.role", "system", "messages.1.role: expected 'user' or 'assistant'"),
        ("messages.1.content", None, "messages.1.content: expected text"),
        ("messages.1.content", [{"type": "text"}], "messages.1.content: expected text"),
        ("messages.1.content", GONE, "messages.1.content: is required"),
        ("messages.1", "Hi.", "messages.1: expected an object"),
        ("messages.1", GONE, "messages: expected entries, at least 2"),
        ("messages", {}, "messages: expected a list"),
        ("scenario_id", "", "scenario_id: expected at least 1 character"),
        ("agent_template_id", 7, "agent_template_id: expected text"),
        ("metadata.temperature", "0.7", "metadata.temperature: expected a number"),
        ("metadata.temperature", True, "metadata.temperature: expected a number"),
        ("metadata.temperature", -0.1, "metadata.temperature: expected a number of at least 0"),
        ("metadata.rollout_index", -1, "metadata.rollout_index: expected a number of at least 0"),
        ("metadata.rollout_index", 0.5, "metadata.rollout_index: "),
        ("metadata.turn_count", 0, "metadata.turn_count: expected a number of at least 1"),
        ("metadata.quality_score", 1.1, "metadata.quality_score: expected a number of at most 1"),
        ("metadata.complexity_score", -0.1, "metadata.complexity_score: expected a number of at least 0"),
        ("metadata.complexity_score", None, "metadata.complexity_score: expected a number"),
        ("metadata.ifd_score", "x", "metadata.ifd_score: expected a number"),
        *((key, GONE, f"{key}: is required") for key in ROW),
        *((f"metadata.{key}", GONE, f"metadata.{key}: is required") for key in ROW["metadata"]),
    ],
)
def test_what_is_no_row_is_refused_with_its_place(where: str, value: Any, words: str) -> None:
    """A row has these fields and no others, of these types; `thinking` is text or absent (ROW-1, ROW-3, TOK-2)."""
    with pytest.raises(BadRequest) as caught:
        read_model(Row, changed(ROW, where, value))
    assert words in str(caught.value)


USER, OPERATOR = ROW["messages"]
TURNS = "expected '{}'; roles take turns and 'user' begins"


@pytest.mark.parametrize(
    ("where", "value", "mistakes"),
    [
        ("messages", [OPERATOR, OPERATOR], [f"messages.0.role: {TURNS.format('user')}", "turn_count: expected 2"]),
        ("messages", [USER, OPERATOR, OPERATOR], [f"messages.2.role: {TURNS.format('user')}", "turn_count: expected 2"]),
        ("messages", [USER, USER, OPERATOR],
         [f"messages.1.role: {TURNS.format('assistant')}", f"messages.2.role: {TURNS.format('user')}"]),
        ("messages.0.thinking", "Hm.", ["messages.0.thinking: only 'assistant' messages have it"]),
        ("metadata.turn_count", 2, ["metadata.turn_count: expected 1"]),
        ("messages.0.content", "<no_response/>", ["messages.0.content"]),
        ("messages.0.content", "I heard <no_response/>.", ["messages.0.content"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_row_as_a_whole(where: str, value: Any, mistakes: list[str]) -> None:
    """Roles alternate, turns are counted, and only the operator thinks or uses the token (ROW-2, TOK-2, TOK-3)."""
    found = row_mistakes(read_model(Row, changed(ROW, where, value)))
    assert len(found) == len(mistakes)
    assert [words for words, mistake in zip(mistakes, found, strict=True) if words not in mistake] == []
