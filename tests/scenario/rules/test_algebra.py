from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.rules.algebra import Rule, turn_numbers
from labs_mock.scenario.rules.operators import OPERATORS, RuleCompiler, RuleFile
from labs_mock.scenario.rules.rulebook import Rulebook
from labs_mock.scenario.rules.vocabulary import SILENT, Vocabulary

WORDS = ("alpha", "beta", "gamma")
ITEMS = ("one", "two")
RuleData = dict[str, Any]
ELSEWHERE = {"matches", "calls", "decides", "heard"}
"""Operators that are an atom like `says`; what makes it true is tested with the patterns and with calls."""


@dataclass(frozen=True)
class Story:
    """What happened: the words of the operator in each turn (turn 1 first), and the turn in which each item was revealed."""

    words: tuple[frozenset[str], ...]
    revealed: dict[str, int]

    @property
    def turns(self) -> range:
        return range(1, len(self.words) + 1)

    def until(self, turn: int) -> "Story":
        """The story as it stood after a turn."""
        return Story(self.words[:turn], {item: when for item, when in self.revealed.items() if when <= turn})


def stories() -> st.SearchStrategy[Story]:
    """Stories of one to eight turns."""
    return st.lists(st.frozensets(st.sampled_from((*WORDS, "silent"))), min_size=1, max_size=8).flatmap(
        lambda words: st.dictionaries(st.sampled_from(ITEMS), st.integers(1, len(words))).map(
            lambda revealed: Story(tuple(words), revealed)
        )
    )


def rules() -> st.SearchStrategy[RuleData]:
    """Rules of every kind, a few levels deep."""
    phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)
    atoms = st.one_of(
        phrases.map(lambda words: {"says": words}),
        phrases.map(lambda words: {"says_all": words}),
        st.sampled_from(ITEMS).map(lambda item: {"discovered": item}),
        st.just({"silent": True}),
        st.integers(1, 3).map(lambda least: {"count": {"of": "discovered", "at_least": least}}),
    )
    ranges = st.fixed_dictionaries({"at_least": st.integers(1, 4), "at_most": st.integers(4, 9)})

    def deeper(children: st.SearchStrategy[RuleData]) -> st.SearchStrategy[RuleData]:
        several = st.lists(children, min_size=1, max_size=3)
        return st.one_of(
            several.map(lambda rules: {"any": rules}),
            several.map(lambda rules: {"all": rules}),
            children.map(lambda rule: {"not": rule}),
            st.lists(children, min_size=2, max_size=3).map(lambda rules: {"then": rules}),
            st.tuples(children, st.integers(1, 3)).map(lambda pair: {"count": {"of": pair[0], "at_least": pair[1]}}),
            st.tuples(children, ranges).map(lambda pair: {**pair[0], "turns": pair[1]}),
        )

    return st.recursive(atoms, deeper, max_leaves=8)


class Naive:
    """The table of the format document, read aloud: sets of turns, one definition an operator."""

    operators = ("says", "says_all", "silent", "discovered", "any", "all", "not", "then", "count")

    def __init__(self, story: Story, persona: bool) -> None:
        self.story = story
        self.persona = persona

    def is_condition(self, rule: RuleData) -> bool:
        if "turns" in rule or "then" in rule:
            return False
        if "not" in rule:
            return True
        children = rule.get("all") or rule.get("any")
        if children:
            return all(self.is_condition(child) for child in children)
        counted = rule.get("count", {}).get("of") == "discovered"
        return self.persona and ("discovered" in rule or counted)

    def matching_turns(self, rule: RuleData) -> set[int]:
        turns = self.bare(rule)
        if "turns" in rule:
            turns = {turn for turn in turns if rule["turns"]["at_least"] <= turn <= rule["turns"]["at_most"]}
        return turns

    def bare(self, rule: RuleData) -> set[int]:  # noqa: C901 - one case a row of the table
        story, (kind, value) = self.story, next(pair for pair in rule.items() if pair[0] != "turns")
        inner = {key: child for key, child in rule.items() if key != "turns"}
        match kind:
            case "says":
                return {turn for turn in story.turns if set(value) & story.words[turn - 1]}
            case "says_all":
                return {turn for turn in story.turns if set(value) <= story.words[turn - 1]}
            case "silent":
                return {turn for turn in story.turns if "silent" in story.words[turn - 1]}
            case "discovered":
                when = story.revealed.get(value, 99)
                return {turn for turn in story.turns if (turn > when if self.persona else turn == when)}
            case "any":
                return {turn for turn in story.turns if any(turn in self.matching_turns(child) for child in value)}
            case "all":
                events = [child for child in value if not self.is_condition(child)] or value
                return {
                    turn
                    for turn in story.turns
                    if any(turn in self.matching_turns(child) for child in events)
                    and all(self.holds(child, turn) for child in value)
                }
            case "not":
                return {turn for turn in story.turns if not self.holds(value, turn)}
            case "then":
                after = 0
                for child in value[:-1]:
                    later = [turn for turn in self.matching_turns(child) if turn > after]
                    if not later:
                        return set()
                    after = min(later)
                return {turn for turn in self.matching_turns(value[-1]) if turn > after}
            case "count" if value["of"] == "discovered":
                return self.counted(value["at_least"])
            case "count":
                return set(sorted(self.matching_turns(value["of"]))[value["at_least"] - 1 :])
        raise AssertionError(inner)

    def counted(self, least: int) -> set[int]:
        """Turns in which an item is revealed from the n-th on; for the persona, turns after the n-th."""
        order = sorted(self.story.revealed.values())
        if len(order) < least:
            return set()
        if self.persona:
            return {turn for turn in self.story.turns if turn > order[least - 1]}
        return set(order[least - 1 :])

    def holds(self, rule: RuleData, turn: int) -> bool:
        if "any" in rule and "turns" not in rule:
            return any(self.holds(child, turn) for child in rule["any"])
        if self.is_condition(rule):
            return turn in self.matching_turns(rule)
        return any(earlier <= turn for earlier in self.matching_turns(rule))


def compiled(rule: RuleData, story: Story, persona: bool) -> tuple[Rule, dict[int, int], int]:
    """The compiled rule with the masks of a story."""
    vocabulary = Vocabulary(ITEMS)
    node = RuleCompiler(vocabulary, of_persona=persona).compile(RuleFile.model_validate(rule))
    masks: dict[int, int] = {}
    for turn in story.turns:
        for word in story.words[turn - 1]:
            for atom in [SILENT] if word == "silent" else vocabulary.operator_phrases.get(word, []):
                masks[atom] = masks.get(atom, 0) | 1 << turn
    for item, turn in story.revealed.items():
        masks[vocabulary.items[item]] = 1 << turn
    return node, masks, (2 << len(story.words)) - 2


def test_every_operator_has_a_naive_definition() -> None:
    """What is compared below is all of the language: an operator is drawn in `rules`, and `Naive` defines it."""
    assert {*Naive.operators} | ELSEWHERE == {*OPERATORS}


@given(rules(), stories(), st.booleans())
def test_the_algebra_is_what_the_format_says(rule: RuleData, story: Story, persona: bool) -> None:
    """Bit operations give the matching and the holding turns that the naive reading of the table gives."""
    node, masks, full = compiled(rule, story, persona)
    naive = Naive(story, persona)
    assert set(turn_numbers(node.matching_turns(masks, full))) == naive.matching_turns(rule)
    assert {turn for turn in story.turns if node.holding_turns(masks, full) >> turn & 1} == {
        turn for turn in story.turns if naive.holds(rule, turn)
    }


@given(rules(), stories(), st.booleans())
def test_no_rule_looks_ahead(rule: RuleData, story: Story, persona: bool) -> None:
    """Which turns a rule matches, and whether it holds, up to a turn does not change with later turns."""
    node, masks, full = compiled(rule, story, persona)
    for turn in story.turns:
        before, then, until = compiled(rule, story.until(turn), persona)
        assert before.matching_turns(then, until) == node.matching_turns(masks, full) & until
        assert before.holding_turns(then, until) & until == node.holding_turns(masks, full) & until


@given(stories(), st.sampled_from(WORDS), st.frozensets(st.sampled_from(WORDS)))
def test_atomic_rules_never_lose_a_turn(story: Story, word: str, more: frozenset[str]) -> None:
    """When turns are added, an atomic rule still matches all the turns that it matched."""
    longer = Story((*story.words, more), story.revealed)
    for rule in ({"says": [word]}, {"says_all": [word]}, {"silent": True}, {"discovered": "one"}):
        node, masks, full = compiled(rule, story, False)
        after, then, until = compiled(rule, longer, False)
        assert node.matching_turns(masks, full) & ~after.matching_turns(then, until) == 0


@given(st.lists(rules(), max_size=5), stories(), st.booleans())
def test_a_rulebook_agrees_with_its_rules(several: list[RuleData], story: Story, persona: bool) -> None:
    """Evaluating only what may have changed finds the same rules as evaluating all of them."""
    combined = {"any": [{"all": [rule]} for rule in several]} if several else {"says": ["alpha"]}
    node, masks, full = compiled(combined, story, persona)
    nodes = list(getattr(node, "rules", [node]))
    last = len(story.words)
    seen = {atom for atom, turns in masks.items() if turns >> last}
    book = Rulebook(nodes)
    assert book.matching_at_last_turn(masks, full, seen) == {
        one for one in nodes if one.matching_turns(masks, full) >> last
    }
    since_turns = book.holding_at_last_turn(masks, full)
    assert set(since_turns) == {one for one in nodes if one.holding_turns(masks, full) >> last}
    for one, since in since_turns.items():
        turns = one.holding_turns(masks, full)
        assert all(turns >> turn & 1 for turn in range(since, last + 1))
        assert since == 0 or not turns >> (since - 1) & 1


@pytest.mark.parametrize("persona", [False, True])
def test_a_guard_does_not_repeat_what_it_guards(persona: bool) -> None:
    """`all` of an event and a `not` matches the turn of the event alone, so a persona does not repeat its reply."""
    story = Story((frozenset({"alpha"}), frozenset(), frozenset()), {})
    node, masks, full = compiled({"all": [{"says": ["alpha"]}, {"not": {"says": ["beta"]}}]}, story, persona)
    assert turn_numbers(node.matching_turns(masks, full)) == [1]
