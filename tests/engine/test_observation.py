from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.requests import Message
from labs_mock.engine.player import Player
from labs_mock.scenario.compiled.scenario import Scenario
from tests.engine.test_player import PLAYERS, SILENCE, VALID, contents, played, transcripts
from tests.support import CLAIM, call, operator, scenario

ONSET, JOB, FEAR, SCAN = [item["reply"] for item in CLAIM["state"]]
NUMBER = CLAIM["persona"]["replies"][0]["reply"]
DEFLECT = CLAIM["state"][2]["deflect"]
FIRST, SECOND = CLAIM["persona"]["fallback"]
IMAGING = call("order_imaging", region="neck")


def answers(on: Scenario, *operator_lines: str | Message) -> list[str]:
    """What the persona answers to some turns of one message each."""
    player = Player(on)
    state, observations = player.start(), []
    for one in operator_lines:
        state = player.fold(state, [[operator(one) if isinstance(one, str) else one]])
        observations.append(state.observation)
    return observations


@pytest.mark.parametrize(
    ("operator_lines", "expected"),
    [
        pytest.param(["Hello"], [NUMBER], id="a-reply"),
        pytest.param(["Well", "Well", "Well", "Well"], [ONSET, FIRST, SECOND, FIRST], id="volunteered-then-cycling"),
        pytest.param(["Hello", "Well", "Hello", "Well"], [NUMBER, ONSET, NUMBER, FIRST], id="replies-use-no-fallback"),
        pytest.param(["Hello, a second job?"], [JOB], id="reveals-before-replies"),
        pytest.param(["second job", "second job"], [JOB, ONSET], id="revealed-once"),
        pytest.param([operator("second job", IMAGING)], [f"{JOB} {SCAN}"], id="reveals-in-file-order"),
        pytest.param(["Are you worried?"], [DEFLECT], id="asked-too-early"),
        pytest.param(["Hello, are you worried?"], [DEFLECT], id="deflection-before-replies"),
        pytest.param(["worried about a second job?"], [JOB], id="reveals-before-deflection"),
        pytest.param(["I understand.", "Thank you.", "worried?"], [ONSET, FIRST, FEAR], id="rapport-in-two-turns"),
        pytest.param(["I understand.", "Thank you. Worried?"], [ONSET, FEAR], id="this-turn-counts-for-rapport"),
        pytest.param(["I understand. Thank you. Worried?"], [DEFLECT], id="rapport-counts-turns"),
        pytest.param(["worried?", "thank you", "thank you"], [DEFLECT, ONSET, FIRST], id="asked-before-is-not-asked"),
        pytest.param(["worried?", "thank you", "thank you, worried?"], [DEFLECT, ONSET, FEAR], id="asked-again"),
        pytest.param([operator("", IMAGING)], [SCAN], id="hidden-whatever-the-rapport"),
        pytest.param([SILENCE, SILENCE, SILENCE, "Well"], [FIRST, SECOND, FIRST, ONSET], id="silence-hears-fallbacks"),
        pytest.param([operator(SILENCE, IMAGING), "Hello"], [FIRST, NUMBER], id="silence-reveals-nothing"),
        pytest.param([f"{SILENCE} second job", "<no_response />"], [JOB, ONSET], id="not-quite-silence"),
    ],
)
def test_the_order_of_an_observation(operator_lines: list[str | Message], expected: list[str]) -> None:
    """Reveals, a deflection, the first reply that yields, a volunteered item, the next fallback; silence: a fallback."""
    assert answers(scenario(), *operator_lines) == expected


def _naive(operator_lines: list[list[Message]]) -> list[str]:
    """The persona of `CLAIM` written out by hand."""
    revealed: list[str] = []
    observations: list[str] = []
    rapport, fallbacks = 0, 0
    for turn in operator_lines:
        text = " | ".join(message["content"].casefold() for message in turn)
        called = [one for message in turn for one in message.get("tool_calls") or () if one in VALID]
        silent = all(message["content"] == SILENCE for message in turn)
        rapport += "i understand" in text or "thank you" in text
        triggered = {JOB: "second job" in text, FEAR: "worried" in text and rapport >= 2}
        triggered[SCAN] = any(one.name == "order_imaging" for one in called)
        new = [reply for reply in triggered if triggered[reply] and reply not in revealed and not silent]
        deflected = DEFLECT if "worried" in text and FEAR not in revealed else None
        answer = " ".join(new) or (None if silent else deflected or (NUMBER if "hello" in text else None))
        if answer is None and not silent and ONSET not in revealed:
            new, answer = [ONSET], ONSET
        if answer is None:
            answer = (FIRST, SECOND)[fallbacks % 2]
            fallbacks += 1
        revealed += new
        observations.append(answer)
    return observations


@given(transcripts)
def test_the_persona_by_a_naive_reading(operator_lines: list[list[Message]]) -> None:
    """Whatever texts and calls there are, the persona replies as the scenario file reads."""
    player = PLAYERS["lenient"]
    state, observations = player.start(), []
    for turn in operator_lines:
        state = player.fold(state, [turn])
        observations.append(state.observation)
    assert observations[: state.turn] == _naive(operator_lines)[: state.turn]


@pytest.mark.parametrize("calls", [[call("order_imaging", region=3)], [call("order_imaging")], [call("imaging")]])
def test_only_a_valid_call_uncovers_a_hidden_item(calls: list[Any]) -> None:
    """An invalid call is answered as if it had not been made (EP-12)."""
    lenient = scenario(invalid_tool_call="score")
    assert answers(lenient, operator("", *calls), operator("", IMAGING)) == [ONSET, SCAN]


def _talk(state: list[dict[str, Any]], replies: list[dict[str, Any]], **changes: Any) -> Scenario:
    """A conversation with other facts and replies than `CLAIM`, and one metric."""
    persona = {**CLAIM["persona"], "replies": replies, "fallback": ["Hm?"]}
    criteria = {"success_metrics": [{"id": "greeted", "text": "T", "when": {"says": ["hi"]}}]}
    facts = [{"fact": "F", "reply": item["id"].upper(), **item} for item in state]
    kept = {"persona": persona, "state": facts, "criteria": criteria, "completed": None, "operators": None}
    return scenario(**{"tools": None, "rapport": None, **kept, **changes})


def test_the_first_reply_that_yields_answers() -> None:
    """Replies are tried in file order."""
    replies = [{"when": {"says": [phrase]}, "reply": phrase.upper()} for phrase in ("one", "two", "one two")]
    assert answers(_talk([], replies), "two one", "one two", "two", "three") == ["ONE", "ONE", "TWO", "Hm?"]


def test_fallbacks_are_cycled_in_order() -> None:
    """After the last one the first one comes again."""
    persona = {**CLAIM["persona"], "replies": [], "fallback": ["1", "2", "3"]}
    assert answers(_talk([], [], persona=persona), *["x"] * 7) == ["1", "2", "3", "1", "2", "3", "1"]


def test_volunteered_items_come_in_file_order_and_may_be_asked_for() -> None:
    """Each takes the place of one fallback; one that has a rule is also revealed by it."""
    items: list[dict[str, Any]] = [{"id": name, "reveal": "volunteered"} for name in "abc"]
    items[1]["when"] = {"says": ["b"]}
    talk = _talk(items, [])
    assert answers(talk, "x", "x", "x", "x") == ["A", "B", "C", "Hm?"]
    assert answers(talk, "b", "b", "x", "x") == ["B", "A", "C", "Hm?"]


def test_without_a_deflection_a_fallback_answers_who_asks_too_early() -> None:
    """The persona deflects by its own words or by a fallback."""
    item = {"id": "a", "reveal": "rapport_required", "when": {"says": ["a"]}}
    talk = _talk([item], [], rapport={"when": {"says": ["thanks"]}, "needed": 1})
    assert answers(talk, "a", "a, thanks") == ["Hm?", "A"]


def test_items_of_one_turn_are_all_revealed_and_the_first_deflection_is_said() -> None:
    """Several reveals are joined in file order; of several deflections the first in the file counts."""
    state = [
        {"id": name, "reveal": "rapport_required", "when": {"says": ["tell"]}, "deflect": f"Not {name}."}
        for name in ("b", "a")
    ]
    talk = _talk(state, [], rapport={"when": {"says": ["thanks"]}})
    assert answers(talk, "tell", "thanks, tell") == ["Not b.", "B A"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"all": [{"says": ["go"]}, {"discovered": "a"}]}, ["A", "B", "Hm?"]),
        ({"discovered": "a"}, ["A", "B", "Hm?"]),
        ({"count": {"of": "discovered", "at_least": 1}}, ["A", "B", "Hm?"]),
        ({"all": [{"says": ["go"]}, {"not": {"discovered": "a"}}]}, ["B A", "Hm?", "Hm?"]),
        ({"all": [{"says": ["go"]}, {"count": {"of": "discovered", "at_least": 2}}]}, ["A", "Hm?", "Hm?"]),
    ],
)
def test_rules_of_the_persona_see_earlier_reveals_only(when: dict[str, Any], expected: list[str]) -> None:
    """In persona rules `discovered` means revealed in an earlier turn, wherever the item stands in the file."""
    direct = {"id": "a", "reveal": "direct_question", "when": {"says": ["go"]}}
    assert answers(_talk([{"id": "b", "kind": "hidden", "when": when}, direct], []), "go", "go", "go") == expected


SESSIONS: list[dict[str, Any]] = [
    {"after_days": 0, "ends": {"turns": 3, "when": {"any": [{"says": ["see you"]}, {"discovered": "job"}]}}},
    {
        "after_days": 7,
        "reach_out": [
            {"when": {"silent": True}, "say": "Did my note arrive?"},
            {"when": {"all": [{"says": ["see you"]}, {"not": {"discovered": "job"}}]}, "say": "As promised."},
            {"say": "Week one."},
        ],
        "ends": {"turns": 2},
    },
    {"after_days": 21, "reach_out": [{"say": "Three weeks."}]},
]
JOB_ITEM = {"id": "job", "reveal": "direct_question", "when": {"says": ["job"]}}
HELLO = {"when": {"says": ["hello"]}, "reply": "HELLO"}
EARLY = {"id": "early", "reveal": "rapport_required", "when": {"says": ["feel"]}, "deflect": "Later."}


def _journey(**last: Any) -> Scenario:
    """A journey of three sessions; how the last one ends is given."""
    sessions = [*SESSIONS[:2], {**SESSIONS[2], **last}]
    rapport = {"when": {"says": ["thanks"]}}
    return _talk([JOB_ITEM, EARLY], [HELLO], shape="journey", sessions=sessions, closing="Bye.", rapport=rapport)


@pytest.mark.parametrize(
    ("operator_lines", "expected"),
    [
        pytest.param(["x", "hello", "x"], ["Hm?", "HELLO", "Week one."], id="by-turns"),
        pytest.param(["see you"], ["As promised."], id="by-rule"),
        pytest.param([SILENCE], ["Did my note arrive?"], id="by-silence"),
        pytest.param(["hello, see you"], ["As promised."], id="no-reply-at-the-end"),
        pytest.param(["how do you feel? see you"], ["As promised."], id="no-deflection-at-the-end"),
        pytest.param(["a job? see you"], ["JOB As promised."], id="reveals-before-reach-out"),
        pytest.param(["a job?", "x"], ["JOB", "Week one."], id="by-an-earlier-reveal"),
        pytest.param(["see you", "x", "x"], ["As promised.", "Hm?", "Three weeks."], id="turns-count-anew"),
        pytest.param(["see you", SILENCE], ["As promised.", "Three weeks."], id="variants-belong-to-the-session"),
        pytest.param([SILENCE, SILENCE, SILENCE], ["Did my note arrive?", "Three weeks.", "Bye."], id="closing"),
    ],
)
def test_how_sessions_end_and_what_is_said_then(operator_lines: list[str], expected: list[str]) -> None:
    """Reveals and the next reach-out: its first variant whose rule yields or that has none."""
    assert answers(_journey(), *operator_lines) == expected


@pytest.mark.parametrize(
    ("last", "final"),
    [({}, SILENCE), ({"ends": {"turns": 1}}, "a job?"), ({"ends": {"when": {"says": ["bye"]}}}, "bye, a job?")],
)
def test_the_last_session_ends_with_the_closing_alone(last: dict[str, Any], final: str) -> None:
    """The journey is completed then, and nothing else is in the observation, not even what the turn reveals."""
    state = played(_journey(**last), SILENCE, SILENCE, final)
    assert (state.observation, state.terminal) == ("Bye.", "completed")


def test_a_last_session_without_an_end_goes_on() -> None:
    """Only silence ends a session that has no `ends`."""
    state = played(_journey(), SILENCE, SILENCE, *["see you"] * 9)
    assert (state.observation, state.terminal) == ("Hm?", None)


def test_the_days_that_pass_are_the_personas_context() -> None:
    """Each time skip adds to the context, and silence is distinguished from words."""
    spoken, silent = played(_journey(), "see you").context, played(_journey(), SILENCE, SILENCE).context
    assert len(spoken) == 1
    assert "no word" not in spoken[0]
    assert silent == ("no word for 7 days", "no word for 14 days")


@given(st.lists(contents | st.sampled_from(["see you", "a job?", "how do you feel?"]), max_size=10))
def test_neither_token_nor_context_is_ever_in_an_observation(operator_lines: list[str]) -> None:
    """The persona never says what only it may know of time, nor that somebody was silent (TOK-3)."""
    secret = [*played(JOURNEY, *operator_lines).context, "no word", "days", "no_response"]
    assert not [
        observations
        for observations in answers(JOURNEY, *operator_lines)
        if any(block in observations for block in secret)
    ]


JOURNEY = _journey()

TASK: dict[str, Any] = {
    "name": "File review",
    "description": "Decide.",
    "shape": "decision_task",
    "difficulty": "easy",
    "briefing": "Review the file.",
    "documents": [{"title": "Letter", "text": "I fell."}, {"title": "Scan", "text": "A strain."}],
    "tools": CLAIM["tools"],
    "state": [{"id": "scan", "fact": "F", "kind": "hidden", "when": {"calls": "order_imaging"}, "reply": "See scan."}],
    "criteria": {"outputs": [{"tool": "claim_status", "expected": "denied"}]},
    "invalid_tool_call": "score",
}


def test_a_decision_task_starts_with_its_briefing_and_documents() -> None:
    """The first observation gives everything, in file order."""
    first = Player(scenario(TASK)).start().observation
    places = [first.index(text) for text in ("Review the file.", "Letter", "I fell.", "Scan", "A strain.")]
    assert places == sorted(places)


TOOLS = ["Order imaging", "Claim status"]
DENY = call("claim_status", value="denied")


@pytest.mark.parametrize(
    ("changes", "called", "received", "terminal"),
    [
        ({}, [], [], None),
        ({}, [IMAGING], ["Order imaging"], None),
        ({}, [DENY], ["Claim status"], None),
        ({}, [call("claim_status", value="lost")], [], None),
        ({}, [IMAGING, DENY], TOOLS, "completed"),
        ({"completed": {"when": {"calls": "claim_status"}}}, [DENY], ["Claim status"], "completed"),
        ({"completed": {"when": {"says": ["done"]}}}, [IMAGING, DENY], TOOLS, None),
    ],
)
def test_a_decision_task_names_what_is_missing_or_closes(
    changes: dict[str, Any], called: list[Any], received: list[str], terminal: str | None
) -> None:
    """It acknowledges what was filed as it should be, and names the rest unless nothing else is needed."""
    state = played(scenario(TASK, **changes), operator("Here.", *called))
    head, _, tail = state.observation.partition("Still missing:")
    assert [name for name in TOOLS if name in head] == received
    missing = [] if terminal else [name for name in TOOLS if name not in received]
    assert [name for name in TOOLS if name in tail] == missing
    assert bool(tail) is bool(missing)
    assert head.startswith("See scan. ") is (IMAGING in called)
    assert state.terminal == terminal


def test_a_decision_task_remembers_earlier_turns() -> None:
    """What was filed before is not missing now, and silence is acknowledged too."""
    filed, silent, closed = answers(scenario(TASK), operator("", IMAGING), SILENCE, operator("", DENY))
    assert "Claim status" in filed
    assert "Order imaging" not in silent
    assert "Claim status" in silent
    assert "Still missing" not in closed
