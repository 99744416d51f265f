"""The contract's histories and spellings of one dialogue (EP-7, EP-8)."""

from collections.abc import Callable
from typing import NamedTuple

from labs_mock.conformance.offered import Json
from labs_mock.conformance.strategies import operator, persona

SYSTEM = {"role": "system", "content": "You are a kind and patient case manager."}
TASK = persona("Talk to this person, please.")  # a prompt that a client puts in front
OTHER = persona("(the other one speaks)")


class Lines(NamedTuple):
    """An opening, the operator's first message, the observation after it, and what the operator says next."""

    p0: str
    a1: str
    p1: str
    a2: str


class History(NamedTuple):
    """A way to submit a turn; `alike` is the plainest one that means the same, none where nothing is new."""

    what: str
    messages: Callable[[Lines], list[Json]]
    alike: Callable[[Lines], list[Json]] | None
    documented: bool = False


def _new(lines: Lines) -> list[Json]:
    return [operator(lines.a2)]


WORKED = (
    History("new messages only", _new, _new, documented=True),
    History("the last exchange", lambda lines: [operator(lines.p1), operator(lines.a2)], _new),
    History(
        "the full history, the persona as `assistant`",
        lambda lines: [operator(lines.p0), operator(lines.a1), operator(lines.p1), operator(lines.a2)],
        _new,
        documented=True,
    ),
    History(
        "the full history, the persona as `user`",
        lambda lines: [persona(lines.p0), operator(lines.a1), persona(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "a system prompt in front",
        lambda lines: [SYSTEM, operator(lines.p0), operator(lines.a1), operator(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "a task prompt in front, the persona as `user`",
        lambda lines: [TASK, persona(lines.p0), operator(lines.a1), persona(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "a task prompt in front, the persona as `assistant`",
        lambda lines: [TASK, operator(lines.p0), operator(lines.a1), operator(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "a history that begins at the operator's first message",
        lambda lines: [operator(lines.a1), persona(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "an edited history",
        lambda lines: [operator(lines.p0), operator(f"{lines.a1} And so on."), operator(lines.p1), operator(lines.a2)],
        _new,
    ),
    History(
        "the observation dropped",
        lambda lines: [operator(lines.p0), operator(lines.a1), operator(lines.a2)],
        _new,
    ),
    History(
        "the same turn again",
        lambda lines: [operator(lines.p0), operator(lines.a1)],
        lambda lines: [operator(lines.a1)],
    ),
    History(
        "a history in other letters and spaces",
        lambda lines: [*(operator(f" {line.upper()} ") for line in (lines.p0, lines.a1, lines.p1)), operator(lines.a2)],
        _new,
    ),
    History(
        "nothing new, the persona as `user`",
        lambda lines: [operator(lines.p0), operator(lines.a1), persona(lines.p1)],
        None,
    ),
    History(
        "nothing new, the persona as `assistant`",
        lambda lines: [operator(lines.p0), operator(lines.a1), operator(lines.p1)],
        None,
    ),
    History(
        "nothing new behind a task prompt",
        lambda lines: [TASK, persona(lines.p0), operator(lines.a1), persona(lines.p1)],
        None,
    ),
    History(
        "nothing new in a history that begins at the operator's first message",
        lambda lines: [operator(lines.a1), operator(lines.p1)],
        None,
    ),
    History(
        "an earlier line of the persona behind the new message",
        lambda lines: [operator(lines.p1), operator(lines.a2), operator(lines.p0)],
        _new,
    ),
    History(
        "the operator repeats the persona",
        lambda lines: [operator(lines.p0), operator(lines.a1), operator(lines.p1), operator(lines.p1)],
        lambda lines: [persona(lines.p1), operator(lines.p1)],
    ),
)
"""The histories of the contract and a few more, each after `[p0, a1, p1]`."""


def as_assistant(transcript: list[Json]) -> list[Json]:
    """A transcript in which the persona is `assistant`, too."""
    return [{**message, "role": "assistant"} for message in transcript]


def _separated(transcript: list[Json]) -> list[Json]:
    return [TASK, *(OTHER if message["role"] == "user" else message for message in transcript[1:])]


Spelling = tuple[str, Callable[[list[Json]], list[Json]]]

SPELLINGS: tuple[Spelling, ...] = (
    ("the persona as `user`", lambda transcript: transcript),
    ("the persona as `assistant`", as_assistant),
    ("a system prompt, the persona as `user`", lambda transcript: [SYSTEM, *transcript]),
    ("a system prompt, the persona as `assistant`", lambda transcript: [SYSTEM, *as_assistant(transcript)]),
    ("a task prompt, the persona as `user`", lambda transcript: [TASK, *transcript]),
    ("a task prompt, the persona as `assistant`", lambda transcript: [TASK, *as_assistant(transcript)]),
    ("two prompts, the persona as `user`", lambda transcript: [SYSTEM, TASK, *transcript]),
    ("two prompts, the persona as `assistant`", lambda transcript: [SYSTEM, TASK, *as_assistant(transcript)]),
    ("only the opening as `user`", lambda transcript: [transcript[0], *as_assistant(transcript[1:])]),
    ("only the opening as `assistant`", lambda transcript: [*as_assistant(transcript[:1]), *transcript[1:]]),
    ("only the last line as `user`", lambda transcript: [*as_assistant(transcript[:-1]), transcript[-1]]),
    ("other `user` text for the persona's lines", _separated),
    ("without the opening", lambda transcript: transcript[1:]),
)
"""The contract's spellings of one dialogue, of its transcript in which the persona is `user`."""


def _spaced(content: str) -> str:
    """The same text as it is compared: white space and case do not count."""
    return f"\n{content}  ".replace(" ", "  ").replace("I", "i")


CONVENTIONS: tuple[Callable[[list[Json]], list[Json]], ...] = (  # how a transcript may be written
    lambda transcript: transcript,
    lambda transcript: [SYSTEM, *transcript],
    as_assistant,
    lambda transcript: [SYSTEM, *as_assistant(transcript)],
    lambda transcript: transcript[-1:],
    lambda transcript: as_assistant(transcript[-1:]),
    lambda transcript: [{**message, "content": _spaced(message["content"])} for message in transcript],
)
