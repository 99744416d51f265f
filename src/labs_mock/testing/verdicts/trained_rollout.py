"""What was trained of one rollout, beside the messages of its conversation."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

from labs_mock.contract.wording import quote

MAX_QUOTED = 80
SHORTEST_PART = 4  # characters; fewer are in any message
CAUSES = {
    "observation": "the loss mask lets through what the persona said; mask all of it",
    "system message": "the loss mask lets through the prompt; mask it",
    "missing": "the last turn is left out, or the sequence is cut at its maximum length",
    "part": "the mask begins or ends some tokens too early or too late, or the sequence is cut at its maximum length",
    "foreign": "tokens of the chat template (name them in `special`), or a text of something else",
    "repeated": "a history that holds earlier turns is trained at each turn",
    "order": "texts are not in the order of the conversations",
}
"""For each kind of problem what usually causes it."""


class Line(NamedTuple):
    """A message of a conversation: its place in it, whose it is, and its text without special tokens."""

    place: int
    kind: Literal["operator", "observation", "system message"]
    text: str


class Piece(NamedTuple):
    """A part of what was trained: where it begins in that, and the message that it is, if it is one."""

    start: int
    text: str
    line: Line | None


class TextProblem(NamedTuple):
    """A kind of `CAUSES`, and what is wrong in which place."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class TrainedRollout:
    """The spans that were trained, by their places, and the messages of the conversation; none of them is empty."""

    number: int
    spans: Mapping[int, str]
    lines: Sequence[Line]

    @cached_property
    def trained(self) -> str:
        """All spans."""
        return " ".join(self.spans.values())

    @cached_property
    def expected(self) -> str:
        """All messages of the operator."""
        return " ".join(line.text for line in self.lines if line.kind == "operator")

    @property
    def holds(self) -> bool:
        """Whether both are the same, but for white space: what decodes tokens may put some before a full stop, or leave it out."""
        return "".join(self.trained.split()) == "".join(self.expected.split())

    def problems(self) -> Iterator[TextProblem]:
        """What is wrong, in the order of the spans; then what is missing."""
        starts = list(accumulate((len(span) + 1 for span in self.spans.values()), initial=0))
        places = list(self.spans)
        missing = [line for line in self.lines if line.kind == "operator"]
        last = -1
        for start, text, line in self._pieces():
            place = f"texts[{self.number}][{places[bisect_right(starts, start) - 1]}]"
            if line is None:
                yield self._stray(text, place, missing)
            elif line.kind != "operator":
                yield TextProblem(line.kind, _sentence(f"{place} has the {line.kind}", line, text))
            elif line not in missing:
                yield TextProblem("repeated", _sentence(f"{place} has once more", line, text))
            else:
                missing.remove(line)
                if line.place < last:
                    yield TextProblem("order", _sentence(f"{place} has, after messages[{last}],", line, text))
                last = line.place
        for line in missing:
            yield TextProblem("missing", _sentence(f"texts[{self.number}] lacks the operator's", line, line.text))

    def _stray(self, text: str, place: str, missing: list[Line]) -> TextProblem:
        """The problem with a text that is no whole message. A message that it is a part of is not missing as well."""
        for line in missing:
            if text in line.text and len(text) >= SHORTEST_PART:
                missing.remove(line)
                return TextProblem("part", _sentence(f"{place} has only a part of", line, text))
        for line in self.lines:
            if line.kind != "operator" and text in line.text and len(text) >= SHORTEST_PART:
                return TextProblem(line.kind, _sentence(f"{place} has a part of the {line.kind}", line, text))
        return TextProblem("foreign", f"{place} has a text that is in no message: {quote(text, MAX_QUOTED)}")

    def _pieces(self) -> Iterator[Piece]:
        """What was trained, divided into messages and what is between them; of equal messages each is taken once."""
        unused = sorted(self.lines, key=lambda line: line.kind != "operator")
        end = 0
        for match in re.finditer(_any_of({line.text for line in self.lines}), self.trained):
            yield from self._between(end, match.start())
            end = match.end()
            line = next(line for line in (*unused, *self.lines) if line.text == match[0])
            if line in unused:
                unused.remove(line)
            yield Piece(match.start(), match[0], line)
        yield from self._between(end, len(self.trained))

    def _between(self, start: int, end: int) -> Iterator[Piece]:
        text = self.trained[start:end]
        if text.strip():
            yield Piece(start + len(text) - len(text.lstrip()), text.strip(), None)


def _sentence(what: str, line: Line, text: str) -> str:
    return f"{what} messages[{line.place}]: {quote(text, MAX_QUOTED)}"


def _any_of(texts: Collection[str]) -> str:
    """An expression for any of some texts, the longest of them that there is, where no word goes on."""
    ordered = sorted(texts, key=lambda text: (-len(text), text))
    return "|".join(f"{_edge(text[0])}{re.escape(text)}{_edge(text[-1])}" for text in ordered) or "(?!)"


def _edge(character: str) -> str:
    return r"\b" if re.match(r"\w", character) else ""
