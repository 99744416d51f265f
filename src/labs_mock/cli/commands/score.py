"""`labs-mock score`: the rewards of `/evaluate` without a server, and why they are what they are."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from labs_mock.cli.completion import scenario_names
from labs_mock.cli.options import ExistingFolder, find_scenario, named_settings, read_bytes, scenario_folder
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.requests import Messages, RewardConfig, WireModel
from labs_mock.engine.assessment import ExplainedRule
from labs_mock.engine.evaluation import Evaluation, evaluate
from labs_mock.engine.explanation import explain_rules
from labs_mock.engine.player import Player
from labs_mock.errors import LabsMockError, RequestError
from labs_mock.scenario.compiled.scenario import Scenario


@click.command("score")
@click.argument("scenario", shell_complete=scenario_names)
@click.argument("transcript", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--scenarios", type=ExistingFolder, help="folder of scenarios, where SCENARIO is a slug")
@click.option("--explain", is_flag=True, help="a table of every rule and its turns instead of JSON")
def command(scenario: str, transcript: Path, scenarios: Path | None, explain: bool) -> None:
    """Score a transcript as /evaluate does, without a server.

    SCENARIO is <collection>/<slug> or a YAML file; TRANSCRIPT is a JSON file (- for standard input) with a list of
    messages, or with an object that has "messages" and perhaps "reward_config".
    """
    request = read_transcript(sys.stdin.buffer.read() if str(transcript) == "-" else read_bytes(transcript))
    found, version = find_scenario(scenario, scenario_folder(named_settings({"scenarios": scenarios})))
    scored = score_transcript(found, version, request)
    click.echo(explain_table(scored) if explain else scored.json())


class Transcript(WireModel):
    """A complete conversation, as `/evaluate` takes it (EV-1)."""

    messages: Messages
    reward_config: RewardConfig | None = None


@dataclass(frozen=True, slots=True)
class ScoredConversation:
    """A transcript with its reward, and every rule of its scenario."""

    scenario: Scenario
    scoring_version: str
    evaluation: Evaluation
    rows: list[ExplainedRule]

    def json(self) -> str:
        """The fields of a response of `/evaluate`, and how the conversation ended."""
        play, assessment = self.evaluation.play, self.evaluation.assessment
        value: dict[str, Any] = {
            "reward": assessment.reward,
            "scoring_version": self.scoring_version,
            "scores": assessment.scores,
            "score_breakdown": assessment.breakdown,
            "turns": play.turn,
            "terminal_reason": play.terminal,
            "findings": [finding._asdict() for finding in self.evaluation.findings],
        }
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def read_transcript(body: bytes) -> Transcript:
    """A transcript from JSON: a list of messages, or an object that has them. Raises `LabsMockError`."""
    try:
        if body.lstrip()[:1] == b"[":
            body = b'{"messages":' + body + b"}"
        return read_model(Transcript, read_json(body, b"application/json"))
    except RequestError as error:
        raise LabsMockError(f"transcript: {error.message}") from None


def score_transcript(scenario: Scenario, version: str, transcript: Transcript) -> ScoredConversation:
    """Score a complete conversation. Raises `BadRequest` if the operator says nothing in it."""
    evaluation = evaluate(Player(scenario), transcript.messages, transcript.reward_config)
    return ScoredConversation(scenario, version, evaluation, explain_rules(scenario, evaluation.play))


def explain_table(scored: ScoredConversation) -> str:
    """How the reward came about, as tables for a person."""
    from labs_mock.cli.tables import as_text, table

    _, play, _, assessment, findings = scored.evaluation
    gate = assessment.gate
    rules = ((row.part, row.id, " ".join(map(str, row.turns)) or "-", row.result) for row in scored.rows)
    sums = (
        (dimension, assessment.names[dimension], f"{value:g}", f"{assessment.weights[dimension]:g}", sentence)
        for dimension, (value, sentence) in assessment.results.items()
    )
    why = f" for {', '.join(gate.violations)}" if gate.violations else ""
    ended = f", ended: {play.terminal}" if play.terminal else ""
    lines = [f"Turns: {play.turn}{ended}. Gate: {gate.factor:g}{why}."]
    if not assessment.earned:
        lines.append("What the scenario requires has not held at any turn: the reward is 0.")
    if assessment.critical:
        lines.append("A critical failure holds: the reward is 0.")
    lines += [f"Finding: {finding}" for finding in findings]
    return as_text(
        table(f"{scored.scenario.file.name}: every rule", ("part", "id", "turns", "result"), rules),
        table("The dimensions that ran", ("dimension", "name", "score", "weight", "why"), sums),
        *lines,
        f"Reward: {assessment.reward:g}",
    )
