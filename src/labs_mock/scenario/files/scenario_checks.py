"""What is wrong with a scenario beyond its schema: references, shapes, numbers that must agree.

Checks read plain data and pass over what has the wrong type, so that they run beside the schema and all
mistakes of a file are reported at once.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from labs_mock.contract.dimensions import DEFINED_BY, DIMENSIONS, default_name
from labs_mock.contract.limits import MAX_CONTENT
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion, find, mappings, texts
from labs_mock.scenario.files.tool_checks import check_outputs, check_tools
from labs_mock.scenario.rules.rule_checks import check_rules
from labs_mock.text import utf16_length

Data = dict[str, Any]


def check_scenario(data: Data) -> Iterator[Mistake]:
    """All mistakes of a scenario file that its schema cannot see."""
    for check in _CHECKS:
        yield from check(data)


_PERSONA_TEXTS = (
    *("persona.opening", "persona.replies.*.reply", "persona.fallback.*", "state.*.reply", "state.*.deflect"),
    *("sessions.*.reach_out.*.say", "closing", "briefing", "documents.*.text"),
)


def _check_token(data: Data) -> Iterator[Mistake]:
    """No text of the persona has the token of the operator's silence (TOK-3)."""
    for pattern in _PERSONA_TEXTS:
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


def _check_ids(data: Data) -> Iterator[Mistake]:
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


def _check_shape(data: Data) -> Iterator[Mistake]:
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


def _check_state(data: Data) -> Iterator[Mistake]:
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


def _check_lengths(data: Data) -> Iterator[Mistake]:
    """No observation and no turn of a simulated operator may be longer than a message (EP-9)."""
    replies = -1 + sum(utf16_length(reply) + 1 for _, reply in texts(data, "state.*.reply"))
    say = max((utf16_length(say) + 1 for _, say in texts(data, "sessions.*.reach_out.*.say")), default=0)
    if replies + say > MAX_CONTENT:
        yield Mistake(
            ("state",),
            "the replies are too long for one observation",
            f"expected at most {MAX_CONTENT:,} characters together",
        )
    briefing = ("briefing", "documents.*.title", "documents.*.text")
    lengths = [utf16_length(text) + 2 for pattern in briefing for _, text in texts(data, pattern)]
    if sum(lengths) - 2 > MAX_CONTENT:
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
    """The length of the longest text of a part of a turn; -1 for a part without text."""
    if isinstance(part, dict):
        return _longest(part.get("say"))
    alternatives = part if isinstance(part, list) else [part]
    return max((utf16_length(text) for text in alternatives if isinstance(text, str)), default=-1)


def _check_sessions(data: Data) -> Iterator[Mistake]:
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
    yield from _check_days(sessions)


_VARIANTS = (
    "the variants must end with one that always applies, and no other may",
    "expected 'when' in every variant but the last",
)


def _check_days(sessions: list[tuple[Steps, Data]]) -> Iterator[Mistake]:
    for (_, before), (path, after) in pairwise(sessions):
        days, later = before.get("after_days"), after.get("after_days")
        if isinstance(days, int) and isinstance(later, int) and later <= days:
            yield Mistake(
                (*path, "after_days"), f"day {later} is not after day {days}", "expected days since the start, rising"
            )


def _check_operators(data: Data) -> Iterator[Mistake]:
    for pattern in ("operators.*.says.*", "operators.*.says.*.parts"):
        for path, parts in find(data, pattern):
            if not isinstance(parts, list) or len(parts) < 2:
                continue
            for index, part in enumerate(parts):
                if isinstance(part, dict) and "silent" in part:
                    yield Mistake((*path, index), "silence beside other parts", "expected it to be the whole turn")


def _check_scoring(data: Data) -> Iterator[Mistake]:
    defined = [dimension for dimension, pattern in DEFINED_BY.items() if any(find(data, pattern))]
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
    names = {path[-1]: name for path, name in texts(data, "scoring.names.*")}
    taken: set[str] = set()
    for dimension in defined:
        name = names.get(dimension, default_name(dimension))
        if name in taken:
            path = ("scoring", "names", dimension)
            yield Mistake(path, f"the score name '{name}' is taken", "expected names that differ")
        taken.add(name)


_CHECKS: tuple[Callable[[Data], Iterator[Mistake]], ...] = (
    _check_ids,
    _check_token,
    _check_shape,
    _check_state,
    _check_lengths,
    check_tools,
    check_outputs,
    _check_sessions,
    _check_operators,
    _check_scoring,
    check_rules,
)
