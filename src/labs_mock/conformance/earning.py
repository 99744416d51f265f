"""Conversations that may earn something: those of a file, and those that a scenario's public texts suggest."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from hypothesis import Phase, find, settings

from labs_mock.conformance.offered import Json, OfferedScenario, OfferedTool
from labs_mock.conformance.strategies import NEUTRAL, SENTENCES, calls, operator
from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS
from labs_mock.errors import LabsMockError

EXPECTED = (
    "expected collection_slug, scenario_slug and messages as for /evaluate, or scenario_id and messages as in an export, "
    "with the persona as user and the operator as assistant"
)
FIRST = settings(database=None, derandomize=True, phases=[Phase.generate], max_examples=1)
"""For Hypothesis: the simplest value, as it comes."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_WORDS = 60  # of a scenario's texts, about which the operator asks

Turns = tuple[Json, ...]
"""The operator's messages of a conversation, one a turn."""


def read_conversations(name: str) -> dict[tuple[str, str], list[Turns]]:
    """The operator's messages of a file's conversations, by collection and scenario: one as JSON, a list of them, or one a line.

    Raises `LabsMockError` for a file that cannot be read or holds anything else.
    """
    try:
        content = Path(name).read_bytes()
    except OSError as error:
        raise LabsMockError(f"{name}: {error.strerror}") from None
    entries = list(_entries(name, content))
    if not entries:
        raise LabsMockError(f"{name}: no conversation; {EXPECTED}")
    found: dict[tuple[str, str], list[Turns]] = {}
    for number, entry in enumerate(entries, 1):
        scenario, turns = _conversation(entry, f"{name}: conversation {number}")
        found.setdefault(scenario, []).append(turns)
    return found


def beginnings(conversations: Sequence[Sequence[Json]]) -> list[Turns]:
    """The beginnings of conversations, the shortest first, and no more of them than a batch has items."""
    every = [tuple(turns[:end]) for turns in conversations for end in range(1, len(turns) + 1)]
    return sorted(every, key=len)[:MAX_ITEMS]


def suggested(scenario: OfferedScenario) -> list[Turns]:
    """What may earn something, at most a batch: first what nobody rewards, then lines about the scenario's texts, one by one and
    together, and last the calls of its tools, which may end an episode.
    """
    texts = [scenario.name, scenario.description, scenario.opening, *_texts_of(scenario.tools)]
    words = dict.fromkeys(word.lower() for text in texts for word in _WORD.findall(text))
    lines = [*SENTENCES, *(f"Can you tell me about the {word}?" for word in [*words][-_WORDS:])]
    together = operator(" ".join(lines)[:MAX_CONTENT])
    acting = [operator("Hm.", call) for call in _calls(scenario)]
    found = [(NEUTRAL,), *((operator(line),) for line in lines), (together,), (together,) * 3]
    found += [(message,) for message in acting] + [(together, message) for message in acting]
    return found[:MAX_ITEMS]


def _calls(scenario: OfferedScenario) -> Iterator[Json]:
    """A call of every artifact, and one with every option of a decision."""
    for tool in scenario.tools:
        for option in tool.options:
            yield {"type": tool.type, "name": tool.id, "input": {"value": option}}
        if tool.json_schema and not tool.options:
            yield find(calls(tool), lambda _: True, settings=FIRST)


def _texts_of(value: Any) -> Iterator[str]:
    """All texts in tools and in their schemas."""
    if isinstance(value, str):
        yield value.replace("_", " ")
    elif isinstance(value, OfferedTool):
        yield from _texts_of([value.id, value.name, value.description, value.options, value.json_schema])
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (*_texts_of(name), *_texts_of(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts_of(inner)


def _entries(name: str, content: bytes) -> Iterator[Any]:
    try:
        whole = orjson.loads(content)
    except orjson.JSONDecodeError:
        pass
    else:
        yield from whole if isinstance(whole, list) else [whole]
        return
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                raise LabsMockError(f"{name}:{number}: expected JSON; {EXPECTED}") from None


def _conversation(entry: Any, place: str) -> tuple[tuple[str, str], Turns]:
    try:
        collection, _, slug = entry.get("scenario_id", "").partition("/")
        scenario = entry.get("collection_slug", collection), entry.get("scenario_slug", slug)
        roles = {message["role"] for message in entry["messages"]}
        own = [message for message in entry["messages"] if message["role"] == "assistant"]
        turns = tuple(operator(message["content"], *(message.get("tool_calls") or ())) for message in own)
    except (AttributeError, KeyError, TypeError):
        raise LabsMockError(f"{place}: {EXPECTED}") from None
    if not all(scenario) or "user" not in roles or not turns:
        raise LabsMockError(f"{place}: {EXPECTED}")
    return scenario, turns
