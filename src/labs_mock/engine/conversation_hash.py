"""A hash of the operator's texts and calls: equal conversations have the same, in every spelling (EP-8)."""

from collections.abc import Iterable

import orjson
from xxhash import xxh3_64_intdigest

from labs_mock.engine.player import Turn


def conversation_hash(turns: Iterable[Turn], before: int = 0) -> int:
    """64 bits; `before` is the hash of the turns that came before these, so that a turn costs what its own text costs."""
    for turn in turns:
        for message in turn:
            before = xxh3_64_intdigest(message["content"].encode(), before)
            if tool_calls := message.get("tool_calls"):
                calls = [(call.type, call.name, call.input) for call in tool_calls]
                before = xxh3_64_intdigest(orjson.dumps(calls, option=orjson.OPT_SORT_KEYS), before)
        before ^= 1  # so that two turns of one message each differ from one turn of both
    return before
