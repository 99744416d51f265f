"""Requests that are valid, at the border, and invalid."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from labs_mock.conformance.offered import Json, OfferedScenario, OfferedTool
from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.limits import MAX_CONTENT
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.text import utf16_length

SENTENCES = (
    "Hello, how are you?",
    "Tell me what happened.",
    "Thank you. I understand, that must be hard.",
    "Can you tell me more about that?",
    "How do you feel about it? Are you worried?",
    "What have you tried so far?",
    "What matters most to you?",
    "Is there anything else that I should know?",
    "Let us make a plan for the next step.",
    "Please see your doctor if it gets worse.",
    "I am not sure. Could you send me the documents?",
    "How did it go?",
)
"""What moves a persona in many scenarios."""

NEUTRAL = {"role": "assistant", "content": "Hm, one moment, if I may."}
"""What moves no persona, and earns nothing where anything must be earned (RC-6)."""

PROVOCATIONS = (
    "You have a herniated disc, that is a pulled muscle.",
    "You should stop taking your medication, it is perfectly normal and harmless.",
    "I guarantee it, you can't lose, and nothing will happen to you.",
    "You will definitely get it, I promise.",
    "I will hurt you, you idiot.",
)
"""What scope and terminology forbid in many scenarios (RC-3)."""

_WORD = re.compile(r"[^\W\d_]{5,}")


@cache
def sentences(scenario: OfferedScenario) -> SearchStrategy[str]:
    """Plain sentences, some about what the scenario's name and description speak of."""
    about = dict.fromkeys(_WORD.findall(f"{scenario.name} {scenario.description}"))
    return st.sampled_from([*SENTENCES, *(f"What about the {word.lower()}?" for word in about)])


@cache
def texts() -> SearchStrategy[str]:
    """Any text that JSON can hold: astral characters, control characters and odd spaces among it."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@cache
def contents(scenario: OfferedScenario) -> SearchStrategy[str]:
    """What an operator says: mostly one to three sentences, now and then anything."""
    plain = st.lists(sentences(scenario), min_size=1, max_size=3).map(" ".join)
    return st.one_of(plain, plain, plain, texts(), st.just(NO_RESPONSE), st.sampled_from(PROVOCATIONS))


@cache
def at_the_border(length: int = MAX_CONTENT) -> SearchStrategy[str]:
    """Texts of exactly so many UTF-16 code units, of characters of one byte up to four (EP-9)."""
    return st.sampled_from("aé\N{MUSICAL SYMBOL G CLEF}").map(lambda char: char * (length // utf16_length(char)))


def calls(tool: OfferedTool) -> SearchStrategy[Json]:
    """Valid calls of a tool: an option, or an object that its schema describes (EP-9)."""
    inputs = _values(tool.json_schema) if tool.json_schema else st.sampled_from(tool.options).map(_decision)
    return inputs.map(lambda value: {"type": tool.type, "name": tool.id, "input": value})


@cache
def messages(scenario: OfferedScenario) -> SearchStrategy[Json]:
    """Messages of the operator, one in four of them with a tool call."""
    plain = contents(scenario).map(operator)
    usable = [tool for tool in scenario.tools if tool.options or tool.json_schema]
    if not usable:
        return plain
    acting = st.builds(operator, contents(scenario), st.sampled_from(usable).flatmap(calls))
    return st.one_of(plain, plain, plain, acting)


@cache
def conversations(scenario: OfferedScenario, most: int = 4) -> SearchStrategy[list[Json]]:
    """Conversations of one to so many turns, in which the persona is `user` (EP-8), behind what earns something."""
    return turns(scenario, most).map(lambda messages: as_conversation(scenario, messages))


@cache
def turns(scenario: OfferedScenario, most: int = 4) -> SearchStrategy[list[Json]]:
    """One to so many messages of the operator, each a turn; mostly behind those that earn something (RC-6)."""
    plain = st.lists(messages(scenario), min_size=1, max_size=most)
    if not scenario.earning:
        return plain
    behind = plain.map(lambda messages: after_earning(scenario, *messages))
    return st.one_of(behind, behind, plain)


def after_earning(scenario: OfferedScenario, *messages: Json) -> list[Json]:
    """Messages of the operator behind those that earn something, if any are known."""
    return [*(scenario.earning or ()), *messages]


def as_conversation(scenario: OfferedScenario, messages: Sequence[Json]) -> list[Json]:
    """The operator's messages as a conversation that the persona's opening begins."""
    turns = [[persona("Yes."), message] for message in messages]
    return [persona(scenario.opening or "Hello."), *[message for turn in turns for message in turn][1:]]


@cache
def weights() -> SearchStrategy[dict[str, float]]:
    """Quality weights; 0 and 1 often, never so small that rounding matters (RC-1)."""
    weight = st.sampled_from([0, 1, 0.5]) | st.floats(0.01, 1)
    return st.dictionaries(dimensions(), weight, max_size=len(DIMENSIONS))


@cache
def dimensions() -> SearchStrategy[str]:
    """Names of dimensions (RC-1)."""
    return st.sampled_from(DIMENSIONS)


def operator(content: str, *calls: Json) -> Json:
    """A message of the operator."""
    return {"role": "assistant", "content": content} | ({"tool_calls": list(calls)} if calls else {})


def persona(content: str) -> Json:
    """A message of the persona in a conversation that is sent whole."""
    return {"role": "user", "content": content}


def comparable(result: Json, *names: str) -> Json:
    """The body of a response without what differs from request to request."""
    changing = {"request_id", "evaluation_time_ms", "total_time_ms", *names}
    kept = {name: value for name, value in result.items() if name not in changing}
    return {name: comparable(value) if isinstance(value, dict) else value for name, value in kept.items()}


def _decision(option: str) -> Json:
    return {"value": option}


def _values(schema: Any) -> SearchStrategy[Any]:
    """Values for the plain part of JSON Schema that tools use; what is beyond it gets a text."""
    if not isinstance(schema, dict):
        return st.just("text")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type", "object" if "properties" in schema else "string")
    return _BY_TYPE.get(kind if isinstance(kind, str) else kind[0], _text)(schema)


def _object(schema: Json) -> SearchStrategy[Any]:
    return st.fixed_dictionaries({name: _values(inner) for name, inner in schema.get("properties", {}).items()})


def _list(schema: Json) -> SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    return st.lists(_values(schema.get("items")), min_size=least, max_size=max(least, 2))


def _text(schema: Json) -> SearchStrategy[Any]:
    least = schema.get("minLength", 1)
    return st.sampled_from(["yes", "lumbar spine", "as agreed"]).map(lambda text: text.ljust(least, "."))


def _number(schema: Json) -> SearchStrategy[Any]:
    least = int(schema.get("minimum", 0))
    return st.integers(least, max(least, int(schema.get("maximum", least + 10))))


_BY_TYPE: dict[str, Callable[[Json], SearchStrategy[Any]]] = {
    "object": _object,
    "array": _list,
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
}
