"""A test of the rewards that TRL trains on: each has to be that of its own completion. No GPU, no server to start."""

from pathlib import Path

import pandas
import pytest


@pytest.mark.labs_mock(canary=True)
def test_each_completion_has_its_own_reward(labs_mock_env, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from train import HTTP, SCENARIO, train  # now: it reads LABS_URL, which the fixture has set

    train(max_steps=2, log_completions=True)
    HTTP.close()
    log = read_log("out")
    conversations = [
        [*prompt, *completion] for prompt, completion in zip(log["prompt"], log["completion"], strict=True)
    ]
    labs_mock_env.assert_rewards(log["labs"], conversations, **SCENARIO)


def read_log(output_dir):
    """All rollouts of a run, in the order in which the trainer had them."""
    return pandas.concat(map(pandas.read_parquet, sorted(Path(output_dir, "completions").glob("*.parquet"))))
