"""`DPOTrainer` on pairs of `/compare`, and `KTOTrainer` on rewards."""

from collections.abc import Callable
from itertools import pairwise, permutations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.trl.policy import MARKS, PHRASES, PROMPT, SLUGS, Messages, Policy, datasets, options, torch, trl

pytestmark = [*MARKS, pytest.mark.filterwarnings("ignore:.*max_length.*")]

Glue = Callable[[str], ModuleType]
Rows = list[dict[str, Any]]

COMPLETIONS: list[Messages] = [
    [{"role": "assistant", "content": f"{one} {other}"}] for one, other in [*permutations(PHRASES, 2)][::3]
]
PROMPTS = [PROMPT] * len(COMPLETIONS)


def train(trainer: Any, config: Any, rows: Rows, folder: Path) -> Any:
    """Two steps; the dataset as the trainer has prepared it."""
    policy = Policy.of()
    before = policy.weights()
    made = trainer(
        policy.model,
        ref_model=Policy.of().model,
        args=config(**options(folder, per_device_train_batch_size=4, learning_rate=0.01)),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=policy.tokenizer,
    )
    made.train()
    assert any(not torch.equal(old, new) for old, new in zip(before, policy.weights(), strict=True))
    return made.train_dataset


def conversations(rows: Any, name: str) -> list[Messages]:
    """What a trainer learns or unlearns, decoded from its tokens."""
    tokenizer = Policy.of().tokenizer
    texts = [tokenizer.decode(ids, skip_special_tokens=True) for ids in rows[f"{name}_ids"]]
    return [[*PROMPT, {"role": "assistant", "content": text.strip()}] for text in texts]


# DPO


def pairs(glue: Glue, labs_mock: LabsMock) -> Rows:
    """A comparison of each completion with the next."""
    preference = glue("labs_preferences").preference
    rows = [preference(PROMPT, one, other) for one, other in pairwise(COMPLETIONS)]
    assert labs_mock.find_requests(path="*/compare", limit=100)
    return [row for row in rows if row is not None]


def misread(row: dict[str, Any]) -> dict[str, Any]:
    """The first side is always taken for the winner."""
    sides = sorted([row["chosen"], row["rejected"]], key=lambda side: side[0]["content"])
    return {**row, "chosen": sides[0], "rejected": sides[1]}


def dpo_rewards(rows: Any) -> tuple[list[float], list[Messages]]:
    """All rewards that pairs were made by, and their conversations: the chosen ones, then the rejected ones."""
    chosen, rejected = zip(*rows["rewards"], strict=True)
    return [*chosen, *rejected], [*conversations(rows, "chosen"), *conversations(rows, "rejected")]


def test_dpo_prefers_what_has_the_higher_reward(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """Of each pair the trainer prefers the conversation with the higher reward (CMP-1)."""
    rows = pairs(glue, labs_mock)
    used, judged = dpo_rewards(train(trl.DPOTrainer, trl.DPOConfig, rows, tmp_path))
    assert labs_mock.assert_rewards(used, judged, **SLUGS).identifiable > 0
    half = len(used) // 2
    assert len(rows) == half > 10
    assert all(chosen > rejected for chosen, rejected in zip(used[:half], used[half:], strict=True))


def test_pairs_the_wrong_way_round_are_convicted(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """Nothing else shows it: the trainer trains on."""
    rows = [misread(row) for row in pairs(glue, labs_mock)]
    used, judged = dpo_rewards(train(trl.DPOTrainer, trl.DPOConfig, rows, tmp_path))
    assert labs_mock.verdict(used, judged, **SLUGS).label.name == "permuted"


@pytest.mark.labs_mock(faults=[{"path": "/api/v1/compare", "first": 3, "status": 503}])
@pytest.mark.usefixtures("labs_mock_time")
def test_a_pair_without_an_answer_is_no_row(glue: Glue) -> None:
    """Three attempts fail, so there is nothing to prefer; neither is there in a tie."""
    preference = glue("labs_preferences").preference
    assert preference(PROMPT, *COMPLETIONS[:2]) is None
    assert preference(PROMPT, COMPLETIONS[0], COMPLETIONS[0]) is None


# KTO


def judged_rows(glue: Glue) -> Rows:
    """Each completion with its reward; the better half is good."""
    rewards = glue("labs_rewards").batch_reward(PROMPTS, COMPLETIONS)
    least = sorted(reward for reward in rewards if reward is not None)[len(rewards) // 2]
    rows: Rows = glue("labs_preferences").judgements(PROMPTS, COMPLETIONS, rewards, least)
    return rows


def test_kto_is_told_what_is_good_by_rewards(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """The reward of each row is that of what the trainer learns, and the label follows from it."""
    rows = train(trl.KTOTrainer, trl.KTOConfig, judged_rows(glue), tmp_path)
    labs_mock.assert_rewards(rows["reward"], conversations(rows, "completion"), **SLUGS)
    good = [reward for reward, label in zip(rows["reward"], rows["label"], strict=True) if label]
    bad = [reward for reward, label in zip(rows["reward"], rows["label"], strict=True) if not label]
    assert min(good) > max(bad)


@pytest.mark.labs_mock(faults=[{"path": "/api/v1/batch/evaluate", "fail_item": 4}])
def test_what_has_no_reward_is_neither_good_nor_bad(glue: Glue, labs_mock: LabsMock, tmp_path: Path) -> None:
    """It is left out; as 0 it would be bad, and that is convicted."""
    sound = judged_rows(glue)
    assert len(sound) == len(COMPLETIONS) - 1
    zero = {"prompt": PROMPT, "completion": COMPLETIONS[4], "label": False, "reward": 0.0}
    rows = train(trl.KTOTrainer, trl.KTOConfig, [*sound[:4], zero, *sound[4:]], tmp_path)
    assert labs_mock.verdict(rows["reward"], conversations(rows, "completion"), **SLUGS).label == "failure_became_zero"
