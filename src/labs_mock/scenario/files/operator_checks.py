"""What simulated operators and rules on tool calls cannot do, though a scenario with them can be loaded."""

from collections.abc import Iterator
from typing import Any

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.compiled.tools import Tool
from labs_mock.scenario.files.paths import Mistake, Steps, find, mappings
from labs_mock.scenario.files.schema import ToolFile
from labs_mock.scenario.rules.checks import PLACES
from labs_mock.scenario.rules.satisfiable import misfit

Data = dict[str, Any]


def check_operators(data: Data) -> Iterator[Mistake]:
    """Warnings of a scenario without mistakes: calls that tools would refuse, rules that no call meets, turns beyond the last."""
    tools = {tool["id"]: Tool.from_file(ToolFile.model_validate(tool)) for _, tool in mappings(data, "tools.*")}
    for pattern in ("operators.*.says.*.*", "operators.*.says.*.parts.*"):
        for path, part in mappings(data, pattern):
            tool = tools[part["call"]] if "call" in part else None
            problem = tool.problem(tool.type, part["input"]) if tool else None
            if problem is not None:
                expected = "expected a valid input; an invalid call matches no rule, and may end the episode"
                yield Mistake((*path, "input"), f"a call that its tool refuses: {': '.join(problem)}", expected)
    for place in PLACES:
        for path, rule in find(data, place.pattern):
            yield from _calls(path, rule, tools)
    limit = data.get("max_turns", MAX_TURNS)
    for path, turns in find(data, "operators.*.says"):
        if len(turns) > limit:
            message = f"operator '{path[1]}' has {len(turns)} turns, and an episode ends after {limit}"
            yield Mistake((*path, limit), message, f"expected at most {limit}, or a larger max_turns")


def _calls(path: Steps, rule: Any, tools: dict[str, Tool]) -> Iterator[Mistake]:
    """The rules on calls below a rule that no valid input can meet."""
    children = rule.items() if isinstance(rule, dict) else enumerate(rule) if isinstance(rule, list) else ()
    for step, child in children:
        if step != "calls":
            yield from _calls((*path, step), child, tools)
        elif isinstance(child, dict) and "input" in child:
            found = misfit(_inputs(tools[child["tool"]]), child["input"])
            if found is not None:
                where, reason = found
                message = f"no valid call of '{child['tool']}' has this: {reason}"
                yield Mistake((*path, step, "input", *where), message, "the rule never yields a turn", True)


def _inputs(tool: Tool) -> Any:
    """The JSON Schema of a tool's inputs, also where it has options."""
    if tool.options is None:
        return tool.wire["json_schema"]
    value = {"enum": list(tool.options)}
    return {"type": "object", "required": ["value"], "properties": {"value": value}, "additionalProperties": False}
