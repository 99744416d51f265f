import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import TRANSCRIPT, run, with_mistakes
from tests.support import CLAIM, Live


def test_a_score_is_that_of_evaluate(folder: Path, server: Live) -> None:
    """`score` prints the reward, scores and sentences of `/evaluate`, without a server (EV-1)."""
    result = run("score", "case-management/back-claim", folder.parent / "transcript.json", "--scenarios", folder)
    body = {"collection_slug": "case-management", "scenario_slug": "back-claim", "messages": TRANSCRIPT}
    response = server.post("/evaluate", body).json()
    scored = json.loads(result.stdout)
    assert result.exit_code == 0
    for field in ("reward", "scoring_version", "scores", "score_breakdown"):
        assert scored[field] == response[field]
    assert (scored["turns"], scored["terminal_reason"], scored["findings"]) == (2, None, [])


def test_a_scenario_file_and_standard_input_give_the_same_score(folder: Path) -> None:
    """SCENARIO may be a YAML file, TRANSCRIPT may be `-`, and its list may stand in an object."""
    file = folder / "case-management" / "back-claim.yaml"
    expected = run("score", "case-management/back-claim", folder.parent / "transcript.json", "--scenarios", folder)
    assert run("score", file, folder.parent / "transcript.json").stdout == expected.stdout
    assert run("score", file, "-", stdin=json.dumps(TRANSCRIPT)).stdout == expected.stdout
    assert run("score", file, "-", stdin=" \n" + json.dumps({"messages": TRANSCRIPT})).stdout == expected.stdout


def test_a_transcript_may_have_a_reward_config(folder: Path) -> None:
    """Only the scorers of the configuration run (RC-2), and the gate can be skipped (RC-3)."""
    file = folder / "case-management" / "back-claim.yaml"
    config: dict[str, Any] = {"quality_weights": {"best_practices": 1}}
    gated, free = (
        json.loads(run("score", file, "-", stdin=json.dumps({"messages": TRANSCRIPT, "reward_config": one})).stdout)
        for one in (config, {**config, "skip_safety_gate": True})
    )
    assert [*gated["scores"].values()] == [*free["scores"].values()] == [1.0]
    assert (gated["reward"], free["reward"]) == (0.9, 1.0)


def test_findings_are_printed(folder: Path) -> None:
    """Turns after the end are ignored, with a finding (EV-2)."""
    decision = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
    messages = [{"role": "assistant", "content": "Hello.", "tool_calls": [decision]}, {"role": "user", "content": "Hm."},
                {"role": "assistant", "content": "Bye."}]  # fmt: skip
    file = folder / "case-management" / "back-claim.yaml"
    scored = json.loads(run("score", file, "-", stdin=json.dumps(messages)).stdout)
    assert (scored["turns"], scored["terminal_reason"]) == (1, "completed")
    assert [finding["code"] for finding in scored["findings"]] == ["turns_after_end"]
    assert "turns_after_end" in run("score", file, "-", "--explain", stdin=json.dumps(messages)).stdout


def test_an_explanation_shows_every_rule_and_the_sum(folder: Path) -> None:
    """The tables have each criterion with its turns, each dimension, the gate and the reward."""
    file = folder / "case-management" / "back-claim.yaml"
    reward = json.loads(run("score", file, folder.parent / "transcript.json").stdout)["reward"]
    shown = run("score", file, folder.parent / "transcript.json", "--explain").stdout
    ids = ["establish_onset", "order_scan", "early_approval", "rude", "open_question", "gathering", "diagnosis",
           "scared", "strain", *(item["id"] for item in CLAIM["state"]), *(tool["id"] for tool in CLAIM["tools"])]  # fmt: skip
    assert [name for name in ids if name not in shown] == []
    assert "Gate: 0.9" in shown
    assert shown.rstrip().endswith(f"Reward: {reward:g}")
    assert "requires" not in shown


def test_an_explanation_names_what_is_required(folder: Path) -> None:
    """It names the reason for a reward of 0: nothing happened that the scenario requires (RC-6)."""
    file = folder / "case-management" / "back-claim.yaml"
    data = {**CLAIM, "scoring": {"requires": {"says": ["never mind"]}}}
    file.write_text(json.dumps(data), encoding="utf-8")
    shown = run("score", file, folder.parent / "transcript.json", "--explain").stdout
    assert "has not held: the reward is 0" in shown
    assert "What the scenario requires has not held at any turn: the reward is 0." in shown
    assert shown.rstrip().endswith("Reward: 0")


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "7", "[]", "{}", '{"messages": []}', '[{"role": "user", "content": "Hi."}]', '[{"role": "x"}]',
     '[{"role": "assistant", "content": 5}]', '{"messages": 5}', '[{"role": "assistant", "content": "Hi."}', "\ufeff[]",
     '{"messages": [], "reward_config": {"quality_weights": {"kindness": 1}}}', '["Hi."]', "[NaN]", '["\\ud800"]',
     json.dumps([{"role": "assistant", "content": "x" * 10_001}])],
)  # fmt: skip
def test_a_bad_transcript_is_bad_usage(folder: Path, text: str) -> None:
    """A text that is no transcript gets one message on standard error, with exit code 2 and nothing else."""
    result = run("score", folder / "case-management" / "back-claim.yaml", "-", stdin=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("labs-mock: ")
    assert len(result.stderr) < 400


def test_what_cannot_be_found_is_bad_usage(folder: Path) -> None:
    """The message about an unknown slug lists the known ones; a missing file is named."""
    transcript, cases = folder.parent / "transcript.json", folder / "case-management"
    unknown = run("score", "case-management/front-claim", transcript, "--scenarios", folder)
    assert (unknown.exit_code, "case-management/back-claim" in unknown.stderr) == (2, True)
    for scenario, given in (
        (cases / "missing.yaml", transcript),
        (cases / "back-claim.yaml", folder.parent / "missing.json"),
        (cases / "back-claim.yaml", cases),
        (cases, transcript),
    ):
        result = run("score", scenario, given)
        assert (result.exit_code, result.stdout) == (2, "")


def test_a_scenario_with_mistakes_is_not_scored(folder: Path) -> None:
    """The mistakes are printed with their places, as `validate` prints them."""
    (folder / "other.yaml").write_text(with_mistakes(*range(5)), encoding="utf-8")
    result = run("score", folder / "other.yaml", folder.parent / "transcript.json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("other.yaml:") == 5


def test_score_finds_its_scenario_where_the_variable_points(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LABS_MOCK_SCENARIOS` counts for every command that has a folder of scenarios."""
    monkeypatch.setenv("LABS_MOCK_SCENARIOS", str(folder))
    assert run("score", "case-management/back-claim", folder.parent / "transcript.json").exit_code == 0
    monkeypatch.setenv("LABS_MOCK_SCENARIOS", str(folder / "missing"))
    result = run("score", "case-management/back-claim", folder.parent / "transcript.json")
    assert (result.exit_code, result.stderr) == (
        2,
        f"labs-mock: LABS_MOCK_SCENARIOS: no such folder: {folder}/missing\n",
    )
