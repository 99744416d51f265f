from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.contract.responses import Compared
from tests.http.test_batch import TEXTS, WHERE, conversation
from tests.support import Live

conversations = st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4).map(lambda texts: conversation(*texts))
OTHER = {"a": "b", "b": "a", "tie": "tie"}


def compare(server: Live, one: Any, other: Any, **fields: Any) -> Any:
    """Compare two conversations."""
    body = {**WHERE, "response_a": {"messages": one}, "response_b": {"messages": other}, **fields}
    return server.post("/compare", body)


@settings(max_examples=50)
@given(conversations, conversations)
def test_a_comparison_is_two_evaluations(shared_server: Live, one: Any, other: Any) -> None:
    """Both rewards are those of `/evaluate`; the margin has no sign; swapping swaps the response (CMP-1)."""
    response = compare(shared_server, one, other)
    body = Compared.model_validate_json(response.content)
    single = [
        shared_server.post("/evaluate", {**WHERE, "messages": messages}).json()["reward"] for messages in (one, other)
    ]
    assert [body.reward_a, body.reward_b] == single
    assert body.margin == pytest.approx(abs(single[0] - single[1]), abs=1e-9)
    assert body.winner == ("tie" if single[0] == single[1] else "a" if single[0] > single[1] else "b")
    swapped = compare(shared_server, other, one).json()
    assert swapped == {
        **response.json(),
        "winner": OTHER[body.winner],
        "reward_a": body.reward_b,
        "reward_b": body.reward_a,
        "request_id": swapped["request_id"],
    }


def test_one_wins_and_equals_tie(server: Live) -> None:
    """A question beats an insult, and a conversation ties with itself (CMP-1)."""
    better, worse = conversation("Tell me what happened."), conversation("nonsense")
    assert compare(server, better, worse).json()["winner"] == "a"
    assert compare(server, worse, better).json()["winner"] == "b"
    tie = compare(server, better, better).json()
    assert (tie["winner"], tie["margin"]) == ("tie", 0)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"response_b": None}, 400, "response_b: expected an object, got null"),
        ({"response_b": {"messages": []}}, 400, "response_b.messages: expected at least one new assistant message"),
        ({"response_a": {"messages": [{"role": "x", "content": ""}]}}, 400, "response_a.messages.0.role: expected"),
        ({"scenario_slug": "nope"}, 404, "Scenario not found: 'nope'"),
    ],
)
def test_bad_comparisons(server: Live, changes: dict[str, Any], status: int, message: str) -> None:
    """Mistakes are named by their path (ERR-2)."""
    good = conversation("Hm.")
    response = compare(server, good, good, **changes)
    assert response.status_code == status
    assert response.json()["message"].startswith(message)


def test_findings_say_which_response(server: Live) -> None:
    """A finding in one of the two has its place."""
    alone = [{"role": "assistant", "content": "Hm."}]
    found = compare(server, conversation("Hm."), alone).headers["x-mock-findings"]
    assert found == 'unattributable_history;severity=warning;place="response_b.messages"'
