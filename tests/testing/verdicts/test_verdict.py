from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import pytest

from labs_mock.testing import ControlError, LabsMock
from tests.testing.conversation import post

WHERE: dict[str, Any] = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
TEXTS = (
    "I am sorry to hear that. Please tell me what happened.",
    "Thank you for telling me. Do you have any other work, a second job perhaps?",
    "I understand. Are you worried about going back?",
    "Hm.",
)


def talk(*texts: str) -> list[dict[str, Any]]:
    """A conversation in the chat convention."""
    return [one for text in texts for one in ({"role": "user", "content": "x"}, {"role": "assistant", "content": text})]


TALKS = [talk(*TEXTS[:3]), talk(TEXTS[0]), talk(*TEXTS[:2]), talk("Hm."), talk(*TEXTS[1:3])]
"""Of them each has a reward of its own; that of the fourth is 0."""


def batch(mock: LabsMock, talks: Sequence[list[dict[str, Any]]]) -> list[float]:
    """The rewards of a client that reads results where they stand, and has 0 for those that failed."""
    items = [{"id": str(index), **WHERE, "messages": one} for index, one in enumerate(talks)]
    return [result.get("reward", 0.0) for result in post(mock, "batch/evaluate", {"items": items}).json()["results"]]


def evaluate(mock: LabsMock, talks: Sequence[list[dict[str, Any]]]) -> list[float]:
    """Those of a client that has 0 for every failure."""
    rewards = []
    for messages in talks:
        reward = 0.0
        with suppress(httpx.HTTPError):
            reward = post(mock, "evaluate", {**WHERE, "messages": messages}).raise_for_status().json()["reward"]
        rewards.append(reward)
    return rewards


def play(mock: LabsMock, *texts: str) -> list[float]:
    """The rewards of an episode's turns; 0 for one that failed."""
    episode = post(mock, "episodes", {**WHERE, "score_turns": True}).json()["episode_id"]
    rewards = []
    for text in texts:
        reward = 0.0
        with suppress(httpx.HTTPError):
            turn = {"id": episode, "messages": [{"role": "assistant", "content": text}]}
            reward = post(mock, f"episodes/{episode}/turns", turn).raise_for_status().json()["reward"]
        rewards.append(reward)
    return rewards


def test_a_sound_client_passes(mock: LabsMock) -> None:
    """One by one, in a batch, and by episodes; all rewards can be told apart, and nothing is recorded of the comparison."""
    played = [play(mock, *[one["content"] for one in talk[1::2]])[-1] for talk in TALKS]
    for used in (evaluate(mock, TALKS), batch(mock, TALKS), played):
        made = len(mock.requests)
        verdict = mock.assert_rewards(used, TALKS, **WHERE)
        assert (verdict.label, verdict.also, verdict.places, verdict.identifiable) == ("in_place", (), (), 5)
        assert verdict.expected == tuple(used)
        assert len(mock.requests) == made
        assert str(verdict).splitlines() == [
            "in_place: every reward is that of its conversation",
            "  5 conversations, 0 not as expected; identifiable: 5 of 5",
        ]


def test_conversations_may_have_scenarios_and_weights_of_their_own(mock: LabsMock) -> None:
    """And the others have those of the call."""
    weights = {"quality_weights": {"best_practices": 1}}
    bodies = [{**WHERE, "messages": TALKS[0], "reward_config": weights}, {**WHERE, "messages": TALKS[0]}]
    used = [post(mock, "evaluate", body).json()["reward"] for body in bodies]
    mock.assert_rewards(used, bodies)
    mock.assert_rewards(used[:1], [TALKS[0]], **WHERE, reward_config=weights)
    verdict = mock.verdict(used, [TALKS[0]] * 2, **WHERE)
    assert verdict.label == "other_conversation"
    assert f"place 0: expected {used[1]}, used {used[0]:g} (request 1 got that for other slugs or weights)" in str(
        verdict
    )


def test_what_fails_shows_the_places_and_the_usual_cause(mock: LabsMock) -> None:
    """The label, how much can be seen, the first places with both rewards, and what else it may be."""
    used = batch(mock, TALKS)
    used[0], used[2] = used[2], used[0]
    with pytest.raises(AssertionError) as failed:
        mock.assert_rewards(used, TALKS, **WHERE, allow={"lossy", "nan"})
    assert str(failed.value).splitlines() == [
        "swapped(0, 2): two rewards changed places",
        "  5 conversations, 2 not as expected; identifiable: 5 of 5",
        f"  place 0: expected {used[2]}, used {used[0]} (request 1 got that for another conversation)",
        f"  place 2: expected {used[0]}, used {used[2]} (request 1 got that for another conversation)",
        "usual cause: a race for two places, or an index that was computed twice",
        "also fits: permuted, other_conversation",
    ]


def test_a_mixture_has_a_label_a_place(mock: LabsMock) -> None:
    """And the usual cause of each; at most five places are shown."""
    rewards = batch(mock, TALKS)
    mock.add_fault(path="/api/v1/evaluate", nth=1, status=503)
    used = [*evaluate(mock, TALKS[:1]), None, rewards[0], 0.123, 0.0, 0.0, 0.5]
    verdict = mock.verdict(used, [*TALKS, *TALKS[:2]], **WHERE)
    assert [*verdict.places] == [
        *("failure_became_zero", "nan", "other_conversation", "not_served"),
        *("became_zero", "failure_became_zero", "not_served"),
    ]
    assert verdict.label == "mixed"
    lines = str(verdict).splitlines()
    assert lines[1:5] == [
        "  7 conversations, 7 not as expected; identifiable: 3 of 7",
        f"  place 0: failure_became_zero: expected {rewards[0]}, used 0 (request 2 failed)",
        f"  place 1: nan: expected {rewards[1]}, used none",
        f"  place 2: other_conversation: expected {rewards[2]}, used {rewards[0]} (request 1 got that for another conversation)",
    ]
    assert lines[7] == "  and 2 more"
    assert [line.partition(":")[0] for line in lines[8:]] == [
        f"usual cause of {name}" for name in dict.fromkeys(verdict.places)
    ]


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"reset": 20}, {"cut": 30}])
def test_a_zero_for_a_failure_is_convicted(mock: LabsMock, fault: dict[str, Any]) -> None:
    """Of an evaluation, an item of a batch or the last turn of an episode; a sound client has None there."""
    mock.add_fault(path="/api/v1/evaluate", nth=2, **fault)
    mock.add_fault(path="/api/v1/batch/evaluate", fail_item=2)
    mock.add_fault(path="/api/v1/episodes/*/turns", nth=3, **fault)
    used = evaluate(mock, TALKS)
    assert mock.verdict(used, TALKS, **WHERE).label == "failure_became_zero"
    assert mock.verdict(batch(mock, TALKS), TALKS, **WHERE).label == "failure_became_zero"
    assert mock.verdict(play(mock, *TEXTS[:3])[-1:], TALKS[:1], **WHERE).label == "failure_became_zero"
    sound = [None if place == 1 else reward for place, reward in enumerate(used)]
    mock.assert_rewards(sound, TALKS, **WHERE, allow={"nan"})
    mock.forget_requests()
    assert mock.verdict(used, TALKS, **WHERE).label == "became_zero"


def test_a_conversation_that_the_server_refuses_has_no_reward(mock: LabsMock) -> None:
    """None is right for it, and 0 a failure that became one; the text has the server's message."""
    talks = [*TALKS[:2], talk("x" * 10_001)]
    used = evaluate(mock, talks)
    mock.assert_rewards([*used[:2], None], talks, **WHERE)
    verdict = mock.verdict(used, talks, **WHERE)
    assert (verdict.label, verdict.expected[2], verdict.identifiable) == ("failure_became_zero", None, 2)
    assert "place 2: expected none, used 0 (refused: messages.1.content: expected at most 10,000" in str(verdict)
    assert mock.verdict([*used[:2], 0.7], talks, **WHERE).label == "not_served"


def test_turns_of_an_episode_are_told_apart(mock: LabsMock) -> None:
    """Added up, or all but the last one submitted; an episode that is not scored has 0."""
    turns = [play(mock, *TEXTS[:3]), play(mock, *TEXTS[:2])]
    talks = [TALKS[0], TALKS[2]]
    mock.assert_rewards([one[-1] for one in turns], talks, **WHERE)
    assert mock.verdict([sum(one) for one in turns], talks, **WHERE).label == "summed_over_turns"
    assert mock.verdict([one[-2] for one in turns], talks, **WHERE).label == "last_but_one_turn"
    assert mock.verdict([0, 0], talks, **WHERE).label == "became_zero"


def test_another_number_of_rewards(mock: LabsMock) -> None:
    """How many, and the first place where they differ."""
    used = batch(mock, TALKS)
    fewer, more = mock.verdict(used[1:], TALKS, **WHERE), mock.verdict([*used, 0.5], TALKS, **WHERE)
    assert (fewer.label, more.label) == ("missing(1)", "extra(1)")
    assert f"  place 0: expected {used[0]}, used {used[1]} (request 1 got" in str(fewer)
    assert str(more).splitlines()[1:3] == [
        "  5 conversations and 6 rewards, 0 not as expected; identifiable: 5 of 5",
        "  place 5: expected nothing, used 0.5",
    ]
    with pytest.raises(AssertionError, match=r"^missing\(5\)"):
        mock.assert_rewards([], TALKS, **WHERE)


def test_rescaled_rewards_are_recognised(mock: LabsMock) -> None:
    """Over the whole list, and in each group where the groups are known."""
    used = batch(mock, TALKS)
    assert mock.verdict([2 * one - 1 for one in used], TALKS, **WHERE).label == "rescaled(2, -1)"
    groups = [[0, 2, 4], [1, 3]]
    centred = [one - sum(used[place] for place in group) / len(group) for one, group in
               zip(used, (groups[place % 2] for place in range(5)), strict=True)]  # fmt: skip
    assert mock.verdict(centred, TALKS, **WHERE, groups=groups).label == "rescaled(each group)"
    assert mock.verdict(centred, TALKS, **WHERE).label == "not_served"


def test_mistakes_of_a_test_are_named(mock: LabsMock) -> None:
    """What cannot be compared is no verdict."""
    with pytest.raises(ValueError, match="conversations: expected at least one"):
        mock.assert_rewards([], [], **WHERE)
    with pytest.raises(TypeError, match=r"used\[1\]: expected a number or None, got str"):
        mock.verdict([0.5, "0.5"], TALKS, **WHERE)
    with pytest.raises(ControlError, match=r"conversations\.0: Scenario not found: 'x'"):
        mock.verdict([0.5], TALKS[:1], collection_slug="case-management", scenario_slug="x")
    bad: list[tuple[list[list[int]], str]] = [
        ([[0, 1], [1, 2, 3, 4]], "groups: rollout 1 is in 2 groups; expected each of the 5 in one"),
        ([[0, 1], [2, 3]], "groups: rollout 4 is in 0 groups; expected each of the 5 in one"),
        ([[0, 1], [2, 3, 5]], r"groups\[1\]: there is no rollout 5; expected 0 to 4"),
    ]
    for groups, message in bad:
        with pytest.raises(ValueError, match=message):
            mock.verdict([0.5] * 5, TALKS, **WHERE, groups=groups)
