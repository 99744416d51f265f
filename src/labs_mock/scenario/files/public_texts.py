"""Texts that clients read, and what they must not reveal (NEVER-1).

A text reveals a secret if it has a phrase of two or more words from a rule of the criteria or of an item that is not
volunteered, the words of an expected option, or most content words of a fact or of a criterion's text.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labs_mock.scenario.files.paths import Mistake, Steps, find, mappings, texts
from labs_mock.scenario.rules.operators import OPERATORS
from labs_mock.text import word_list

Data = dict[str, Any]
MOST = 0.6
"""The share of a sentence's content words from which on a text reveals it."""

_ADVICE = "expected what the thing is, and nothing of how it is scored: clients read this text"
_WITH_RULES = (
    "criteria.success_metrics.*",
    "criteria.failure_metrics.*",
    "criteria.best_practices.*",
    "criteria.rubrics.*.criteria.*",
    "criteria.scope.prohibited.*",
    "criteria.scope.must_refer.*",
)
"""Everything of the criteria that has rules, and perhaps a text."""

_PHRASE_KEYS = {key for key, operator in OPERATORS.items() if operator.phrases}


def check_public_texts(data: Data) -> Iterator[Mistake]:
    """Warnings of a scenario without mistakes: at most one for each text that reveals a secret."""
    secrets = _Secrets.from_data(data)
    for path, text in public_texts(data):
        found = secrets.in_text(text)
        if found:
            yield Mistake(path, f"a public text gives {found} away", _ADVICE)


def public_texts(data: Data) -> Iterator[tuple[Steps, str]]:
    """The descriptions of a scenario and its tools, and the texts in schemas of tools, with their paths."""
    yield from texts(data, "description")
    yield from texts(data, "tools.*.description")
    for path, schema in find(data, "tools.*.json_schema"):
        yield from _schema_texts(path, schema)


def _schema_texts(path: Steps, schema: Any) -> Iterator[tuple[Steps, str]]:
    for step, child in _members(schema):
        if step in ("title", "description", "default", "example", "examples"):
            yield from _leaves((*path, step), child)
        elif step in ("properties", "patternProperties", "$defs", "definitions"):
            for name, inner in _members(child):
                yield from _schema_texts((*path, step, name), inner)
        else:
            yield from _schema_texts((*path, step), child)


def _leaves(path: Steps, value: Any) -> Iterator[tuple[Steps, str]]:
    if isinstance(value, dict | list):
        for step, child in _members(value):
            yield from _leaves((*path, step), child)
    else:
        yield path, str(value)


def _members(value: Any) -> Iterator[tuple[str | int, Any]]:
    yield from value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What a scenario must not reveal, each with a name for it.

    `phrases` are keyed by their words; `options` have the set of their word stems, `sentences` the number of theirs. `by_stem` has
    for each stem the indexes of the sentences with it, so that a text is compared with those alone.
    """

    phrases: dict[tuple[str, ...], str] = field(default_factory=dict)
    options: list[tuple[frozenset[str], str]] = field(default_factory=list)
    sentences: list[tuple[int, str]] = field(default_factory=list)
    by_stem: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def from_data(cls, data: Data) -> "_Secrets":
        """The secrets of a scenario's data."""
        secrets = cls()
        for _, item in mappings(data, "state.*"):
            secrets.add_sentence(item["fact"], f"the fact of '{item['id']}'")
            if item.get("reveal") != "volunteered":
                secrets.add_phrases(item["when"], f"of '{item['id']}'")
        for pattern in _WITH_RULES:
            for _, criterion in mappings(data, pattern):
                secrets.add_phrases(criterion, f"of '{criterion['id']}'")
                if "text" in criterion:
                    secrets.add_sentence(criterion["text"], f"the text of '{criterion['id']}'")
        for _, option in texts(data, "criteria.outputs.*.expected"):
            secrets.options.append((frozenset(map(_stem, word_list(option))), f"the expected option '{option}'"))
        return secrets

    def add_phrases(self, rule: Any, whose: str) -> None:
        """The phrases of two or more words in a rule, or in what has rules."""
        for step, child in _members(rule):
            if step in _PHRASE_KEYS:
                for phrase in child:
                    parts = tuple(word_list(phrase))
                    if len(parts) > 1:
                        self.phrases.setdefault(parts, f"the phrase '{phrase}' {whose}")
            else:
                self.add_phrases(child, whose)

    def add_sentence(self, sentence: str, name: str) -> None:
        """A fact or a criterion's text."""
        content = _content(sentence)
        for stem in content:
            self.by_stem.setdefault(stem, []).append(len(self.sentences))
        self.sentences.append((len(content), name))

    def in_text(self, text: str) -> str:
        """The name of a secret that a text reveals; empty if there is none."""
        parts = word_list(text)
        for length in sorted({len(phrase) for phrase in self.phrases}):
            for start in range(len(parts) - length + 1):
                if (phrase := tuple(parts[start : start + length])) in self.phrases:
                    return self.phrases[phrase]
        stems = set(map(_stem, parts))
        for option, name in self.options:
            if option and option <= stems:
                return name
        shared = Counter(index for stem in sorted(_content(text)) for index in self.by_stem.get(stem, ()))
        for index, count in sorted(shared.items()):
            size, name = self.sentences[index]
            if count >= MOST * size:
                return name
        return ""


def _content(text: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in word_list(text) if word not in _EMPTY)


def _stem(word: str) -> str:
    """A word without its commonest endings, so that `traces` and `tracing` are one."""
    for ending in ("'s", "ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            return word[: -len(ending)]
    return word


_EMPTY = frozenset(
    word_list("""
    a an the this that these those and or but nor so if then than as of in on at by to for from with without into onto
    about over under before after until till since while when where who whom whose which what why how is are was were be
    been being am do does did done doing has have had having will would shall should can could may might must not no nor
    i you he she it we they me him her us them my your his its our their one ones there here some any each every all both
    more most other only own same too very just also up out off down again once
    whether nothing something anything nobody somebody anybody
    """)
)
"""Words without content of their own."""
