from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.files.public_texts import check_public_texts, public_texts
from labs_mock.text import word_list
from tests.scenario.bases import changed, steps
from tests.support import CLAIM

SECRET: dict[str, Any] = {
    **CLAIM,
    "state": [
        {**CLAIM["state"][0], "fact": "It began on Tuesday.", "when": {"says": ["what happened", "tell me"]}},
        {
            **CLAIM["state"][1],
            "fact": "Delivers parcels at weekends.",
            "when": {"any": [{"says": ["second job", "job"]}]},
        },
        {**CLAIM["state"][3], "fact": "The scan shows a strain and no fracture."},
    ],
    "criteria": {
        "success_metrics": [{"id": "asks", "text": "Establishes the course of events", "when": {"says": ["how come"]}}],
        "failure_metrics": [{"id": "rude", "text": "Shouts", "when": {"not": {"not": {"heard": ["how dare you"]}}}}],
        "best_practices": [{"id": "polite", "text": "Says please", "when": {"says_all": ["if you please", "madam"]}}],
        "rubrics": [
            {
                "name": "Quality",
                "criteria": [{"id": "row", "levels": [{"label": "L", "score": 1, "when": {"says": ["all in all"]}}]}],
            }
        ],
        "scope": {
            "prohibited": [{"id": "threat", "when": {"says": ["or else"]}}],
            "must_refer": [
                {"id": "refer", "trigger": {"says": ["numb foot"]}, "when": {"then": [{"says": ["a doctor"]}]}}
            ],
        },
        "terminology": [{"use": "strain", "instead_of": ["pulled muscle"]}],
        "outputs": [{"tool": "claim_status", "expected": "pending_info"}],
    },
}
PLACES = (
    "description",
    "tools.0.description",
    "tools.1.description",
    "tools.0.json_schema.properties.region.description",
)
NEUTRAL = (
    "A worker reports an injury.",
    "",
    "The status of a claim.",
    "job",
    "second",
    "madam",
    "the strain",
    "Tuesday",
)
GIVEN_AWAY = (
    ("ask for a Second  JOB, perhaps", "the phrase 'second job' of 'side_job'"),
    ("say: how come?", "the phrase 'how come' of 'asks'"),
    ("'How dare you' is rude", "the phrase 'how dare you' of 'rude'"),
    ("if you please", "the phrase 'if you please' of 'polite'"),
    ("all in all", "the phrase 'all in all' of 'row'"),
    ("do it, or else!", "the phrase 'or else' of 'threat'"),
    ("with a numb foot", "the phrase 'numb foot' of 'refer'"),
    ("send her to a doctor", "the phrase 'a doctor' of 'refer'"),
    ("pending_info while a document is missing", "the expected option 'pending_info'"),
    ("info is pending", "the expected option 'pending_info'"),
    ("delivering parcels", "the fact of 'side_job'"),
    ("It has begun on Tuesday, it began early", "the fact of 'onset'"),
    ("a scan that shows no fracture", "the fact of 'imaging'"),
    ("establish how the course went", "the text of 'asks'"),
    ("shouting", "the text of 'rude'"),
)


def found(data: dict[str, Any]) -> list[tuple[Any, str]]:
    """The paths and messages of all warnings."""
    return [(mistake.path, mistake.message) for mistake in check_public_texts(data)]


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize(("text", "what"), GIVEN_AWAY)
def test_what_gives_something_away_is_found(where: str, text: str, what: str) -> None:
    """Phrases of criteria and of what is not volunteered, expected options, facts and criteria, in every public text (NEVER-1)."""
    expected = [(tuple(steps(where)), f"a public text gives {what} away")]
    assert found(changed(SECRET, where, text)) == expected


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("text", [*NEUTRAL, "what happened, tell me", "a pulled muscle"])
def test_what_gives_nothing_away_is_not(where: str, text: str) -> None:
    """Single words, phrases of what is volunteered, and terms that are broken by saying them (NEVER-1)."""
    assert found(changed(SECRET, where, text)) == []


def test_there_is_one_warning_for_a_text() -> None:
    """However much it gives away; another text has its own (NEVER-1)."""
    everything = " ".join(text for text, _ in GIVEN_AWAY)
    data = changed(changed(SECRET, "description", everything), "tools.1.description", everything)
    assert [path for path, _ in found(data)] == [("description",), ("tools", 1, "description")]


def test_all_words_of_a_schema_are_read() -> None:
    """Titles, descriptions, defaults and examples at any depth; a property may have one of these names (NEVER-1)."""
    schema = {
        "title": "t1",
        "type": "object",
        "properties": {
            "description": {"type": "string", "default": "t2", "examples": ["t3", {"x": "t4"}]},
            "title": {"enum": ["e1"], "title": "t5"},
        },
        "$defs": {"default": {"description": "t6", "const": "c1"}},
        "allOf": [{"items": [{"example": 7}]}],
    }
    texts = {text for path, text in public_texts(changed(SECRET, "tools.0.json_schema", schema)) if len(path) > 3}
    assert texts == {"t1", "t2", "t3", "t4", "t5", "t6", "7"}


letters = st.lists(st.sampled_from("abc"), max_size=6).map(" ".join)


@given(
    letters, st.lists(st.lists(st.sampled_from("abc"), min_size=2, max_size=3).map(" ".join), min_size=1, max_size=3)
)
def test_phrases_are_found_where_a_text_has_them(text: str, phrases: list[str]) -> None:
    """By comparing every phrase with every place of the text (NEVER-1)."""
    item = {"id": "one", "fact": "zz", "reveal": "direct_question", "when": {"says": phrases}, "reply": "R"}
    naive = any(f" {phrase} " in f" {text} " for phrase in phrases)
    assert bool(found({"description": text, "state": [item]})) == naive


def test_words_have_their_order() -> None:
    """Normalised, without marks, and an underscore stands between two (NEVER-1)."""
    assert word_list("Pending_info, isn't  it?") == ["pending", "info", "isn't", "it"]
