from typing import Literal

import pytest

from labs_mock.contract.findings import Finding
from labs_mock.contract.requests import Message
from labs_mock.engine.attribution import new_turn, operator_turns
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import BadRequest
from tests.support import CLAIM, OPENING, call, operator, scenario

PLAYER = Player(scenario())
NUMBER, (FIRST, SECOND) = CLAIM["persona"]["replies"][0]["reply"], CLAIM["persona"]["fallback"]
ONSET, JOB = (item["reply"] for item in CLAIM["state"][:2])

# Conversations are written as words. `u` behind a word makes it a user message, `S` is a system message, and all
# others are assistant messages; what a word stands for is up to the test, and itself otherwise.
REAL = {"P0": OPENING, "h": "Hello", "N": NUMBER, "j": "A second job?", "J": JOB, "w": "Well", "O": ONSET}


def _role(word: str) -> Literal["system", "user", "assistant"]:
    return "system" if word == "S" else "user" if word.endswith("u") else "assistant"


def _messages(words: str, texts: dict[str, str] | None = None) -> list[Message]:
    stand_for = texts or {}
    return [
        Message(role=_role(word), content=stand_for.get(word.removesuffix("u"), word.removesuffix("u")))
        for word in words.split()
    ]


def _submit(transcript: str, submitted: str) -> tuple[str, list[str]]:
    """The new turn, as words, and the codes of its findings. Persona lines start with P or F."""
    lines = [TranscriptLine(word, word[0] not in "PF") for word in transcript.split()]
    attributed = new_turn(PLAYER, lines, _messages(submitted))
    (turn,) = attributed.turns
    return " ".join(message["content"] for message in turn), [finding.code for finding in attributed.findings]


@pytest.mark.parametrize(
    ("submitted", "new", "findings"),
    [
        pytest.param("a2", "a2", [], id="new-messages-only"),
        pytest.param("P1 a2", "a2", [], id="last-exchange"),
        pytest.param("P0 a1 P1 a2", "a2", [], id="full-history-persona-as-assistant"),
        pytest.param("P0u a1 P1u a2", "a2", [], id="full-history-chat-convention"),
        pytest.param("S P0 a1 P1 a2", "a2", [], id="system-prompt-in-front"),
        pytest.param("Tu P0 a1 P1 a2", "a2", [], id="user-prompt-in-front"),
        pytest.param("Tu P0u a1 P1u a2", "a2", [], id="user-prompt-in-front-chat-convention"),
        pytest.param("a1 P1 a2", "a2", [], id="history-from-the-operators-first-message"),
        pytest.param("P0 b1 P1 a2", "a2", ["history_diverged"], id="operator-edited"),
        pytest.param("P0 a1 a2", "a2", ["history_diverged"], id="observation-dropped"),
        pytest.param("P0 a1", "a1", ["duplicate_turn"], id="the-same-turn-again"),
        pytest.param("P0 a1 P1 P1", "P1", [], id="operator-repeats-the-persona"),
    ],
)
def test_the_worked_histories(submitted: str, new: str, findings: list[str]) -> None:
    """After the transcript [P0, a1, P1]: what is new, and the findings (EP-7)."""
    assert _submit("P0 a1 P1", submitted) == (new, findings)


@pytest.mark.parametrize("submitted", ["P0 a1 P1", "P0 a1 P1u", "Tu P0 a1 P1", "Tu P0u a1 P1u", "a1 P1", "Tu a1 P1u"])
def test_the_worked_history_without_anything_new(submitted: str) -> None:
    """The transcript itself, from wherever it begins, the observation as `assistant` or as `user`, is a 400 (EP-7)."""
    with pytest.raises(BadRequest, match="operator"):
        _submit("P0 a1 P1", submitted)


@pytest.mark.parametrize(
    ("transcript", "submitted", "new", "findings"),
    [
        pytest.param("P0", "a1", "a1", [], id="first-turn-new-only"),
        pytest.param("P0", "P0 a1", "a1", [], id="first-turn-with-the-opening"),
        pytest.param("P0", "S P0u a1", "a1", [], id="first-turn-chat-convention"),
        pytest.param("P0", "P0 P0", "P0", [], id="first-turn-repeats-the-opening"),
        pytest.param("P0 a1 P1", "S S a2 S", "a2", [], id="system-anywhere"),
        pytest.param("P0 a1 P1", "Uu a2", "a2", [], id="user-messages-are-context"),
        pytest.param("P0 a1 P1", "P1 a2 a3", "a2 a3", [], id="several-messages"),
        pytest.param("P0 a1 P1", "P1 a2 Uu a3", "a2 a3", ["split_turn"], id="split-by-a-user-message"),
        pytest.param("P0 a1 P1", "P1 a2 P0 a3", "a2 a3", ["split_turn"], id="split-by-a-persona-line"),
        pytest.param("P0 a1 P1", "P1 a2 S a3", "a2 a3", [], id="not-split-by-a-system-message"),
        pytest.param("P0 a1 P1", "P1 P0 P0", "P0", [], id="the-last-repeated-line-is-the-operators"),
        pytest.param("P0 a1 P1", "p0 A1 P1 a2", "a2", [], id="compared-normalised"),
        pytest.param("P0 a1 P1", "P0u a1", "a1", ["duplicate_turn"], id="the-same-turn-again-chat-convention"),
        pytest.param("P0 a1 P1", "P0 a1 P1u P1", "P1", [], id="operator-repeats-the-users-line"),
        pytest.param("P0 a1 P1", "P1u a2 P1u a3", "a3", ["history_diverged"], id="last-occurrence-counts"),
        pytest.param("P0 a1 P1", "P0 P1 a2", "a2", ["history_diverged"], id="operator-dropped"),
        pytest.param("P0 a1 P1", "P0 b1 c1", "b1 c1", ["history_diverged"], id="the-turn-anew-in-two-messages"),
        pytest.param("P0 a1 P1", "b1 P1u Uu a2", "a2", ["history_diverged"], id="context-behind-the-observation"),
        pytest.param("P0 a1 P1 a2 P2", "P1 a2 P2 a3", "a3", [], id="a-window-of-the-history"),
        pytest.param("P0 a1 P1 a2 P2", "P0 a1 P1 a2", "a2", ["duplicate_turn"], id="the-last-turn-again"),
        pytest.param("P0 a1 P1 a2 P2", "P0 a1", "a1", ["history_diverged"], id="an-earlier-turn-again"),
        pytest.param("P0 a1 P1 a2 P2", "P0 b1", "b1", ["history_diverged"], id="an-earlier-turn-anew"),
        pytest.param("P0 a1 F a2 F", "a3", "a3", [], id="repeated-line-new-only"),
        pytest.param("P0 a1 F a2 F", "F a3", "a3", [], id="repeated-line-last-exchange"),
        pytest.param("P0 a1 F a2 F", "P0 a1 F a2 F a3", "a3", [], id="repeated-line-full-history"),
        pytest.param("P0 a1 F a2 F", "P0u a1 Fu a2 Fu a3", "a3", [], id="repeated-line-chat-convention"),
        pytest.param("P0 a1 F a2 F", "P0 a1 F a2 F F", "F", [], id="repeated-line-repeated-by-the-operator"),
        pytest.param("P0 a1 F a2 F", "P0 a1 F a2", "a2", ["duplicate_turn"], id="repeated-line-the-same-turn-again"),
        pytest.param("P0", "Tu P0 a1", "a1", [], id="first-turn-with-a-prompt"),
        pytest.param("P0", "S Tu P0u a1", "a1", [], id="first-turn-with-two-prompts"),
        pytest.param("P0", "Tu Uu a1", "a1", [], id="first-turn-with-prompts-alone"),
        pytest.param("P0 a1 P1", "Tu P1u a2", "a2", [], id="prompt-and-last-exchange"),
        pytest.param("P0 a1 P1", "Tu S Uu P0 a1 P1 a2", "a2", [], id="prompts-of-all-roles"),
        pytest.param("P0 a1 P1 a2 P2", "Tu a1 P1 a2 P2 a3", "a3", [], id="prompt-and-history-from-the-operator"),
        pytest.param("P0 a1 P1", "Tu P0 a1 a2", "a2", ["history_diverged"], id="prompt-and-observation-dropped"),
        pytest.param("P0 a1 P1", "Tu P0 b1 P1 a2", "a2", ["history_diverged"], id="prompt-and-operator-edited"),
        pytest.param("P0 a1 P1", "Tu P0 a1", "a1", ["duplicate_turn"], id="prompt-and-the-same-turn-again"),
        pytest.param("P0 a1 P1", "P0u P1u a2", "a2", ["history_diverged"], id="a-persona-line-in-front-is-no-prompt"),
        pytest.param(
            "P0 a1 P1 a2 P2", "a1 P1 a2", "a2", ["duplicate_turn"], id="the-same-turn-again-from-the-operator"
        ),
        pytest.param("P0 a1 P1 a2 P2", "a1 P1 b2", "b2", ["history_diverged"], id="from-the-operator-and-edited"),
        pytest.param("P0 a1 P1", "a1", "a1", [], id="the-same-words-as-a-new-message"),
        pytest.param("P0 a1 P1", "a1 a2", "a1 a2", [], id="new-messages-that-begin-with-the-same-words"),
        pytest.param("P0 F F", "F F", "F", [], id="last-exchange-of-an-operator-who-repeats-the-persona"),
        pytest.param("P0", "P0 P0 a1", "a1", ["repeated_opening"], id="opening-twice"),
        pytest.param("P0 a1 P1", "P0u P0 a1 P1 a2", "a2", ["repeated_opening"], id="opening-twice-in-a-later-turn"),
        pytest.param("P0 P0 P1", "P0 P0 P1 a2", "a2", [], id="opening-twice-in-the-transcript-itself"),
    ],
)
def test_more_histories(transcript: str, submitted: str, new: str, findings: list[str]) -> None:
    """What follows the last occurrence of the latest observation, or else the common prefix, is new (EP-7)."""
    assert _submit(transcript, submitted) == (new, findings)


@pytest.mark.parametrize("submitted", ["", "S", "Uu", "P1u", "P1", "P0", "P1 P1u", "P0 a1 P1 Uu", "P0 P1"])
def test_without_anything_from_the_operator_there_is_no_turn(submitted: str) -> None:
    """Persona lines, context and system messages alone are a 400 (EP-7)."""
    with pytest.raises(BadRequest, match="operator"):
        _submit("P0 a1 P1", submitted)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("<no_response />", True),
        ("<No_Response/>", True),
        (" <no_response/>", True),
        ("<no_response>", True),
        ("<no_response/>", False),
        ("no response", False),
        ("He gave <no_response />, so I wait.", True),
        ("He gave no response, so I wait.", False),
    ],
)
def test_what_was_probably_meant_to_be_silence_is_a_finding(content: str, found: bool) -> None:
    """Only the exact token is silence (TOK-1); a near miss is named by its place, whoever counts the system messages."""
    expected = [Finding("near_miss_token", "messages.2.content")] if found else []
    submitted = [*_messages("S P0u"), operator(content)]
    assert new_turn(PLAYER, [TranscriptLine("P0", False)], submitted).findings == expected
    assert operator_turns(PLAYER, submitted).findings == expected
    assert not operator_turns(PLAYER, [Message(role="user", content=content), operator("Well")]).findings


@pytest.mark.parametrize(
    ("submitted", "expected", "findings"),
    [
        pytest.param("P0u h Nu j", ["h", "j"], [], id="chat-convention"),
        pytest.param("Xu h Yu j Zu", ["h", "j"], [], id="made-elsewhere"),
        pytest.param("h Nu w O", ["h", "w"], ["all_assistant_history"], id="starting-with-the-operator"),
        pytest.param("h Nu j X", ["h", "j X"], [], id="starting-with-the-operator-in-two-messages"),
        pytest.param("S P0u S h S j Nu S", ["h j"], [], id="system-left-out"),
        pytest.param("P0u h j Yu w", ["h j", "w"], [], id="chat-convention-two-messages-in-a-turn"),
        pytest.param("P0u h j w", ["h j w"], [], id="chat-convention-never-takes-turns-by-itself"),
        pytest.param("P0u P0 Nu j", ["P0", "j"], [], id="the-operator-repeats-the-opening"),
        pytest.param("P0u h N Nu j", ["h N", "j"], [], id="the-operator-says-what-the-user-says-next"),
        pytest.param("P0u h N w Nu j", ["h N w", "j"], [], id="the-operator-says-it-and-goes-on"),
        pytest.param("P0u h N N Xu", ["h", "N"], ["all_assistant_history"], id="at-most-one-line-a-turn"),
        pytest.param("P0u h Nu N j", ["h", "N j"], [], id="nor-one-behind-a-user-message"),
        pytest.param("Xu w P0 h N j", ["h", "j"], ["all_assistant_history"], id="what-is-in-front-of-the-opening"),
        pytest.param("Xu P0 h X j Y", ["h", "j"], ["all_assistant_history"], id="prompt-and-alternating"),
        pytest.param(
            "P0 h X j Yu w", ["h X j", "w"], ["all_assistant_history"], id="a-user-message-behind-the-opening"
        ),
        pytest.param("P0 P0 h N j", ["P0 h", "j"], ["all_assistant_history", "repeated_opening"], id="opening-twice"),
        pytest.param("P0 P0u h Nu j", ["h", "j"], ["all_assistant_history", "repeated_opening"], id="in-both-roles"),
        pytest.param("P0u P0u h Nu j", ["h", "j"], ["repeated_opening"], id="opening-twice-chat-convention"),
        pytest.param("P0 h N j J", ["h", "j"], ["all_assistant_history"], id="played"),
        pytest.param("S P0 h N S j", ["h", "j"], ["all_assistant_history"], id="played-without-a-last-answer"),
        pytest.param("P0 h j J w", ["h j", "w"], ["all_assistant_history"], id="two-messages-in-a-turn"),
        pytest.param("P0 w O j J w", ["w", "j", "w"], ["all_assistant_history"], id="played-volunteered"),
        pytest.param("P0 h N N O", ["h", "N"], ["all_assistant_history"], id="operator-repeats-the-persona"),
        pytest.param("P0 h N j X w", ["h", "j X w"], ["all_assistant_history"], id="matching-in-part"),
        pytest.param("P0 h", ["h"], ["all_assistant_history"], id="one-message"),
        pytest.param("P0 h X j Y w", ["h", "j", "w"], ["all_assistant_history"], id="alternating"),
        pytest.param("P0 h X j Y", ["h", "j"], ["all_assistant_history"], id="alternating-to-an-answer"),
        pytest.param("h N j", ["h N j"], ["unattributable_history"], id="starting-with-something-else"),
        pytest.param("S h", ["h"], ["unattributable_history"], id="one-message-of-unknown-origin"),
    ],
)
def test_conversations_given_whole(submitted: str, expected: list[str], findings: list[str]) -> None:
    """The speaker is known by roles where there are any, else by what the played persona says (EP-8)."""
    attributed = operator_turns(PLAYER, _messages(submitted, REAL))
    names = {text: word for word, text in REAL.items()}
    spoken = [" ".join(names.get(one["content"], one["content"]) for one in turn) for turn in attributed.turns]
    assert (spoken, [finding.code for finding in attributed.findings]) == (expected, findings)


@pytest.mark.parametrize(
    ("text", "findings"),
    [
        ("Well<|im_end|>", ["leaked_markup"]),
        ("<think>Hm.</think>Well", ["leaked_markup"]),
        ("<no_response/><|im_end|>", ["near_miss_token", "leaked_markup"]),
        ("Is <b>this</b> what you mean?", []),
    ],
)
def test_marks_of_templates_are_noticed_where_the_operator_speaks(text: str, findings: list[str]) -> None:
    """In new messages and in conversations given whole; whatever the persona, a user or the system says (section 7)."""
    expected = [Finding(code, "messages.3.content") for code in findings]
    submitted = [Message(role="system", content="<think>"), *_messages("[INST]u P0u"), operator(text)]
    assert new_turn(PLAYER, [TranscriptLine("P0", False)], submitted).findings == expected
    assert operator_turns(PLAYER, submitted).findings == expected
    marked = Player(scenario(persona={**CLAIM["persona"], "opening": "It says <|error|>."}))
    operator_lines = [operator("It says <|error|>."), operator("Well")]
    assert not new_turn(marked, [TranscriptLine(operator_lines[0]["content"], False)], operator_lines).findings
    assert [finding.code for finding in operator_turns(marked, operator_lines).findings] == ["all_assistant_history"]


@pytest.mark.parametrize("role", ["user", "system"])
def test_tool_calls_of_others_are_noticed(role: Literal["user", "system"]) -> None:
    """Only the operator calls tools; what stands beside another's message is called by nobody (section 7)."""
    submitted = [
        *_messages("P0u"),
        Message(role=role, content="Hm", tool_calls=[call("claim_status")]),
        operator("Well"),
    ]
    expected = [Finding("tool_calls_of_user", "messages.1.tool_calls")]
    assert new_turn(PLAYER, [TranscriptLine("P0", False)], submitted).findings == expected
    assert operator_turns(PLAYER, submitted).findings == expected
    fine = [*_messages("P0u"), Message(role=role, content="Hm", tool_calls=[]), operator("Well", call("claim_status"))]
    assert operator_turns(PLAYER, fine).findings == []


@pytest.mark.parametrize("submitted", ["", "S", "Xu", "P0u S Nu", "P0", "S P0", "Xu P0", "Xu w P0u"])
def test_a_conversation_needs_an_operator(submitted: str) -> None:
    """No operator message is a 400 (EP-8)."""
    with pytest.raises(BadRequest, match="operator"):
        operator_turns(PLAYER, _messages(submitted, REAL))
