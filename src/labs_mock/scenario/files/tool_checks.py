"""What is wrong with the tools of a scenario, and with what calls them, beyond the schema."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Validator

from labs_mock.scenario.compiled.tools import compile_schema
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion, mappings, texts

Data = dict[str, Any]


def check_tools(data: Data) -> Iterator[Mistake]:
    """Modes, options and JSON Schemas of the tools."""
    for path, tool in mappings(data, "tools.*"):
        mode = tool.get("mode")
        for key in ("json_schema", "options"):
            if mode == key and key not in tool:
                yield Mistake(path, f"mode {key} without '{key}'", f"expected '{key}' in this tool")
            if mode in ("json_schema", "options") and mode != key and key in tool:
                yield Mistake((*path, key), f"'{key}' beside mode {mode}", "remove it, or change the mode", True)
        for option, times in Counter(option for _, option in texts(tool, "options.*")).items():
            if times > 1 and isinstance(tool["options"], list):
                yield Mistake(
                    (*path, "options"), f"the option '{option}' stands {times} times", "expected options that differ"
                )
        if isinstance(tool.get("json_schema"), dict) and (error := _schema_error(tool["json_schema"])):
            yield Mistake(
                (*path, "json_schema"),
                f"not a JSON Schema: {error}",
                "expected a schema that refers to nothing outside itself",
            )


def _schema_error(schema: Data) -> str | None:
    try:
        compile_schema(schema)
    except ValueError as error:
        return str(error)
    return None


def check_outputs(data: Data) -> Iterator[Mistake]:
    """Expected outputs, and calls of simulated operators."""
    tools = {
        tool["id"]: _Tool.from_data(tool) for _, tool in mappings(data, "tools.*") if isinstance(tool.get("id"), str)
    }
    for path, output in mappings(data, "criteria.outputs.*"):
        name, kinds = output.get("tool"), [key for key in ("exemplar", "expected") if key in output]
        if len(kinds) != 1:
            yield Mistake(path, "an output with both, or with neither", "expected either 'exemplar' or 'expected'")
        if not isinstance(name, str):
            continue
        tool = tools.get(name)
        if tool is None:
            yield Mistake((*path, "tool"), f"unknown tool '{name}'", Suggestion(name, tools))
            continue
        yield from _output(path, output, tool)
    for path, call in [*mappings(data, "operators.*.says.*.*"), *mappings(data, "operators.*.says.*.parts.*")]:
        if isinstance(call.get("call"), str) and call["call"] not in tools:
            yield Mistake((*path, "call"), f"unknown tool '{call['call']}'", Suggestion(call["call"], tools))


@dataclass(frozen=True, slots=True)
class _Tool:
    """A tool as outputs are compared with it, made once for all of them; what is wrong in it is None here."""

    id: str
    options: dict[str, None] | None
    validator: Validator | None

    @classmethod
    def from_data(cls, tool: Data) -> "_Tool":
        options, schema = tool.get("options"), tool.get("json_schema")
        texts = dict.fromkeys(text for text in options if isinstance(text, str)) if isinstance(options, list) else None
        validator = None
        with suppress(ValueError):  # a mistake of the tool itself
            validator = compile_schema(schema) if isinstance(schema, dict) else None
        return cls(tool["id"], texts, validator)


def _output(path: Steps, output: Data, tool: _Tool) -> Iterator[Mistake]:
    expected, exemplar = output.get("expected"), output.get("exemplar")
    if isinstance(expected, str) and tool.options is None:
        yield Mistake((*path, "expected"), f"the tool '{tool.id}' has no options", "expected 'exemplar' for it")
    elif isinstance(expected, str) and tool.options is not None and expected not in tool.options:
        yield Mistake(
            (*path, "expected"), f"'{tool.id}' has no option '{expected}'", Suggestion(expected, tool.options)
        )
    error = next(tool.validator.iter_errors(exemplar), None) if tool.validator and isinstance(exemplar, dict) else None
    if error is not None:
        where = (*path, "exemplar", *error.instance_path)
        yield Mistake(where, f"the exemplar breaks the tool's schema: {error.message}", "expected a valid input")
