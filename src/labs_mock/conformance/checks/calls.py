"""Tool calls, right and wrong, and what ends an episode first (EP-9, EP-11, EP-12)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.checks.weights import names_of, scored
from labs_mock.conformance.episode import PlayedEpisode, turns_of
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import NEUTRAL, at_the_border, calls, contents, operator
from labs_mock.conformance.target import Json, TargetScenario, TargetTool
from labs_mock.conformance.violations import Skip
from labs_mock.contract.limits import MAX_CONTENT

DECISIONS: tuple[object, ...] = (None, "text", 7, True, [], {}, {"value": None}, {"value": 7}, {"value": "no option"})
ARTIFACTS: tuple[object, ...] = (None, "text", 7, True, [])
NAMES = ("no_such_tool", "")
SCORED_CALLS = ("output_similarity", "decision_match")


@check("EP-9")
def a_turn_has_messages_of_at_most_10000_characters(lab: Lab, data: DrawExample) -> None:
    """10,000 UTF-16 code units are a turn, one more is a 400 that changes nothing."""
    episode, text = PlayedEpisode(lab, data(lab.scenarios)), data(at_the_border())
    sent = episode.submit([operator(text + "a")], limited=False)
    lab.refused(sent, 400, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT + 1:,} UTF-16 code units")
    sent = episode.submit([operator(text)])
    lab.refused(
        sent, 200, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT:,} UTF-16 code units, {quoted(text[0])} each"
    )


@check("EP-9", "EP-2")
def a_documented_decision_counts(lab: Lab) -> None:
    """`{"value": …}` with one of the options is a decision: of all options one is better than none."""
    for scenario, tool in lab.each(_deciding(lab)):
        none = _decided(lab, scenario, [])
        seen = {option: _decided(lab, scenario, [_decision(tool, option)]) for option in tool.options}
        held = max(seen.values()) > none
        named = [_decided(lab, scenario, [_decision(tool, option, tool.name)]) for option in tool.options if not held]
        by_name = max(named, default=none) > none
        lab.expect("EP-2", not by_name, f"calls by the id, {tool.id}", f"calls by the name, {tool.name}", inferred=True)
        held = held or by_name
        lab.expect("EP-9", held, f"an option that scores above {none} for no decision", seen, inferred=False)


@check("EP-9")
def valid_calls_are_accepted(lab: Lab, data: DrawExample) -> None:
    """A call as the tool describes it does not end an episode as a wrong one does."""
    scenario = data(lab.scenarios_with(lambda one: one.tools, "has a tool"))
    episode = PlayedEpisode(lab, scenario)
    call = data(st.sampled_from(list(scenario.tools)).flatmap(calls))
    sent = episode.submit([operator(data(contents(scenario)), call)])
    lab.refused(sent, 200, "EP-9", inferred=False, why="a documented tool call")


@check("EP-12")
def a_wrong_call_is_never_refused(lab: Lab) -> None:
    """Whatever is wrong with it, it is graded: by evaluations, by batches, and by turns that all end alike."""
    for scenario in lab.each(lab.every_scenario):
        wrong = [operator("Hm.", call) for call in _wrong(scenario)]
        results = lab.batch([item(scenario, [message]) for message in wrong])["results"]
        refused = [(one, message) for one, message in zip(results, wrong, strict=True) if one["status"] != "success"]
        lab.expect("EP-12", not refused, "a reward for every wrong call", refused)
    scenario, reasons = lab.every_scenario[0], set()
    for call in lab.each(_wrong(scenario)):
        sent = PlayedEpisode(lab, scenario).submit([operator("Hm.", call)])
        lab.refused(sent, 200, "EP-12", why=f"a wrong call, {shown(call)}")
        reasons.add(sent.json.get("terminal_reason"))
        lab.expect("EP-12", len(reasons) == 1, "every wrong call to end an episode alike, or none", reasons)


@check("EP-12")
def a_wrong_call_in_a_turn_ends_with_error_or_not_at_all(lab: Lab, data: DrawExample) -> None:
    """As the scenario says, whatever is said beside it; nothing else than `error` comes first."""
    scenario = data(lab.scenarios)
    call, other = (data(st.sampled_from(_wrong(scenario))) for _ in range(2))
    sent = PlayedEpisode(lab, scenario).submit([operator(data(contents(scenario)), call)])
    lab.refused(sent, 200, "EP-12", why=f"a wrong call, {shown(call)}")
    plain = PlayedEpisode(lab, scenario).take(operator("Hm.", other)).get("terminal_reason")
    held = plain in (None, "error") or turns_of(scenario) == 1
    lab.expect("EP-12", held, "an end with `error`, or none", plain)
    if plain == "error":
        seen = sent.json.get("terminal_reason")
        lab.expect(
            "EP-12", seen == "error", f"an end with `error`, as with {shown(other)}", f"{seen} with {shown(call)}"
        )


@check("EP-12")
def a_wrong_call_counts_for_nothing(lab: Lab, data: DrawExample) -> None:
    """Nothing but wrong calls scores 0 for outputs, and one that names no tool is as if it were not there."""
    scenario = data(lab.scenarios)
    said, call = data(contents(scenario)), data(st.sampled_from(_wrong(scenario)))
    for dimension in SCORED_CALLS:
        name = names_of(lab, scenario).get(dimension)
        if name is not None:
            score = scored(lab, scenario, [operator(said, call)], {dimension: 1})["scores"][name]
            lab.expect("EP-12", score == 0, f"0 for {dimension} with {shown(call)} alone", score)
    unknown = {**call, "name": data(st.sampled_from(NAMES))}
    one, other = (scored(lab, scenario, [operator(said, *given)], {}) for given in ([], [unknown]))
    lab.expect("EP-12", one == other, f"the answer without the call, {shown(one)}", other)


@check("EP-12")
def the_last_call_counts(lab: Lab) -> None:
    """A wrong call behind a right one leaves 0, a right one behind a wrong one its score."""
    for scenario, tool in lab.each(_deciding(lab)):
        [bad, *_] = [call for call in _wrong_inputs(tool) if call["input"] == {"value": "no option"}]
        for option in tool.options:
            good = _decision(tool, option)
            alone = _decided(lab, scenario, [good])
            seen = (_decided(lab, scenario, [bad, good]), _decided(lab, scenario, [good, bad]))
            lab.expect(
                "EP-12", seen == (alone, 0), f"{alone} where {shown(good)} is last, 0 where {shown(bad)} is", seen
            )
            for kind in sorted({"artifact", "decision", "function"} - {tool.type}):
                other = {**good, "type": kind}
                score = _decided(lab, scenario, [other])
                lab.expect("EP-12", score == 0, f"0 for {shown(other)}", score)


@check("EP-11")
def an_error_comes_before_completion(lab: Lab) -> None:
    """Where one message has both a call that completes the episode and one that ends it with `error`."""
    scenario, completing = _completing(lab)
    for wrong in lab.each(_wrong(scenario)[:2]):
        if PlayedEpisode(lab, scenario).take(operator("Hm.", wrong)).get("terminal_reason") == "error":
            for both in ([wrong, completing], [completing, wrong]):
                seen = PlayedEpisode(lab, scenario).take(operator("Hm.", *both))["terminal_reason"]
                lab.expect("EP-11", seen == "error", "error before completed", seen, inferred=True)


@check("EP-11")
def completion_comes_before_the_last_turn(lab: Lab) -> None:
    """What completes an episode one turn before the last does so with the last one, and an error is one there, too."""
    scenario, completing = _completing(lab)
    last = turns_of(scenario)
    wrong = _wrong(scenario)[0]
    for call, reason in lab.each(((completing, "completed"), (wrong, "error"))):
        if _reason_after(lab, scenario, last - 1, call) == reason:
            seen = _reason_after(lab, scenario, last, call)
            lab.expect("EP-11", seen == reason, f"{reason} before max_turns_reached", seen, inferred=True)


def _reason_after(lab: Lab, scenario: TargetScenario, turn: int, call: Json) -> str | None:
    """Why an episode ends whose turns say nothing, but for a call in one of them; None if it has not."""
    episode = PlayedEpisode(lab, scenario)
    for number in range(1, turn + 1):
        if not episode.complete:
            episode.take(operator("Hm.", call) if number == turn else NEUTRAL)
    return episode.last.get("terminal_reason")


def _completing(lab: Lab) -> tuple[TargetScenario, Json]:
    """A scenario and a decision that completes it in the first turn. Raises `Skip` if there is none."""
    if "completing" not in lab.remembered:
        decisions = (
            (scenario, _decision(tool, option))
            for scenario in lab.every_scenario
            for tool in scenario.tools
            for option in tool.options
        )
        reasons = (
            (one, PlayedEpisode(lab, one[0]).take(operator("Hm.", one[1])).get("terminal_reason")) for one in decisions
        )
        lab.remembered["completing"] = next((one for one, reason in reasons if reason == "completed"), None)
    found: tuple[TargetScenario, Json] | None = lab.remembered["completing"]
    if found is None:
        raise Skip("no scenario that a decision completes in its first turn")
    return found


def _deciding(lab: Lab) -> list[tuple[TargetScenario, TargetTool]]:
    """The scenarios with one decision, which is scored. Raises `Skip` if there is none."""
    found = []
    for scenario in lab.every_scenario:
        deciding = [tool for tool in scenario.tools if tool.options]
        if len(deciding) == 1 and "decision_match" in names_of(lab, scenario):
            found.append((scenario, deciding[0]))
    if not found:
        raise Skip("no scenario with a single decision that is scored")
    return found


def _decided(lab: Lab, scenario: TargetScenario, given: list[Json]) -> float:
    """The score of decisions for some calls in one message."""
    scores = scored(lab, scenario, [operator("Hm.", *given)], {"decision_match": 1})["scores"]
    return float(next(iter(scores.values())))


def _decision(tool: TargetTool, option: str, name: str = "") -> Json:
    return {"type": tool.type, "name": name or tool.id, "input": {"value": option}}


def _wrong(scenario: TargetScenario) -> list[Json]:
    """Calls that the scenario does not know or allow: other names, other types, other inputs."""
    unknown = [{"type": "artifact", "name": name, "input": {}} for name in NAMES]
    return unknown + [call for tool in scenario.tools for call in _wrong_inputs(tool)]


def _wrong_inputs(tool: TargetTool) -> list[Json]:
    usable = {"value": tool.options[0]} if tool.options else {}
    types = {"artifact", "decision", "function"} - {tool.type}
    wrong: list[Json] = [{"type": kind, "name": tool.id, "input": usable} for kind in sorted(types)]
    of_object = tool.json_schema is not None and tool.json_schema.get("type") == "object"
    inputs = DECISIONS if tool.options else ARTIFACTS if of_object else ()
    return wrong + [{"type": tool.type, "name": tool.id, "input": given} for given in inputs]
