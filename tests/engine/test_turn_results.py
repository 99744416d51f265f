from hypothesis import given
from hypothesis import strategies as st

from labs_mock.engine.evaluation import assessments_by_turn
from labs_mock.engine.player import Player
from labs_mock.engine.turn_results import turn_results
from tests.support import CLAIM, call, operator, scenario

TEXTS = [
    "Tell me what happened.",
    "Do you have a second job?",
    "Thank you, I understand.",
    "Are you worried?",
    "nonsense",
]
TURNS = st.lists(
    st.lists(
        st.one_of(
            st.sampled_from(TEXTS).map(operator),
            st.just(operator("Scan.", call("order_imaging", region="lumbar spine"))),
            st.just(operator("Done.", call("claim_status", value="denied"))),
            st.just(operator("Done.", call("claim_status", value="nothing"))),
        ),
        min_size=1,
        max_size=2,
    ),
    max_size=8,
)


@given(TURNS)
def test_turns_lead_to_what_they_lead_to_together(turns: list[list[object]]) -> None:
    """After each turn the reward is that of the conversation so far, and each item is revealed in one turn (EP-5, EV-2)."""
    player = Player(scenario())
    results = turn_results(player, turns)  # type: ignore[arg-type]
    played = turns[: len(results)]
    assert [one.assessment for one in results] == assessments_by_turn(player, played)  # type: ignore[arg-type]
    assert [one.play.turn for one in results] == list(range(1, len(results) + 1))
    assert len(results) == len(turns) or results[-1].play.terminal is not None
    revealed = [item.id for one in results for item in one.revealed]
    assert len(revealed) == len(set(revealed))
    known = results[-1].play.masks if results else {}
    assert set(revealed) == {item.id for item in player.scenario.persona.items if item.atom in known}


def test_what_a_turn_reveals_and_how_much_time_passes() -> None:
    """The item is that of the turn, and time that passes is known from the turn that ends a session on (TOK-3)."""
    sessions = [
        {"after_days": 0, "ends": {"turns": 1}},
        {"after_days": 7, "reach_out": [{"say": "Week two."}], "ends": {"turns": 1}},
    ]
    journey = scenario(CLAIM, shape="journey", sessions=sessions, closing="Goodbye.", completed=None)
    first, second = turn_results(Player(journey), [[operator("A second job?")], [operator("Hello.")]])
    assert [item.id for item in first.revealed] == ["side_job"]
    assert first.context == ("7 days later",)
    assert (second.revealed, second.context) == ((), ())
