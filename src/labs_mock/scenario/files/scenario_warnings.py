"""What a scenario may have and was hardly meant, as far as a server can look for it while it starts."""

from collections.abc import Iterator
from typing import Any

from labs_mock.scenario.files.paths import Mistake, Steps, find
from labs_mock.scenario.rules.rule_checks import slow_rules

Data = dict[str, Any]


def scenario_warnings(data: Data) -> Iterator[Mistake]:
    """Slow expressions, alternatives that are all said, texts cut at commas."""
    yield from slow_rules(data)
    yield from _texts_side_by_side(data)
    for path, schema in find(data, "tools.*.json_schema"):
        yield from _cut_texts(path, schema)


def _texts_side_by_side(data: Data) -> Iterator[Mistake]:
    for pattern in ("operators.*.says.*", "operators.*.says.*.parts"):
        for path, parts in find(data, pattern):
            if isinstance(parts, list) and sum(isinstance(part, str) for part in parts) > 1:
                yield Mistake(
                    path, "texts side by side are all said", "for alternatives put them into a list of their own"
                )


def _cut_texts(path: Steps, schema: Any) -> Iterator[Mistake]:
    """Keys without a value in a schema: `{a text, with a comma}` without quotes is two keys."""
    children = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    for step, child in children:
        if child is None and isinstance(step, str) and step not in ("const", "default"):
            yield Mistake((*path, step), f"'{step}' has no value", "quote a text that has a comma in it", True)
        yield from _cut_texts((*path, step), child)
