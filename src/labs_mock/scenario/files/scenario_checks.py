"""What is wrong with a scenario or dataset beyond its schema: references, shapes, numbers that must agree.

Checks read plain data and pass over what has the wrong type, so that they run beside the schema and all
mistakes of a file are reported at once.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from jsonschema_rs import Validator

from labs_mock.contract.dimensions import DIMENSIONS, Dimension, default_name
from labs_mock.contract.limits import MAX_CONTENT
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.scenario.compiled.tools import compile_schema
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion, find, mappings, texts
from labs_mock.scenario.rules.rule_checks import check_rules
from labs_mock.text import utf16_length

Data = dict[str, Any]


def check_scenario(data: Data) -> Iterator[Mistake]:
    """All mistakes of a scenario file that its schema cannot see."""
    for check in _CHECKS:
        yield from check(data)


_SPOKEN = (
    *("persona.opening", "persona.replies.*.reply", "persona.fallback.*", "state.*.reply", "state.*.deflect"),
    *("sessions.*.reach_out.*.say", "closing", "briefing", "documents.*.text"),
)


def _token(data: Data) -> Iterator[Mistake]:
    """What the persona says never has the token of the operator's silence (TOK-3)."""
    for pattern in _SPOKEN:
        for path, text in texts(data, pattern):
            if NO_RESPONSE in text:
                yield Mistake(path, f"the persona never says {NO_RESPONSE}", "expected other words")


_UNIQUE = (
    "state.*.id",
    "tools.*.id",
    "criteria.success_metrics.*.id",
    "criteria.failure_metrics.*.id",
    "criteria.best_practices.*.id",
    "criteria.rubrics.*.criteria.*.id",
    "criteria.scope.prohibited.*.id",
    "criteria.scope.must_refer.*.id",
)


def _ids(data: Data) -> Iterator[Mistake]:
    for pattern in _UNIQUE:
        seen: set[str] = set()
        for path, name in texts(data, pattern):
            if name in seen:
                yield Mistake(path, f"the id '{name}' is taken", "expected ids that differ")
            seen.add(name)


# What each shape needs, and what it has no place for.
_SHAPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "decision_task": (("briefing", "tools"), ("persona", "rapport", "sessions", "closing")),
    "conversation": (("persona",), ("briefing", "documents", "sessions", "closing")),
    "journey": (("persona", "sessions", "closing"), ("briefing", "documents")),
}


def _shape(data: Data) -> Iterator[Mistake]:
    shape = data.get("shape")
    needed, refused = _SHAPES.get(shape, ((), ())) if isinstance(shape, str) else ((), ())
    for key in needed:
        if not data.get(key):
            yield Mistake(("shape",), f"a {shape} without '{key}'", f"expected '{key}' in this file")
    for key in refused:
        if key in data:
            yield Mistake(
                (key,), f"'{key}' has no place in a {shape}", f"remove it, or choose another shape than {shape}", True
            )


def _state(data: Data) -> Iterator[Mistake]:
    for path, item in mappings(data, "state.*"):
        hidden, reveal = item.get("kind") == "hidden", item.get("reveal")
        if hidden and reveal is not None:
            yield Mistake(
                (*path, "reveal"), "a hidden item has no reveal trigger", "remove it; 'when' uncovers the item", True
            )
        if not hidden and reveal is None:
            yield Mistake(
                path, "a known item without 'reveal'", "expected volunteered, direct_question or rapport_required"
            )
        if not hidden and data.get("shape") == "decision_task":
            yield Mistake(path, "a decision task has no persona to know this", "expected kind: hidden")
        if "when" not in item and (hidden or reveal in ("direct_question", "rapport_required")):
            yield Mistake(
                path, f"a {'hidden' if hidden else reveal} item without 'when'", "expected the rule that reveals it"
            )
        if reveal == "rapport_required" and "rapport" not in data:
            yield Mistake(
                (*path, "reveal"), "rapport_required without 'rapport'", "expected a 'rapport' section in this file"
            )
        if "deflect" in item and reveal != "rapport_required":
            yield Mistake((*path, "deflect"), "only rapport_required items are deflected", "remove it", True)


def _lengths(data: Data) -> Iterator[Mistake]:
    """No observation and no turn of a simulated operator may be longer than a message (EP-9)."""
    replies = -1 + sum(utf16_length(reply) + 1 for _, reply in texts(data, "state.*.reply"))
    say = max((utf16_length(say) + 1 for _, say in texts(data, "sessions.*.reach_out.*.say")), default=0)
    if replies + say > MAX_CONTENT:
        yield Mistake(
            ("state",),
            "the replies are too long for one observation",
            f"expected at most {MAX_CONTENT:,} characters together",
        )
    given = [
        text for pattern in ("briefing", "documents.*.title", "documents.*.text") for _, text in texts(data, pattern)
    ]
    if sum(utf16_length(text) + 2 for text in given) - 2 > MAX_CONTENT:
        yield Mistake(
            ("briefing",),
            "briefing and documents are too long for one observation",
            f"expected at most {MAX_CONTENT:,} characters together",
        )
    for path, turn in find(data, "operators.*.says.*"):
        parts = turn.get("parts") if isinstance(turn, dict) else turn
        if isinstance(parts, list) and sum(_longest(part) + 1 for part in parts) - 1 > MAX_CONTENT:
            yield Mistake(
                path, "the turn is too long for one message", f"expected at most {MAX_CONTENT:,} characters together"
            )


def _longest(part: Any) -> int:
    """The length of the longest text that a part of a turn may say; -1 for a part that says nothing."""
    if isinstance(part, dict):
        return _longest(part.get("say"))
    alternatives = part if isinstance(part, list) else [part]
    return max((utf16_length(text) for text in alternatives if isinstance(text, str)), default=-1)


def _tools(data: Data) -> Iterator[Mistake]:
    for path, tool in mappings(data, "tools.*"):
        mode = tool.get("mode")
        for key in ("json_schema", "options"):
            if mode == key and key not in tool:
                yield Mistake(path, f"mode {key} without '{key}'", f"expected '{key}' in this tool")
            if mode in ("json_schema", "options") and mode != key and key in tool:
                yield Mistake((*path, key), f"'{key}' beside mode {mode}", "remove it, or change the mode", True)
        options = (
            [option for option in tool.get("options") or () if isinstance(option, str)]
            if isinstance(tool.get("options"), list)
            else []
        )
        for option, times in Counter(options).items():
            if times > 1:
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


def _outputs(data: Data) -> Iterator[Mistake]:
    tools = {tool["id"]: _Target.of(tool) for _, tool in mappings(data, "tools.*") if isinstance(tool.get("id"), str)}
    for path, output in mappings(data, "criteria.outputs.*"):
        name, given = output.get("tool"), [key for key in ("exemplar", "expected") if key in output]
        if len(given) != 1:
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
class _Target:
    """A tool that outputs name, made once for all of them: its options, and the judge of its inputs."""

    id: str
    options: dict[str, None] | None
    validator: Validator | None

    @classmethod
    def of(cls, tool: Data) -> "_Target":
        options, schema = tool.get("options"), tool.get("json_schema")
        words = dict.fromkeys(word for word in options if isinstance(word, str)) if isinstance(options, list) else None
        validator = None
        with suppress(ValueError):  # which is a mistake of the tool's own
            validator = compile_schema(schema) if isinstance(schema, dict) else None
        return cls(tool["id"], words, validator)


def _output(path: Steps, output: Data, tool: _Target) -> Iterator[Mistake]:
    expected, exemplar = output.get("expected"), output.get("exemplar")
    if isinstance(expected, str) and tool.options is None:
        yield Mistake((*path, "expected"), f"the tool '{tool.id}' has no options", "expected 'exemplar' for it")
    elif isinstance(expected, str) and tool.options is not None and expected not in tool.options:
        yield Mistake(
            (*path, "expected"), f"'{tool.id}' has no option '{expected}'", Suggestion(expected, tool.options)
        )
    error = next(tool.validator.iter_errors(exemplar), None) if tool.validator and isinstance(exemplar, dict) else None
    if error is not None:
        place = (*path, "exemplar", *error.instance_path)
        yield Mistake(place, f"the exemplar breaks the tool's schema: {error.message}", "expected a valid input")


def _sessions(data: Data) -> Iterator[Mistake]:
    sessions = mappings(data, "sessions.*")
    for index, (path, session) in enumerate(sessions):
        variants = session["reach_out"] if isinstance(session.get("reach_out"), list) else []
        if index == 0 and session.get("after_days") not in (0, None):
            yield Mistake((*path, "after_days"), "the first session starts later than the journey", "expected 0")
        if index == 0 and variants:
            yield Mistake((*path, "reach_out"), "the first session has the persona's opening", "remove it", True)
        if index > 0 and not variants:
            yield Mistake(path, "a session without 'reach_out'", "expected what the persona says when it starts")
        for number, variant in enumerate(variants if index > 0 else ()):
            if isinstance(variant, dict) and ("when" in variant) == (number == len(variants) - 1):
                yield Mistake((*path, "reach_out", number), *_VARIANTS)
    yield from _days(sessions)


_VARIANTS = (
    "the variants must end with one that always applies, and no other may",
    "expected 'when' in every variant but the last",
)


def _days(sessions: list[tuple[Steps, Data]]) -> Iterator[Mistake]:
    for (_, before), (path, after) in pairwise(sessions):
        days, later = before.get("after_days"), after.get("after_days")
        if isinstance(days, int) and isinstance(later, int) and later <= days:
            yield Mistake(
                (*path, "after_days"), f"day {later} is not after day {days}", "expected days since the start, rising"
            )


def _operators(data: Data) -> Iterator[Mistake]:
    for pattern in ("operators.*.says.*", "operators.*.says.*.parts"):
        for path, parts in find(data, pattern):
            if not isinstance(parts, list) or len(parts) < 2:
                continue
            for index, part in enumerate(parts):
                if isinstance(part, dict) and "silent" in part:
                    yield Mistake((*path, index), "silence beside other parts", "expected it to be the whole turn")


def _scoring(data: Data) -> Iterator[Mistake]:
    defined: list[Dimension] = [
        dimension
        for dimension, patterns in _DEFINED_BY.items()
        if any(next(find(data, pattern), None) for pattern in patterns)
    ]
    if not defined:
        yield Mistake(
            ("criteria",), "nothing can be scored", f"expected something for one of: {', '.join(DIMENSIONS)}", True
        )
    for key in ("weights", "names"):
        for path, _ in find(data, f"scoring.{key}.*"):
            if path[-1] in DIMENSIONS and path[-1] not in defined:
                yield Mistake(
                    path, f"this scenario does not define {path[-1]}", Suggestion(str(path[-1]), defined), True
                )
    weights = [weight for _, weight in find(data, "scoring.weights.*")]
    if mappings(data, "scoring.weights") and not any(weights):
        yield Mistake(("scoring", "weights"), "all weights are 0", "expected one above 0", True)
    given = {path[-1]: name for path, name in texts(data, "scoring.names.*")}
    taken: set[str] = set()
    for dimension in defined:
        name = given.get(dimension, default_name(dimension))
        if name in taken:
            place = ("scoring", "names", dimension)
            yield Mistake(place, f"the score name '{name}' is taken", "expected names that differ")
        taken.add(name)


_DEFINED_BY: dict[Dimension, tuple[str, ...]] = {
    "success_metrics": ("criteria.success_metrics.*",),
    "failure_metrics": ("criteria.failure_metrics.*",),
    "best_practices": ("criteria.best_practices.*",),
    "rubrics": ("criteria.rubrics.*",),
    "discovery": ("state.*",),
    "output_similarity": ("criteria.outputs.*.exemplar",),
    "decision_match": ("criteria.outputs.*.expected",),
}

_CHECKS: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    _ids,
    _token,
    _shape,
    _state,
    _lengths,
    _tools,
    _outputs,
    _sessions,
    _operators,
    _scoring,
    check_rules,
)
