"""`labs-mock score`: the rewards of `/evaluate` without a server, and why they are what they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from labs_mock.config.library import load_scenarios, shipped_library
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.requests import Messages, RewardConfig, WireModel
from labs_mock.engine.evaluation import Evaluation, evaluate
from labs_mock.engine.explanation import ExplainedRule, explain
from labs_mock.engine.player import Player
from labs_mock.errors import LabsMockError, NotFound, RequestError
from labs_mock.scenario.compiled.scenario import Scenario, scoring_version
from labs_mock.scenario.files.folder import read_regular
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.scenario.files.yaml_document import MAX_BYTES


class Transcript(WireModel):
    """A conversation given whole, as `/evaluate` takes it (EV-1)."""

    messages: Messages
    reward_config: RewardConfig | None = None


@dataclass(frozen=True, slots=True)
class ScoredConversation:
    """What a transcript earned."""

    scenario: Scenario
    scoring_version: str
    evaluation: Evaluation
    rows: list[ExplainedRule]

    def json(self) -> str:
        """The fields that `/evaluate` answers with, and how the conversation ended."""
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


def resolve_scenario(name: str, folder: Path | None) -> tuple[Scenario, str]:
    """A scenario by `<collection>/<slug>` in a folder (default: the shipped library), or a YAML file.

    With the scoring version of a server of that folder, or of that file alone (SV-1).

    Raises `ScenarioError` for files with mistakes and `NotFound` for an unknown slug.
    """
    path = Path(name)
    if path.suffix == ".yaml":
        text = read_regular(path, name, MAX_BYTES + 1)
        alone = parse_scenario(text, file=path.name, collection=path.resolve().parent.name)
        return alone, scoring_version([alone])
    library = load_scenarios(folder or shipped_library())
    for scenario in library.scenarios:
        if f"{scenario.collection}/{scenario.slug}" == name:
            return scenario, library.scoring_version
    known = ", ".join(f"{one.collection}/{one.slug}" for one in library.scenarios)
    raise NotFound(f"no scenario {name[:80]!r}; there are: {known}")


def read_transcript(body: bytes) -> Transcript:
    """A transcript from JSON: a list of messages, or an object that has them. Raises `LabsMockError`."""
    try:
        if body.lstrip()[:1] == b"[":
            body = b'{"messages":' + body + b"}"
        return read_model(Transcript, read_json(body, b"application/json"))
    except RequestError as error:
        raise LabsMockError(f"transcript: {error.message}") from None


def score_transcript(scenario: Scenario, version: str, transcript: Transcript) -> ScoredConversation:
    """Score a conversation given whole. Raises `BadRequest` if the operator says nothing in it."""
    evaluation = evaluate(Player.of(scenario), transcript.messages, transcript.reward_config)
    return ScoredConversation(scenario, version, evaluation, explain(scenario, evaluation.play))


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
