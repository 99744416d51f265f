"""Tool calls, right and wrong, and what ends an episode first (EP-9, EP-11, EP-12)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.checks.weights import names_of, scored
from labs_mock.conformance.offered import Json, OfferedScenario, OfferedTool
from labs_mock.conformance.played_episode import PlayedEpisode, turns_of
from labs_mock.conformance.strategies import NEUTRAL, at_the_border, calls, contents, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.conformance.violations import Skip
from labs_mock.contract.limits import MAX_CONTENT

DECISIONS: tuple[object, ...] = (None, "text", 7, True, [], {}, {"value": None}, {"value": 7}, {"value": "no option"})
ARTIFACTS: tuple[object, ...] = (None, "text", 7, True, [])
NAMES = ("no_such_tool", "")
SCORED_CALLS = ("output_similarity", "decision_match")


@check("EP-9")
def a_turn_has_messages_of_at_most_10000_characters(target: Target, draw: Draw) -> None:
    """10,000 UTF-16 code units are a turn, one more is a 400 that changes nothing."""
    episode, text = PlayedEpisode(target, draw(target.scenarios)), draw(at_the_border())
    response = episode.submit([operator(text + "a")], limited=False)
    target.expect_status(
        response, 400, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT + 1:,} UTF-16 code units"
    )
    response = episode.submit([operator(text)])
    target.expect_status(
        response,
        200,
        "EP-9",
        inferred=not text.isascii(),
        why=f"{MAX_CONTENT:,} UTF-16 code units, {quoted(text[0])} each",
    )


@check("EP-9", "EP-2")
def a_documented_decision_counts(target: Target) -> None:
    """`{"value": …}` with one of the options is a decision: of all options one is better than none."""
    for scenario, tool in target.each(_deciding(target)):
        none = _decided(target, scenario, [])
        seen = {option: _decided(target, scenario, [_decision(tool, option)]) for option in tool.options}
        holds = max(seen.values()) > none
        named = [
            _decided(target, scenario, [_decision(tool, option, tool.name)]) for option in tool.options if not holds
        ]
        by_name = max(named, default=none) > none
        target.expect(
            "EP-2", not by_name, f"calls by the id, {tool.id}", f"calls by the name, {tool.name}", inferred=True
        )
        holds = holds or by_name
        target.expect("EP-9", holds, f"an option that scores above {none} for no decision", seen, inferred=False)


@check("EP-9")
def valid_calls_are_accepted(target: Target, draw: Draw) -> None:
    """A call as the tool describes it does not end an episode as a wrong one does."""
    scenario = draw(target.scenarios_with(lambda one: one.tools, "has a tool"))
    episode = PlayedEpisode(target, scenario)
    call = draw(st.sampled_from(list(scenario.tools)).flatmap(calls))
    response = episode.submit([operator(draw(contents(scenario)), call)])
    target.expect_status(response, 200, "EP-9", inferred=False, why="a documented tool call")


@check("EP-12")
def a_wrong_call_is_never_refused(target: Target) -> None:
    """Whatever is wrong with it, it is graded: by evaluations, by batches, and by turns that all end alike."""
    for scenario in target.each(target.every_scenario):
        wrong = [operator("Hm.", call) for call in _wrong(scenario)]
        results = target.batch([item(scenario, [message]) for message in wrong])["results"]
        refused = [(one, message) for one, message in zip(results, wrong, strict=True) if one["status"] != "success"]
        target.expect("EP-12", not refused, "a reward for every wrong call", refused)
    scenario, reasons = target.every_scenario[0], set()
    for call in target.each(_wrong(scenario)):
        response = PlayedEpisode(target, scenario).submit([operator("Hm.", call)])
        target.expect_status(response, 200, "EP-12", why=f"a wrong call, {shown(call)}")
        reasons.add(response.json.get("terminal_reason"))
        target.expect("EP-12", len(reasons) == 1, "every wrong call to end an episode alike, or none", reasons)


@check("EP-12")
def a_wrong_call_in_a_turn_ends_with_error_or_not_at_all(target: Target, draw: Draw) -> None:
    """As the scenario says, whatever text stands beside it; nothing else than `error` comes first."""
    scenario = draw(target.scenarios)
    call, other = (draw(st.sampled_from(_wrong(scenario))) for _ in range(2))
    response = PlayedEpisode(target, scenario).submit([operator(draw(contents(scenario)), call)])
    target.expect_status(response, 200, "EP-12", why=f"a wrong call, {shown(call)}")
    plain = PlayedEpisode(target, scenario).take(operator("Hm.", other)).get("terminal_reason")
    holds = plain in (None, "error") or turns_of(scenario) == 1
    target.expect("EP-12", holds, "an end with `error`, or none", plain)
    if plain == "error":
        seen = response.json.get("terminal_reason")
        target.expect(
            "EP-12", seen == "error", f"an end with `error`, as with {shown(other)}", f"{seen} with {shown(call)}"
        )


@check("EP-12")
def a_wrong_call_counts_for_nothing(target: Target, draw: Draw) -> None:
    """Nothing but wrong calls scores 0 for outputs, and one that names no tool is as if it were not there."""
    scenario = draw(target.scenarios)
    content, call = draw(contents(scenario)), draw(st.sampled_from(_wrong(scenario)))
    for dimension in SCORED_CALLS:
        name = names_of(target, scenario).get(dimension)
        if name is not None:
            score = scored(target, scenario, [operator(content, call)], {dimension: 1})["scores"][name]
            target.expect("EP-12", score == 0, f"0 for {dimension} with {shown(call)} alone", score)
    unknown = {**call, "name": draw(st.sampled_from(NAMES))}
    one, other = (scored(target, scenario, [operator(content, *calls)], {}) for calls in ([], [unknown]))
    target.expect("EP-12", one == other, f"the response without the call, {shown(one)}", other)


@check("EP-12")
def the_last_call_counts(target: Target) -> None:
    """A wrong call behind a right one leaves 0, a right one behind a wrong one its score."""
    for scenario, tool in target.each(_deciding(target)):
        [bad, *_] = [call for call in _wrong_inputs(tool) if call["input"] == {"value": "no option"}]
        for option in tool.options:
            good = _decision(tool, option)
            alone = _decided(target, scenario, [good])
            seen = (_decided(target, scenario, [bad, good]), _decided(target, scenario, [good, bad]))
            target.expect(
                "EP-12", seen == (alone, 0), f"{alone} where {shown(good)} is last, 0 where {shown(bad)} is", seen
            )
            for kind in sorted({"artifact", "decision", "function"} - {tool.type}):
                other = {**good, "type": kind}
                score = _decided(target, scenario, [other])
                target.expect("EP-12", score == 0, f"0 for {shown(other)}", score)


@check("EP-11")
def an_error_comes_before_completion(target: Target) -> None:
    """Where one message has both a call that completes the episode and one that ends it with `error`."""
    scenario, completing = _completing(target)
    for wrong in target.each(_wrong(scenario)[:2]):
        if PlayedEpisode(target, scenario).take(operator("Hm.", wrong)).get("terminal_reason") == "error":
            for both in ([wrong, completing], [completing, wrong]):
                seen = PlayedEpisode(target, scenario).take(operator("Hm.", *both))["terminal_reason"]
                target.expect("EP-11", seen == "error", "error before completed", seen, inferred=True)


@check("EP-11")
def completion_comes_before_the_last_turn(target: Target) -> None:
    """What completes an episode one turn before the last does so with the last one, and an error is one there, too."""
    scenario, completing = _completing(target)
    last = turns_of(scenario)
    wrong = _wrong(scenario)[0]
    for call, reason in target.each(((completing, "completed"), (wrong, "error"))):
        if _reason_after(target, scenario, last - 1, call) == reason:
            seen = _reason_after(target, scenario, last, call)
            target.expect("EP-11", seen == reason, f"{reason} before max_turns_reached", seen, inferred=True)


def _reason_after(target: Target, scenario: OfferedScenario, turn: int, call: Json) -> str | None:
    """Why an episode ends that has neutral turns and a call in one of them; None if it has not ended."""
    episode = PlayedEpisode(target, scenario)
    for number in range(1, turn + 1):
        if not episode.complete:
            episode.take(operator("Hm.", call) if number == turn else NEUTRAL)
    return episode.last.get("terminal_reason")


def _completing(target: Target) -> tuple[OfferedScenario, Json]:
    """A scenario and a decision that completes it in the first turn. Raises `Skip` if there is none."""
    if "completing" not in target.remembered:
        decisions = (
            (scenario, _decision(tool, option))
            for scenario in target.every_scenario
            for tool in scenario.tools
            for option in tool.options
        )
        reasons = (
            (one, PlayedEpisode(target, one[0]).take(operator("Hm.", one[1])).get("terminal_reason"))
            for one in decisions
        )
        target.remembered["completing"] = next((one for one, reason in reasons if reason == "completed"), None)
    found: tuple[OfferedScenario, Json] | None = target.remembered["completing"]
    if found is None:
        raise Skip("no scenario that a decision completes in its first turn")
    return found


def _deciding(target: Target) -> list[tuple[OfferedScenario, OfferedTool]]:
    """The scenarios with one decision, which is scored. Raises `Skip` if there is none."""
    found = []
    for scenario in target.every_scenario:
        deciding = [tool for tool in scenario.tools if tool.options]
        if len(deciding) == 1 and "decision_match" in names_of(target, scenario):
            found.append((scenario, deciding[0]))
    if not found:
        raise Skip("no scenario with a single decision that is scored")
    return found


def _decided(target: Target, scenario: OfferedScenario, its_calls: list[Json]) -> float:
    """The score of decisions for some calls in one message."""
    scores = scored(target, scenario, [operator("Hm.", *its_calls)], {"decision_match": 1})["scores"]
    return float(next(iter(scores.values())))


def _decision(tool: OfferedTool, option: str, name: str = "") -> Json:
    return {"type": tool.type, "name": name or tool.id, "input": {"value": option}}


def _wrong(scenario: OfferedScenario) -> list[Json]:
    """Calls that the scenario does not know or allow: other names, other types, other inputs."""
    unknown = [{"type": "artifact", "name": name, "input": {}} for name in NAMES]
    return unknown + [call for tool in scenario.tools for call in _wrong_inputs(tool)]


def _wrong_inputs(tool: OfferedTool) -> list[Json]:
    usable = {"value": tool.options[0]} if tool.options else {}
    types = {"artifact", "decision", "function"} - {tool.type}
    wrong: list[Json] = [{"type": kind, "name": tool.id, "input": usable} for kind in sorted(types)]
    of_object = tool.json_schema is not None and tool.json_schema.get("type") == "object"
    inputs = DECISIONS if tool.options else ARTIFACTS if of_object else ()
    return wrong + [{"type": tool.type, "name": tool.id, "input": value} for value in inputs]
