"""Whether a trainer computed its loss on the operator's messages, on all of them and on nothing else."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from labs_mock.contract.wording import quote
from labs_mock.testing.verdicts.expected_rewards import Conversation
from labs_mock.testing.verdicts.trained_rollout import CAUSES, Line, TextProblem, TrainedRollout

Special = str | re.Pattern[str]
"""What belongs to no message: a text such as `<|im_end|>`, or a compiled expression."""

SHOWN = 3  # rollouts, and problems of each


def check_trained(
    texts: Iterable[Iterable[str]],
    conversations: Iterable[Conversation],
    special: Collection[Special],
    observations: Callable[[], Collection[str]],
) -> None:
    """Raises `AssertionError` with the first texts that are not the operator's messages, and the messages that are missing.

    `observations` are those that the server gave; they are wanted only where roles do not say who spoke. Raises `TypeError` or
    `ValueError` for texts that are no lists of texts, one a conversation.
    """
    __tracebackhide__ = True
    rollouts = list(_rollouts(list(texts), list(conversations), special, observations))
    bad = [rollout for rollout in rollouts if not rollout.holds]
    if not bad:
        return
    owners = {rollout.expected: rollout.number for rollout in reversed(rollouts) if rollout.expected}
    lines = [f"{len(bad)} of {len(rollouts)} rollouts are not trained on just the operator's messages"]
    kinds: list[str] = []
    for rollout in bad[:SHOWN]:
        problems = _problems(rollout, owners)
        kinds += [problem.kind for problem in problems[:SHOWN]]
        lines += [f"  {problem.sentence}" for problem in problems[:SHOWN]]
        lines += [f"  and {len(problems) - SHOWN} more in texts[{rollout.number}]"] * (len(problems) > SHOWN)
    lines += [f"  and {len(bad) - SHOWN} more rollouts"] * (len(bad) > SHOWN)
    lines += [f"usual cause of {kind}: {CAUSES[kind]}" for kind in dict.fromkeys(kinds)]
    raise AssertionError("\n".join(lines))


def _problems(rollout: TrainedRollout, owners: Mapping[str, int]) -> list[TextProblem]:
    owner = owners.get(rollout.trained)
    if owner is None:
        return list(rollout.problems())
    return [TextProblem("order", f"texts[{rollout.number}] has the operator's messages of conversations[{owner}]")]


def _rollouts(
    texts: Sequence[Iterable[str]],
    conversations: Sequence[Conversation],
    special: Collection[Special],
    observations: Callable[[], Collection[str]],
) -> Iterator[TrainedRollout]:
    if isinstance(special, str):
        raise TypeError(f"special: expected a list of texts; write special=[{special!r}]")
    if len(texts) != len(conversations):
        raise ValueError(f"texts: expected {len(conversations)} lists, one a conversation, got {len(texts)}")
    patterns = [one if isinstance(one, re.Pattern) else re.compile(re.escape(one)) for one in special]
    patterns.sort(
        key=lambda pattern: -len(pattern.pattern)
    )  # so that no token is taken for the beginning of a longer one
    observed = cache(lambda: frozenset(_cleaned(text, patterns) for text in observations()))
    for number, (spans, conversation) in enumerate(zip(texts, conversations, strict=True)):
        if isinstance(spans, str):
            raise TypeError(f"texts[{number}]: expected a list of texts, one a span, got {quote(spans)}")
        cleaned = {place: _cleaned(span, patterns) for place, span in enumerate(spans)}
        messages = conversation["messages"] if isinstance(conversation, Mapping) else conversation
        lines = [line for line in _lines(messages, patterns, observed) if line.text]
        yield TrainedRollout(number, {place: text for place, text in cleaned.items() if text}, lines)


def _lines(
    messages: Sequence[Mapping[str, Any]], patterns: Sequence[re.Pattern[str]], observed: Callable[[], Collection[str]]
) -> Iterator[Line]:
    """Who spoke: an `assistant` message is the operator's, unless it is the first or follows another one and is an observation."""
    before = "assistant"
    for place, message in enumerate(messages):
        role, text = message["role"], _cleaned(message.get("content") or "", patterns)
        if role == "system":
            yield Line(place, "system message", text)
            continue
        operator = role == "assistant" and (before != "assistant" or text not in observed())
        yield Line(place, "operator" if operator else "observation", text)
        before = role


def _cleaned(text: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """A text without what matches, and with white space collapsed."""
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return " ".join(text.split())
