"""What simulated operators and rules on tool calls cannot do, though a scenario with them can be loaded."""

from collections.abc import Iterator
from typing import Any

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.compiled.tools import Tool
from labs_mock.scenario.files.paths import Mistake, find, mappings
from labs_mock.scenario.files.schema import ToolFile
from labs_mock.scenario.rules.rule_checks import impossible_rules

Data = dict[str, Any]


def impossible_parts(data: Data) -> Iterator[Mistake]:
    """Warnings of a scenario without mistakes: calls that tools refuse, rules that no call matches, turns beyond the last."""
    tools = {tool["id"]: Tool.from_file(ToolFile.model_validate(tool)) for _, tool in mappings(data, "tools.*")}
    yield from _refused_calls(data, tools)
    yield from impossible_rules(data, {name: tool.input_schema for name, tool in tools.items()})
    yield from _surplus_turns(data)


def _refused_calls(data: Data, tools: dict[str, Tool]) -> Iterator[Mistake]:
    for pattern in ("operators.*.says.*.*", "operators.*.says.*.parts.*"):
        for path, part in mappings(data, pattern):
            tool = tools[part["call"]] if "call" in part else None
            problem = tool.problem(tool.type, part["input"]) if tool else None
            if problem is not None:
                expected = "expected a valid input; an invalid call matches no rule, and may end the episode"
                yield Mistake((*path, "input"), f"a call that its tool refuses: {': '.join(problem)}", expected)


def _surplus_turns(data: Data) -> Iterator[Mistake]:
    limit = data.get("max_turns", MAX_TURNS)
    for path, turns in find(data, "operators.*.says"):
        if len(turns) > limit:
            message = f"operator '{path[1]}' has {len(turns)} turns, and an episode ends after {limit}"
            yield Mistake((*path, limit), message, f"expected at most {limit}, or a larger max_turns")
