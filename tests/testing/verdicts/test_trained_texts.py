"""`assert_trained`: right spans in any spelling pass, and what is wrong is named with its place."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labs_mock.testing import LabsMock
from labs_mock.testing.verdicts.trained_texts import check_trained
from tests.testing.conversation import CONVERSATION, post

END, ROLE = "<|im_end|>", "<|im_start|>assistant"
SPECIAL = (END, ROLE)
GREETING, MIDDLE, LAST = "Good morning, how are you?", "Tell me what happened.", "I will call you."
CLAIM, FALL = "Hello, I'm calling about my claim.", "It started on Tuesday, around ten."
TALK = [
    {"role": "system", "content": "You are a case manager."},
    {"role": "user", "content": CLAIM},
    {"role": "assistant", "content": GREETING},
    {"role": "user", "content": FALL},
    {"role": "assistant", "content": MIDDLE},
    {"role": "assistant", "content": LAST},
]
RIGHT = [GREETING, MIDDLE, LAST]

words = st.text("abc.,? ", min_size=1, max_size=12).filter(lambda text: bool(text.strip()))
turns = st.lists(st.tuples(words, words), min_size=1, max_size=5)
spaces = st.sampled_from([" ", "\n", "\t ", "  "])


def check(texts: Any, conversations: Any, special: Any = SPECIAL) -> None:
    """Check without a server that gave observations."""
    check_trained(texts, conversations, special, list)


def problems(*spans: str, talk: Any = TALK, special: Any = SPECIAL) -> list[str]:
    """What is said of one rollout: its problems, and what usually causes them."""
    with pytest.raises(AssertionError) as failed:
        check([spans], [talk], special)
    first, *rest = str(failed.value).splitlines()
    assert first == "1 of 1 rollouts are not trained on just the operator's messages"
    return [line.strip() for line in rest if line.startswith("  ")]


def talk_of(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    """A conversation in the chat convention."""
    roles = ("user", "assistant")
    return [{"role": role, "content": text} for pair in pairs for role, text in zip(roles, pair, strict=True)]


def naive(texts: list[str], talk: list[dict[str, str]]) -> bool:
    """The definition: without special tokens and white space both sides are the same characters."""
    sides = [" ".join(texts), " ".join(one["content"] for one in talk if one["role"] == "assistant")]
    for token in SPECIAL:
        sides = [side.replace(token, "") for side in sides]
    return sides[0].translate(NO_SPACE) == sides[1].translate(NO_SPACE)


NO_SPACE = dict.fromkeys(map(ord, " \n\t"))


@given(turns, st.data())
def test_right_spans_pass_however_they_are_cut(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    """With template tokens, other white space, empty spans, one span a message or several messages in one."""
    spans: list[str] = []
    current = ""
    for _, text in pairs:
        current += data.draw(st.sampled_from(["", ROLE])) + data.draw(spaces).join(text.split(" ")) + END
        if data.draw(st.booleans()):
            spans, current = [*spans, current, *data.draw(st.sampled_from([[], [" "], [END]]))], ""
    check([[*spans, current]], [talk_of(pairs)])


@given(turns, st.data())
def test_any_other_spans_fail(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    """An observation more, a message less, another order or a foreign word: what the definition refuses fails, with a sentence."""
    spans = [text for _, text in pairs]
    observations = [text for text, _ in pairs]
    index = data.draw(st.integers(0, len(spans) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                spans[:index] + spans[index + 1 :],
                [*spans[: index + 1], observations[index], *spans[index + 1 :]],
                [*spans[:index], "foreign", *spans[index:]],
                [*spans[:index], spans[index][1:], *spans[index + 1 :]],
                spans[::-1],
                [*spans, *spans],
                observations,
                [],
            ]
        )
    )
    talk = talk_of(pairs)
    assume(not naive(changed, talk))
    assert problems(*changed, talk=talk)


def test_right_spans_of_a_talk() -> None:
    """The operator's messages, in one span each or in one span, with what `special` names."""
    check([RIGHT, [" ".join(RIGHT)], [f"{ROLE}\n{GREETING}{END}", f"{MIDDLE}{END}\n", f"{LAST} {END}"]], [TALK] * 3)
    check(
        [[f"{GREETING}<tool_call>\n{{}}</tool_call>", MIDDLE, LAST]],
        [TALK],
        [re.compile("(?s)<tool_call>.*?</tool_call>")],
    )
    check([[]], [[{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "", "tool_calls": [{}]}]])


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([GREETING, FALL, MIDDLE, LAST], [f"texts[0][1] has the observation messages[3]: '{FALL}'"]),
        (
            [f"{GREETING} {FALL}", f"{MIDDLE} {LAST}"],
            [f"texts[0][0] has the observation messages[3]: '{FALL}'"],
        ),
        ([GREETING, "around ten.", MIDDLE, LAST], ["texts[0][1] has a part of the observation messages[3]: 'around ten.'"]),
        ([TALK[0]["content"], *RIGHT], ["texts[0][0] has the system message messages[0]: 'You are a case manager.'"]),
        ([GREETING, MIDDLE], ["texts[0] lacks the operator's messages[5]: 'I will call you.'"]),
        ([GREETING, MIDDLE, "I will call"], ["texts[0][2] has only a part of messages[5]: 'I will call'"]),
        ([GREETING, MIDDLE, LAST, MIDDLE], [f"texts[0][3] has once more messages[4]: '{MIDDLE}'"]),
        ([GREETING, LAST, MIDDLE], [f"texts[0][2] has, after messages[5], messages[4]: '{MIDDLE}'"]),
        ([*RIGHT, "", "</s>"], ["texts[0][4] has a text that is in no message: '</s>'"]),
        (
            ["Well", MIDDLE],
            [
                "texts[0][0] has a text that is in no message: 'Well'",
                f"texts[0] lacks the operator's messages[2]: '{GREETING}'",
                "texts[0] lacks the operator's messages[5]: 'I will call you.'",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(spans: list[str], said: list[str]) -> None:
    """An observation, a system message, a missing, cut, repeated or moved message, and what is in no message."""
    assert problems(*spans) == said


def test_the_text_names_the_first_rollouts_and_usual_causes() -> None:
    """Three rollouts, three problems of each, how many more, and a cause for each kind that is shown."""
    other = talk_of([("Hi.", "Yes."), ("So?", "No.")])
    with pytest.raises(AssertionError) as failed:
        check([["Yes.", "No."], RIGHT, RIGHT, ["a", FALL, "b"], [MIDDLE]], [TALK, other, TALK, TALK, TALK])
    assert str(failed.value).splitlines() == [
        "4 of 5 rollouts are not trained on just the operator's messages",
        "  texts[0] has the operator's messages of conversations[1]",
        "  texts[1] has the operator's messages of conversations[0]",
        "  texts[3][0] has a text that is in no message: 'a'",
        f"  texts[3][1] has the observation messages[3]: '{FALL}'",
        "  texts[3][2] has a text that is in no message: 'b'",
        "  and 3 more in texts[3]",
        "  and 1 more rollouts",
        "usual cause of order: texts are not in the order of the conversations",
        "usual cause of foreign: tokens of the chat template (name them in `special`), or a text of something else",
        "usual cause of observation: the loss mask lets through what the persona said; mask all of it",
    ]


def test_mistakes_of_the_call() -> None:
    """A text where a list belongs, and other than one list a conversation."""
    with pytest.raises(TypeError, match=r"texts\[0\]: expected a list of texts, one a span, got 'Good morning"):
        check(["Good morning"], [TALK])
    with pytest.raises(TypeError, match=r"special: expected a list of texts; write special=\['<\|im_end\|>'\]"):
        check([RIGHT], [TALK], END)
    with pytest.raises(ValueError, match="texts: expected 2 lists, one a conversation, got 1"):
        check([RIGHT], [TALK, TALK])


@pytest.fixture(scope="module")
def mock() -> Iterator[LabsMock]:
    """A server in a thread."""
    with LabsMock() as running:
        yield running


@pytest.mark.parametrize("persona", [("assistant", "assistant"), ("assistant", "user"), ("user", "user")])
def test_observations_may_have_the_role_of_the_operator(mock: LabsMock, persona: tuple[str, str]) -> None:
    """A history as an episode gives it: what the server gave as an observation is none of the operator's messages (EP-4, EP-8)."""
    slugs = {name: CONVERSATION[name] for name in ("collection_slug", "scenario_slug")}
    created = post(mock, "episodes", slugs).json()
    history = [{**created["initial_observation"], "role": persona[0]}]
    said = ["Good morning.", "Tell me what happened."]
    for text in said:
        history.append({"role": "assistant", "content": text})
        body = {"id": created["episode_id"], "messages": history}
        observation = post(mock, f"episodes/{created['episode_id']}/turns", body).json()["observation"]
        history.append({**observation, "role": persona[1]})
    mock.assert_trained([said], [history])
    with pytest.raises(AssertionError, match=r"texts\[0\]\[1\] has the observation messages\[2\]"):
        mock.assert_trained([[said[0], history[2]["content"], said[1]]], [{**slugs, "messages": history}])
