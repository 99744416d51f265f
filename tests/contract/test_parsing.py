from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.contract.limits import MAX_NESTING, MAX_QUOTE
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.requests import Evaluate, TakeTurn
from labs_mock.errors import BadRequest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=30,
)


def depth(value: Any) -> int:
    """Levels of nesting, read recursively."""
    children = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if children is None else 1 + max(map(depth, children), default=0)


def refusal(read: Callable[[], Any]) -> str | None:
    """The message of a 400, or None if there is none."""
    try:
        read()
    except BadRequest as error:
        return error.message
    return None


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_an_object_is_read_as_it_is(value: dict[str, Any]) -> None:
    """A JSON object within the limits comes out as it went in (GEN-1)."""
    assert read_json(orjson.dumps(value), b"application/json") == value


@given(st.binary(max_size=60))
@example(b'{"a": "\xff"}')
@example(b"\xef\xbb\xbf{}")
def test_anything_else_is_a_bad_request(body: bytes) -> None:
    """Any bytes are an object or a 400, never another exception (GEN-3)."""
    refused = refusal(lambda: read_json(body, b"application/json"))
    assert refused is None or refused.startswith("body: expected")


@given(st.integers(1, 140), st.sampled_from(["[]", "{}", "both"]), st.integers(0, 50))
def test_nesting_is_counted_exactly(levels: int, kind: str, width: int) -> None:
    """64 levels are read and 65 refused, however wide the body is (GEN-6)."""
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if kind == "[]" or (kind == "both" and level % 2) else {"k": value}
    body = {"deep": value, "wide": [[] for _ in range(width)]} if levels > 1 else {}
    if depth(body) <= MAX_NESTING:
        assert read_json(orjson.dumps(body), b"application/json") == body
    else:
        with pytest.raises(BadRequest, match="at most 64 levels"):
            read_json(orjson.dumps(body), b"application/json")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", 'application/json; charset="UTF-8"', "application/json;charset=utf-8"],
)
def test_json_content_types(content_type: str) -> None:
    """Case, quotes and a UTF-8 charset do not matter (GEN-3)."""
    assert read_json(b"{}", content_type.encode()) == {}


@pytest.mark.parametrize(
    "content_type", [None, "", "text/json", "application/jsonl", "application/json; charset=utf-16"]
)
def test_other_content_types(content_type: str | None) -> None:
    """Everything else is refused (GEN-3)."""
    with pytest.raises(BadRequest, match="Content-Type: expected application/json"):
        read_json(b"{}", None if content_type is None else content_type.encode())


@given(json_values, st.sampled_from(["collection_slug", "messages", "reward_config"]))
def test_every_wrong_value_is_named_and_quoted_shortly(value: Any, field: str) -> None:
    """Whatever stands in a field gives a model or a message that names the field (ERR-2)."""
    body = {"collection_slug": "a", "scenario_slug": "b", "messages": []} | {field: value}
    refused = refusal(lambda: read_model(Evaluate, body))
    assert refused is None or refused.startswith(field)
    assert refused is None or len(refused) < 3 * 120 + MAX_QUOTE


def test_a_million_tool_calls_are_refused_by_their_number() -> None:
    """The first call beyond the hundredth ends the reading (GEN-6)."""
    calls = [{"type": "artifact", "name": "x", "input": {}}] * 1_000_000
    message = {"role": "assistant", "content": "", "tool_calls": calls}
    with pytest.raises(BadRequest, match=r"messages\.0\.tool_calls: expected at most 100 entries"):
        read_model(TakeTurn, {"messages": [message]})


def test_several_mistakes_are_told_together() -> None:
    """Up to three, and how many more there are."""
    with pytest.raises(BadRequest) as caught:
        read_model(Evaluate, {"reward_config": {"quality_weights": {"a": 1, "b": 2}}})
    assert caught.value.message == (
        "collection_slug: is required; scenario_slug: is required; messages: is required; and 2 more"
    )


def test_a_key_is_not_quoted_where_a_name_is_expected() -> None:
    """Not even one that could be the name of a field (ERR-2)."""
    with pytest.raises(BadRequest) as caught:
        read_model(Evaluate, {"reward_config": {"quality_weights": {"lab_local": 1}}})
    assert "local" not in caught.value.message
