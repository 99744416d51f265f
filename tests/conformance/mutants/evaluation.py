"""What breaks evaluations: EV, BAT, CMP, NORM, RC."""

from dataclasses import replace
from statistics import fmean
from typing import Any

from labs_mock.contract.dimensions import DIMENSIONS
from labs_mock.contract.requests import QualityWeights, RewardConfig
from labs_mock.engine import evaluation as engine_evaluation
from labs_mock.engine import reward, scorers
from labs_mock.engine.player import Player
from labs_mock.errors import BadRequest
from labs_mock.http import evaluation, order
from labs_mock.state.memory.normalisation import Log, NormalisationLogs
from tests.conformance.mutants import ChangedResponse, instead, on_response

# EV


@on_response("EV-1", "the slug is in place of the name", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["metadata"]["scenario_name"] = response.request_json["scenario_slug"]


@on_response("EV-1", "there is no scoring_version", "evaluate")
def _(response: ChangedResponse) -> None:
    del response.body["scoring_version"]


@on_response("EV-1", "a reward depends on the request's id", "evaluate", wide=True)
def _(response: ChangedResponse) -> None:
    response.body["reward"] = round(
        0.9 * response.body["reward"] + 0.01 * (ord(response.headers["x-request-id"][-1]) % 8), 6
    )


@instead("EV-2", "the last message is not looked at", engine_evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    return original(player, submitted[:-2] if len(submitted) > 4 else submitted)


@instead("EV-2", "what follows the end counts", Player, "fold")
def _(original: Any, self: Player, state: Any, turns: Any) -> Any:
    for turn in turns:
        if state.terminal is not None and len(turns) > 1:
            state = state.copy()
            state.terminal = None
        state = original(self, state, [turn])
    return state


@instead("EV-2", "a whole conversation is never gated", engine_evaluation, "evaluate")
def _(original: Any, player: Player, messages: Any, config: RewardConfig | None = None) -> Any:
    return original(player, messages, (config or RewardConfig()).model_copy(update={"skip_safety_gate": True}))


# SV


@on_response("SV-1", "every evaluation has a version of its own", "evaluate", inferred=False, wide=True)
def _(response: ChangedResponse) -> None:
    response.body["scoring_version"] = response.headers["x-request-id"][-8:]


@on_response("SV-1", "a scenario has a version of its own", "evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["scoring_version"] += response.request_json["scenario_slug"]


@on_response("SV-1", "a batch has the versions of its scenarios", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["scoring_version"] += "-" + str(
        len({item.get("scenario_slug") for item in response.request_json["items"]})
    )


@on_response("SV-1", "a comparison has another version", "compare", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["scoring_version"] = "2"


# BAT


@on_response("BAT-1", "results are in reverse order", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    response.body["results"].reverse()


@on_response("BAT-1", "error items come last", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    response.body["results"].sort(key=lambda one: one["status"], reverse=True)


@on_response("BAT-1", "results are sorted by their ids", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    response.body["results"].sort(key=lambda one: one["id"])


@on_response("BAT-1", "no total_time_ms", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    del response.body["total_time_ms"]


@instead("BAT-1", "101 items are evaluated", order, "read_model")
def _(original: Any, model: Any, value: Any) -> Any:
    items = value.get("items")
    return original(model, {**value, "items": items[:100]} if isinstance(items, list) else value)


@on_response("BAT-1", "no items get no results", "batch_evaluate", status=400)
def _(response: ChangedResponse) -> None:
    if response.request_json == {"items": []}:
        payload = {"results": [], "scoring_version": "1", "total_time_ms": 0}
        response.status, response.body = 200, {**payload, "request_id": response.headers["x-request-id"]}


@on_response("BAT-2", "an error item has a reward of 0", "batch_evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result.setdefault("reward", 0.0)


@on_response("BAT-2", "an error item has a reward of null", "batch_evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result.setdefault("reward", None)


@on_response("BAT-2", "an error item has failed", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result["status"] = result["status"].replace("error", "failed")


@on_response("BAT-2", "an error item has a message instead of an error", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        if "error" in result:
            result["message"] = result.pop("error")


@on_response("BAT-2", "a bad item fails the others", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    errors = [one["error"] for one in response.body["results"] if one["status"] == "error"]
    if errors:
        response.body["results"] = [
            {"id": one["id"], "status": "error", "error": errors[0]} for one in response.body["results"]
        ]


@on_response("BAT-2", "a bad item is a 400 for all", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    if any(one["status"] == "error" for one in response.body["results"]):
        response.refuse(400)


@instead("BAT-2", "an item needs no id", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    for item in value["items"] if isinstance(value.get("items"), list) else ():
        if isinstance(item, dict):
            item.setdefault("id", "item")
    return original(model, value)


@on_response("BAT-3", "an item has less than an evaluation", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        if "reward" in result:
            result["reward"] = round(result["reward"] * 0.9, 6)


@on_response("BAT-3", "the first item gets less beside another", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    first, *others = response.body["results"]
    if others and "reward" in first:
        first["reward"] = round(first["reward"] / 2, 6)


@on_response("BAT-3", "items have no scores", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result.pop("scores", None)
        result.pop("score_breakdown", None)


@on_response("BAT-4", "items of one id get one result", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    first: dict[str, Any] = {}
    for result in response.body["results"]:
        first.setdefault(result["id"], result)
    if len(first) == 1:
        response.body["results"] = [first[result["id"]] for result in response.body["results"]]


@on_response("BAT-4", "ids must differ", "batch_evaluate")
def _(response: ChangedResponse) -> None:
    names = [result["id"] for result in response.body["results"]]
    if len({*names}) < len(names):
        response.refuse(400)


@instead("BAT-4", "a reward_config in an item counts", evaluation, "read_model")
def _(original: Any, model: Any, item: Any, place: str) -> Any:
    if item.get("reward_config"):
        item = {**item, "messages": [{"role": "assistant", "content": "Hm."}]}
    return original(model, item, place)


@instead("BAT-4", "a reward_config in an item is refused", evaluation, "read_model")
def _(original: Any, model: Any, item: Any, place: str) -> Any:
    if "reward_config" in item:
        raise BadRequest(f"{place}reward_config: is not a known name")
    return original(model, item, place)


# CMP


@on_response("CMP-1", "the margin has a sign", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["margin"] = round(response.body["reward_a"] - response.body["reward_b"], 6)


@on_response("CMP-1", "the margin is relative", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    most = max(response.body["reward_a"], response.body["reward_b"])
    response.body["margin"] = round(response.body["margin"] / most, 6) if most else 0.0


@on_response("CMP-1", "the lower reward wins", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["winner"] = {"a": "b", "b": "a"}.get(response.body["winner"], "tie")


@on_response("CMP-1", "a wins a tie", "compare", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["winner"] = response.body["winner"].replace("tie", "a")


@on_response("CMP-1", "a small difference is a tie", "compare", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["margin"] < 0.3:
        response.body["winner"] = "tie"


@on_response("CMP-1", "b is scored more strictly", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    body = response.body
    body["reward_b"] = round(body["reward_b"] * 0.9, 6)
    body["margin"] = round(abs(body["reward_a"] - body["reward_b"]), 6)
    body["winner"] = "tie" if not body["margin"] else "a" if body["reward_a"] > body["reward_b"] else "b"


# NORM


@instead("NORM-1", "six windows are not too many", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    windows = value.get("normalization_windows")
    return original(model, {**value, "normalization_windows": windows[:5]} if isinstance(windows, list) else value)


@instead("NORM-1", "windows need no key", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    return original(model, {"normalization_key": "all", **value} if value.get("normalization_windows") else value)


@on_response("NORM-1", "normalized is null where nothing is normalised", "evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body.setdefault("normalized", None)


@on_response("NORM-1", "normalized is empty where nothing is normalised", "evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body.setdefault("normalized", {})


@on_response("NORM-1", "items are not normalised", "batch_evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result.pop("normalized", None)


@instead("NORM-1", "a line feed may follow a window", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    if isinstance(windows := value.get("normalization_windows"), list):
        value["normalization_windows"] = [one.strip() if isinstance(one, str) else one for one in windows]
    return original(model, value)


@instead("NORM-1", "windows of any length", evaluation, "check_windows", inferred=True)
def _(_original: Any, request: Any, place: str = "") -> None:
    if request.normalization_windows and request.normalization_key is None:
        raise BadRequest(f"{place}normalization_key: is required")


@instead("NORM-1", "a year is too long", evaluation, "check_windows", inferred=True)
def _(original: Any, request: Any, place: str = "") -> None:
    if any(window.text == "366d" for window in request.normalization_windows or ()):
        raise BadRequest(f"{place}normalization_windows.0: expected 365d at most")
    original(request, place)


@instead("NORM-2", "the deviation is that of a sample", evaluation, "z_score")
def _(original: Any, units: int, sums: Any) -> Any:
    score, size = original(units, sums), sums.number
    return score if score is None else round(score * ((size - 1) / size) ** 0.5, 6)


@instead("NORM-2", "a score is a difference", evaluation, "z_score")
def _(original: Any, *arguments: Any) -> Any:
    score = original(*arguments)
    return score if score is None else round(score / 10, 6)


@instead("NORM-2", "one sample is enough", evaluation, "z_score")
def _(original: Any, units: int, sums: Any) -> Any:
    return 0.0 if sums.number == 1 else original(units, sums)


@instead("NORM-2", "a window counts one evaluation more", Log, "sums")
def _(original: Any, self: Log, window: Any, now: float) -> Any:
    return original(self, window._replace(number=window.number + (window.unit == "n")), now)


@instead("NORM-2", "an evaluation is one of the earlier ones", NormalisationLogs, "normalise")
def _(original: Any, self: NormalisationLogs, entries: Any, now: float) -> Any:
    for entry in entries:
        self._append(entry, now)
    return original(self, entries, now)


@instead("NORM-2", "an evaluation counts twice", NormalisationLogs, "_append")
def _(original: Any, self: NormalisationLogs, *arguments: Any) -> None:
    original(self, *arguments)
    original(self, *arguments)


@instead("NORM-2", "scenarios share a history", evaluation, "_entry")
def _(original: Any, *arguments: Any) -> Any:
    entry = original(*arguments)
    return entry._replace(key=(*entry.key[:2], "", ""))


@instead("NORM-2", "keys share a history", evaluation, "_entry")
def _(original: Any, *arguments: Any) -> Any:
    entry = original(*arguments)
    return entry._replace(key=(entry.key[0], "", *entry.key[2:]))


@instead("NORM-2", "an item is normalised by those before it", NormalisationLogs, "normalise")
def _(original: Any, self: NormalisationLogs, entries: Any, now: float) -> Any:
    return tuple(found for entry in entries for found in original(self, (entry,), now))


@instead("NORM-2", "a key alone leaves no history", NormalisationLogs, "_append")
def _(original: Any, self: NormalisationLogs, entry: Any, now: float) -> None:
    if entry.windows:
        original(self, entry, now)


# RC


def _config(config: RewardConfig | None, **weights: Any) -> RewardConfig | None:
    """A config with other weights, if it has any."""
    if config is None or config.quality_weights is None:
        return config
    return config.model_copy(update={"quality_weights": config.quality_weights.model_copy(update=weights)})


@instead("RC-1", "an omitted weight is a half", reward, "effective_weights", inferred=False, wide=True)
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    requested = config.quality_weights
    names = [name for name in DIMENSIONS if requested is not None and name not in requested.model_fields_set]
    return original(scenario, _config(config, **dict.fromkeys(names, 0.5)))


@instead("RC-1", "a weight of null is a half", reward, "effective_weights", inferred=False)
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    requested = config.quality_weights or QualityWeights()
    names = [name for name in requested.model_fields_set if getattr(requested, name) is None]
    return original(scenario, _config(config, **dict.fromkeys(names, 0.5)))


def _weights(value: Any) -> dict[str, Any]:
    """The weights that a body asks for."""
    config = value.get("reward_config")
    requested = config.get("quality_weights") if isinstance(config, dict) else None
    return requested if isinstance(requested, dict) else {}


@instead("RC-1", "a weight of 2 is one", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    requested = _weights(value)
    requested.update({name: 1 for name, weight in requested.items() if weight == 2})
    return original(model, value)


@instead("RC-1", "a negative weight is 0", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    requested = _weights(value)
    requested.update({name: 0 for name, weight in requested.items() if isinstance(weight, int | float) and weight < 0})
    return original(model, value)


@instead("RC-1", "an unknown weight is ignored", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    requested = _weights(value)
    for name in {*requested} - {*DIMENSIONS}:
        del requested[name]
    return original(model, value)


@instead("RC-2", "a weight of 0 runs", reward, "effective_weights", inferred=True)
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    found, requested = original(scenario, config), config.quality_weights
    zeros = [name for name in scenario.dimensions if requested is not None and getattr(requested, name) == 0]
    return {**found, **dict.fromkeys(zeros, 0.0)} if found else found


@instead("RC-2", "a weight of 0 counts a little", reward, "effective_weights", inferred=False)
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    found, requested = original(scenario, config), config.quality_weights
    zeros = [name for name in scenario.dimensions if requested is not None and getattr(requested, name) == 0]
    return {**found, **dict.fromkeys(zeros, 0.3)} if found else found


@on_response("RC-2", "the first score is missing", "evaluate", inferred=True, wide=True)
def _(response: ChangedResponse) -> None:
    for name in ("scores", "score_breakdown"):
        response.body[name] = dict(list(response.body[name].items())[1:])


@on_response("RC-2", "a score depends on how many there are", "evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    scores = response.body["scores"]
    response.body["scores"] = {name: round(score / len(scores), 6) for name, score in scores.items()}


@instead("RC-3", "the gate is never skipped", reward, "_assess")
def _(original: Any, evidence: Any, weights: Any, _skip: bool) -> Any:
    return original(evidence, weights, False)


@instead("RC-3", "with a config the gate is skipped by default", order, "read_model")
def _(original: Any, model: Any, value: Any) -> Any:
    config = value.get("reward_config")
    if isinstance(config, dict) and config.get("skip_safety_gate") is None:
        value = {**value, "reward_config": {**config, "skip_safety_gate": True}}
    return original(model, value)


@instead("RC-3", "skip_safety_gate means the opposite", reward, "_assess")
def _(original: Any, evidence: Any, weights: Any, skip: bool) -> Any:
    return original(evidence, weights, not skip)


@instead("RC-4", "the sum is not divided by the weights", reward, "_assess")
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(original(*arguments), lambda one: min(1.0, one.reward * sum(one.weights.values())))


@instead("RC-4", "the reward is a mean without weights", reward, "_assess")
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(
        original(*arguments), lambda one: fmean(one.scores.values()) * one.gate.factor if one.reward else 0.0
    )


@instead("RC-4", "rewards have three places", reward, "_assess")
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(original(*arguments), lambda one: round(one.reward, 3))


@instead("RC-4", "rewards are not rounded", reward, "_assess")
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(original(*arguments), lambda one: one.reward * (1 - 1e-7))


@instead("RC-4", "nothing ran is 1", reward, "_assess")
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(original(*arguments), lambda one: one.reward if one.scores else 1.0)


@instead("RC-4", "a config without weights has none", reward, "effective_weights")
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    return {} if config.quality_weights is None else original(scenario, config)


@instead("RC-4", "small weights are none", reward, "effective_weights")
def _(original: Any, scenario: Any, config: RewardConfig) -> Any:
    return {name: weight for name, weight in original(scenario, config).items() if weight > 0.1}


@instead("RC-4", "a score has one place more", scorers, "_score")
def _(original: Any, value: float, *arguments: Any) -> Any:
    found = original(value, *arguments)
    return found._replace(value=found.value * (1 - 1e-7))


@instead("RC-6", "discovery alone is not rewarded", reward, "_assess", inferred=True)
def _(original: Any, *arguments: Any) -> Any:
    return _rewarded(original(*arguments), lambda one: 0.0 if [*one.results] == ["discovery"] else one.reward)


@instead("RC-6", "what was earned is lost after two turns", reward, "_assess", inferred=True)
def _(original: Any, evidence: Any, *arguments: Any) -> Any:
    assessment = original(evidence, *arguments)
    return replace(assessment, reward=0.0) if evidence.play.turn > 2 else assessment


def _rewarded(assessment: Any, give: Any) -> Any:
    """An assessment with another reward."""
    return replace(assessment, reward=give(assessment))


@instead("RC-5", "an undefined dimension counts as 0", Player, "assess")
def _(original: Any, self: Player, state: Any, config: RewardConfig | None = None) -> Any:
    requested = config and config.quality_weights
    total = sum(getattr(requested, name) or 0 for name in DIMENSIONS) if requested else 0
    found = original(self, state, config)
    return _rewarded(
        found, lambda one: round(one.reward * sum(one.weights.values()) / total, 6) if total else one.reward
    )
