import json
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import BatchEvaluate, Compare, CreateEpisode, Evaluate, TakeTurn
from labs_mock.contract.unknown_fields import duplicate_keys, unknown_fields
from tests.contract.test_parsing import json_values

KNOWN = {"messages": [{"role": "user", "content": "x", "tool_calls": [{"type": "a", "name": "b", "input": {"q": 1}}]}]}


def test_what_is_known_is_not_duplicates() -> None:
    """Documented fields give no finding, and what stands in a tool's input is the scenario's business (GEN-4)."""
    assert unknown_fields(TakeTurn, {**KNOWN, "id": None, "reward_config": None}) == []


@given(st.lists(st.sampled_from(["idd", "messages.", "x", "lab_secret"]), unique=True, max_size=4))
def test_what_is_unknown_is_noticed_by_place(names: list[str]) -> None:
    """Each unknown field gives one finding with its place, and a suggestion (GEN-4)."""
    message = {**KNOWN["messages"][0], **dict.fromkeys(names)}
    found = unknown_fields(TakeTurn, {"messages": [KNOWN["messages"][0], message], **dict.fromkeys(names, 1)})
    assert [finding.place for finding in found] == [*names, *(f"messages.1.{name}" for name in names)]
    assert {finding.code for finding in found} <= {"unknown_field"}


@given(
    st.sampled_from([TakeTurn, Evaluate, Compare, CreateEpisode, BatchEvaluate]),
    st.dictionaries(
        st.sampled_from(["messages", "items", "response_a", "reward_config", "id", "mesages"]), json_values
    ),
)
def test_a_request_that_will_be_refused_is_looked_at_too(model: type[Any], value: dict[str, Any]) -> None:
    """Whatever else is wrong with an object, its unknown fields are reported: the typo may be the cause (GEN-4)."""
    places = [finding.place for finding in unknown_fields(model, value)]
    assert [place for place in places if "." not in place] == [name for name in value if name not in model.model_fields]


def duplicates(body: bytes) -> list[Finding]:
    """The duplicate keys of a body."""
    return duplicate_keys(body, orjson.loads(body))


def test_a_flood_is_cut() -> None:
    """A million unknown fields, or ten thousand duplicate keys, teach no more than twenty do; more are not searched for."""
    assert len(unknown_fields(TakeTurn, {**KNOWN, **{f"x{number}": 1 for number in range(1_000_000)}})) == 20
    assert len(duplicates(b"[" + b",".join([b'{"a":1,"a":2}'] * 10_000) + b"]")) == 20
    assert duplicates(b"[" + b",".join([b'{"a":1,"\\u0061":2}'] * 100_000) + b"]")[0].place == "a"


# JSON objects as lists of pairs, so that a key may stand there twice.
Node = Any
nodes = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["", 'a":', '{"a":1,"a":2}']),
    lambda children: (
        st.lists(children, max_size=3)
        | st.lists(st.tuples(st.sampled_from(["a", "b", "é", '"', ""]), children), max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def text(node: Node, spelt: bool) -> str:
    """A node as JSON, its keys perhaps spelt with escapes."""
    if isinstance(node, tuple):
        pairs = (f"{json.dumps(key, ensure_ascii=spelt)} : {text(child, not spelt)}" for key, child in node)
        return "{" + ",".join(pairs) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(text(child, spelt) for child in node) + "]"
    return json.dumps(node)


def twice(node: Node, place: str = "") -> list[str]:
    """The places of keys that stand twice, by the definition: looked for pair by pair, in the last ones of each."""
    if isinstance(node, list):
        return [found for index, child in enumerate(node) for found in twice(child, f"{place}{index}.")]
    if not isinstance(node, tuple):
        return []
    keys = [key for key, _ in node]
    here = [f"{place}{key}" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    last = {key: next(child for name, child in reversed(node) if name == key) for key in dict.fromkeys(keys)}
    return here + [found for key, child in last.items() for found in twice(child, f"{place}{key}.")]


@given(nodes, st.booleans())
def test_duplicate_keys_are_noticed_by_place(node: Node, spelt: bool) -> None:
    """However they are spelt, and nowhere else, though the text may look like it (GEN-6)."""
    expected = [Finding("duplicate_key", place, "send it once") for place in dict.fromkeys(twice(node))]
    body = text(node, spelt).encode()
    assert duplicates(body) == expected[:20]
    large = b'[%b,"%b","%b"]' % (body, b"x:" * 40_000, b"\\u003a" if spelt else b"")
    assert bool(duplicates(large)) == bool(expected)
