from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from labs_mock.testing import LabsMock
from tests.trainers.rollouts import ANSWERED, CLAIM, CONVERSATIONS, RESPONSES, THEIRS
from tests.trainers.verl.conftest import Manager

older_managers = pytest.importorskip("verl.workers.reward_manager")
torch = pytest.importorskip("torch")

pytestmark = THEIRS

Batch = Callable[..., Any]
Compute = Callable[[Any, Any], Any]

NAMES = pytest.mark.parametrize("name", ["naive", "rate_limited"])


def rewards(computed: Any) -> Any:
    """The reward of each row: verl puts it at the last token of the response, and 0 everywhere else."""
    return computed.batch["rm_scores"].sum(dim=1)


def file_of(folder: Path, code: str) -> Path:
    """A file with another `compute_score`, on top of the example's."""
    path = folder / "another.py"
    example = Path(__file__).parents[3] / "examples/verl/labs.py"
    path.write_text(f"{example.read_text()}\n\nours = compute_score\n\n{code}", encoding="utf-8")
    return path


@NAMES
def test_a_batch_is_in_place(name: str, labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute) -> None:
    """With either manager every row has the reward of its response, at the last token of it."""
    data = batch(RESPONSES)
    computed = compute(manager(name, max_concurrent=4), data)
    assert labs_mock.verdict(rewards(computed), ANSWERED, **CLAIM).label == "in_place"
    lengths = data.batch["attention_mask"][:, 2:].sum(dim=1)
    assert torch.equal(computed.batch["rm_scores"].argmax(dim=1), lengths - 1)


def test_the_manager_of_older_versions_is_in_place(
    labs_mock: LabsMock, manager: Manager, batch: Batch, tokenizer: Any
) -> None:
    """So it is with `verl.workers.reward_manager.NaiveRewardManager`, which calls the function row by row."""
    older = older_managers.NaiveRewardManager(tokenizer, 0, manager("naive").compute_score)
    used = older(batch(RESPONSES)).sum(dim=1)
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "in_place"


@pytest.fixture
def episodes(labs_mock: LabsMock, batch: Batch) -> Any:
    """A batch of an agent loop that played episodes and left the rewards of their turns in its `extra_fields`."""
    served = [
        [labs_mock.explain(**CLAIM, messages=one[:end])["reward"] for end in range(2, len(one) + 1, 2)]
        for one in CONVERSATIONS
    ]
    return batch(RESPONSES, tool_extra_fields=[{"turn_scores": turns} for turns in served])


@NAMES
def test_episodes_are_in_place(
    name: str, labs_mock: LabsMock, manager: Manager, episodes: Any, compute: Compute
) -> None:
    """The last reward of an episode is that of the rollout."""
    used = rewards(compute(manager(name), episodes))
    assert labs_mock.verdict(used, CONVERSATIONS, **CLAIM).label == "in_place"


@pytest.mark.parametrize(("choice", "label"), [("sum(turns)", "summed_over_turns"), ("turns[-2]", "last_but_one_turn")])
def test_another_choice_of_the_turns_is_convicted(
    choice: str, label: str, labs_mock: LabsMock, manager: Manager, episodes: Any, compute: Compute, tmp_path: Path
) -> None:
    """Rewards of turns judge the conversation so far: their sum is no reward, and the last but one not the last."""
    path = file_of(
        tmp_path,
        f"def compute_score(*, extra_info, **_):\n    turns = extra_info['turn_scores']\n    return {choice}\n",
    )
    used = rewards(compute(manager("naive", path), episodes))
    assert labs_mock.verdict(used, CONVERSATIONS, **CLAIM).label == label


LATE = """
before = [{"score": 0.0}]
def compute_score(**query):
    before.append(ours(**query))
    return before[-2]
"""


def test_a_reply_taken_for_the_next_is_convicted(
    labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute, tmp_path: Path
) -> None:
    """Replies that come one late shift the rewards, where one row is asked for after the other."""
    rate_limited, data = manager("rate_limited", file_of(tmp_path, LATE)), batch(RESPONSES)
    used = torch.cat([rewards(compute(rate_limited, data[row : row + 1])) for row in range(len(data))])
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "shifted(1)"


def test_a_batch_that_was_reordered_is_convicted(
    labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute
) -> None:
    """Batches are reordered in place, by length to balance ranks: rewards of the new order are not those of the old."""
    data = batch(RESPONSES)
    data.reorder(data.batch["attention_mask"].sum(dim=1).argsort(stable=True))
    used = rewards(compute(manager("naive"), data))
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "sorted(characters)"


def refused(labs_mock: LabsMock, *places: int) -> None:
    """The service refuses the evaluation of these responses."""
    for place in places:
        labs_mock.add_fault(path="/api/v1/evaluate", nth=place + 1, status=403)


def test_the_naive_manager_lets_a_failure_through(
    labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute
) -> None:
    """What `compute_score` raises ends the step: nothing is trained on."""
    refused(labs_mock, 3)
    with pytest.raises(Exception, match="403"):
        compute(manager("naive"), batch(RESPONSES))


NUMBER = "def compute_score(**query):\n    return ours(**query)['score']\n"


def test_the_rate_limited_manager_turns_failures_into_zero(
    labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute, tmp_path: Path
) -> None:
    """With a function that returns a number, a failure is trained on as 0.0, and its error is dropped."""
    refused(labs_mock, 3)
    computed = compute(manager("rate_limited", file_of(tmp_path, NUMBER)), batch(RESPONSES))
    assert labs_mock.verdict(rewards(computed), ANSWERED, **CLAIM).label == "failure_became_zero"
    assert computed.meta_info["reward_extra_keys"] == ["acc"]


@pytest.mark.parametrize(("place", "key"), [(0, "error"), (3, "score")])
def test_the_rate_limited_manager_wants_the_same_keys_in_every_item(
    place: int, key: str, manager: Manager, batch: Batch, compute: Compute, tmp_path: Path
) -> None:
    """With one that returns an object, a failure has other keys than the rest, and the step ends with a `KeyError`."""
    code = f"def compute_score(**query):\n    assert query['solution_str'] != {RESPONSES[place]!r}\n    return ours(**query)\n"
    with pytest.raises(KeyError, match=key):
        compute(manager("rate_limited", file_of(tmp_path, code)), batch(RESPONSES))


SLOW = "import asyncio\nasync def compute_score(**_):\n    await asyncio.sleep(60)\n"


def test_the_rate_limited_manager_gives_zero_for_what_takes_too_long(
    labs_mock: LabsMock, manager: Manager, batch: Batch, compute: Compute, tmp_path: Path
) -> None:
    """A reward that is not there after `reward.timeout` is 0.0, though the service may have given it and counted it."""
    computed = compute(
        manager("rate_limited", file_of(tmp_path, SLOW), timeout=0.01, max_concurrent=8), batch(RESPONSES)
    )
    assert labs_mock.verdict(rewards(computed), ANSWERED, **CLAIM).label == "became_zero"


def test_its_limits_are_those_of_the_first_manager(manager: Manager) -> None:
    """Limits belong to the class: a second manager of the process does not change them, and warns at best."""
    first = manager("rate_limited", max_concurrent=2)
    second = type(first)(
        config=first.config.__class__({"reward": {"max_concurrent": 50}}), tokenizer=first.tokenizer, compute_score=None
    )
    assert second._max_concurrent == 2


TIMEOUT = "def compute_score(**_):\n    raise TimeoutError\n"


def test_the_older_naive_manager_gives_zero_for_any_timeout(
    labs_mock: LabsMock, manager: Manager, batch: Batch, tokenizer: Any, tmp_path: Path
) -> None:
    """It takes a `TimeoutError` of the client, a socket's or aiohttp's, for its own, even without `compute_score_timeout`."""
    older = older_managers.NaiveRewardManager(tokenizer, 0, manager("naive", file_of(tmp_path, TIMEOUT)).compute_score)
    used = older(batch(RESPONSES)).sum(dim=1)
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "became_zero"
