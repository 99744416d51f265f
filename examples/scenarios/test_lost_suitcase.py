"""Tests of the scenario beside this file: what its operators earn, and that the persona reveals what it should, and no more."""

import json
from pathlib import Path

import pytest

DATASET = "2b7c9d40-5e1f-4a83-9c06-d8f31e7a5b24"
SCENARIO = {"collection_slug": "hotel", "scenario_slug": "lost-suitcase"}
OPENING = {"role": "user", "content": "Good evening. My suitcase has not come up to my room."}


@pytest.fixture(scope="session")
def labs_mock_scenarios():
    return Path(__file__).parent


def exported(client):
    """The rows of the dataset: simulated operators have played them, and the scenario's criteria have judged them."""
    export = client.get(f"/training-datasets/{DATASET}/export").raise_for_status()
    return [json.loads(line) for line in export.iter_lines()]


def test_a_good_operator_earns_much_and_a_poor_one_little(labs_mock_client):
    rewards = {"desk-expert-v1": [], "desk-poor-v1": []}
    for row in exported(labs_mock_client):
        rewards[row["agent_template_id"]].append(row["metadata"]["quality_score"])
    assert min(rewards["desk-expert-v1"]) >= 0.85
    assert max(rewards["desk-poor-v1"]) <= 0.35


@pytest.mark.parametrize(
    ("said", "revealed"),
    [
        ("What is in it?", []),  # she does not say so without a kind word
        ("I am sorry. What is in it?", ["concert"]),
        ("Which colour has the suitcase?", ["looks"]),
        ("Hm.", []),
    ],
)
def test_she_says_what_she_is_asked_for(labs_mock, said, revealed):
    explained = labs_mock.explain(**SCENARIO, messages=[OPENING, {"role": "assistant", "content": said}])
    found = [rule["id"] for rule in explained["rules"] if rule["part"] == "discovery" and rule["turns"]]
    assert found == revealed
