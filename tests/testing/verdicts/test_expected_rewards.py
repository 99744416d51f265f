import pytest

from labs_mock.testing import ControlError, LabsMock
from labs_mock.testing.control_client import ControlClient
from labs_mock.testing.verdicts.expected_rewards import AT_A_TIME, Conversation, expected_rewards
from tests.testing.conversation import CONVERSATION, MESSAGES, post

WHERE = {name: CONVERSATION[name] for name in ("collection_slug", "scenario_slug")}


@pytest.fixture
def control(mock: LabsMock) -> ControlClient:
    """A client of the control plane of a server as new."""
    return ControlClient(mock.url, mock.api_key)


def test_a_conversation_may_be_written_in_many_ways(mock: LabsMock, control: ControlClient) -> None:
    """As messages, as the body of an evaluation or an item of a batch; what it lacks are the common slugs and weights."""
    weights = {"quality_weights": {"best_practices": 1}}
    written: list[Conversation] = [
        MESSAGES,
        tuple(MESSAGES),
        {**CONVERSATION, "id": "a", "normalization_key": "run", "normalization_windows": ["7d"]},
        {"messages": MESSAGES, "reward_config": weights},
        {"messages": MESSAGES, "scenario_slug": None},
    ]
    reward, weighted = (
        post(mock, "evaluate", {**CONVERSATION, **fields}).json()["reward"]
        for fields in ({}, {"reward_config": weights})
    )
    assert reward != weighted
    found = expected_rewards(control, written, **WHERE)
    assert [one.reward for one in found] == [reward, reward, reward, weighted, reward]
    found = expected_rewards(control, written, **WHERE, reward_config=weights)
    assert [one.reward for one in found] == [weighted] * 5


def test_there_may_be_more_than_fit_into_a_request(control: ControlClient) -> None:
    """They are sent in parts, and stay in their order."""
    texts = ["Tell me what happened.", "Hm."] * AT_A_TIME
    conversations = [[{"role": "user", "content": "Hello."}, {"role": "assistant", "content": text}] for text in texts]
    found = [one.reward for one in expected_rewards(control, conversations[:-1], **WHERE)]
    assert found == (found[:2] * AT_A_TIME)[:-1]
    assert found[0] != found[1]
    assert expected_rewards(control, []) == []
    long = [{"role": "user", "content": "x" * 9_000}] * 600  # 5 MB, of which four are more than a body may have
    found = [one.reward for one in expected_rewards(control, [[*long, *one] for one in conversations[:4]], **WHERE)]
    assert found == found[:2] * 2
    assert found[0] != found[1]


def test_mistakes_name_the_conversation(control: ControlClient) -> None:
    """What lacks slugs, what is no field, and what the server does not know."""
    with pytest.raises(
        ValueError, match=r"conversations\[0\]: no scenario_slug; name it there, or as scenario_slug=… for"
    ):
        expected_rewards(control, [MESSAGES], collection_slug="case-management")
    with pytest.raises(ValueError, match=r"conversations\[1\]: unknown field 'mesages'; did you mean 'messages'\?"):
        expected_rewards(control, [MESSAGES, {"mesages": MESSAGES}], **WHERE)
    with pytest.raises(ControlError, match=r"conversations\.1: Scenario not found: 'lower-back-clam'"):
        expected_rewards(control, [MESSAGES, {**CONVERSATION, "scenario_slug": "lower-back-clam"}], **WHERE)
    with pytest.raises(
        ControlError, match=rf"^in conversations\[{AT_A_TIME}:\]: conversations\.0: Collection not found: 'x'$"
    ):
        expected_rewards(control, [*[MESSAGES] * AT_A_TIME, {**CONVERSATION, "collection_slug": "x"}], **WHERE)
