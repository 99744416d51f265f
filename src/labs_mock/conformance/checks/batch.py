"""Many conversations at once (BAT-1 to BAT-4)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import conversations, operator, persona
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS

TOLD = ("reward", "scores", "score_breakdown")  # of an item as of an evaluation
LONG = [operator("x" * (MAX_CONTENT + 1))]
BAD: dict[str, Json] = {  # what makes an item an error item, whatever is right about the rest
    "an unknown collection": {"collection_slug": "no-such-collection"},
    "an unknown scenario": {"scenario_slug": "no-such-scenario"},
    "a message that is too long": {"messages": LONG},
    "no message": {"messages": []},
    "no message of the operator": {"messages": [persona("Hello.")]},
    "messages that are no list": {"messages": "Hello."},
    "an unknown role": {"messages": [{"role": "robot", "content": "Hello."}]},
    "a scenario that is no text": {"scenario_slug": 7},
    "windows without a key": {"normalization_windows": ["7d"]},
}


@check("BAT-1")
def results_come_in_the_order_of_items(lab: Lab, data: DrawExample) -> None:
    """Every item has its result, in its place."""
    items = data(_items(lab))
    results = lab.batch(items)["results"]
    names = [item["id"] for item in items]
    lab.expect("BAT-1", _ids(results) == names, f"results for {shown(names)}, in this order", _ids(results))


@check("BAT-1")
def a_batch_has_1_to_100_items(lab: Lab) -> None:
    """One and 100 items are answered, none and 101 are a 400."""
    scenario = lab.every_scenario[0]
    for count in lab.each((1, MAX_ITEMS)):
        items = [item(scenario, [operator("Hello.")], f"item {index}") for index in range(count)]
        results = lab.batch(items)["results"]
        lab.expect("BAT-1", _ids(results) == [one["id"] for one in items], f"{count} results", len(results))
    for count in lab.each((0, MAX_ITEMS + 1)):
        items = [item(scenario, [operator("Hello.")], f"item {index}") for index in range(count)]
        lab.refused(lab.ask("batch_evaluate", {"items": items}, limited=False), 400, "BAT-1", why=f"{count} items")


@check("BAT-1", "BAT-2")
def a_bad_item_is_an_error_item(lab: Lab) -> None:
    """Whatever is wrong with one of three items, it alone gets an error, and no reward."""
    scenario = lab.every_scenario[0]
    good = item(scenario, [operator("Hello.")], "good")
    for why, fields in lab.each(BAD.items()):
        sent = lab.ask("batch_evaluate", {"items": [good, {**good, "id": "bad", **fields}, good]})
        lab.refused(sent, 200, "BAT-2", inferred=True, why=f"{why} in an item")
        results = sent.json["results"]
        names = _ids(results)
        lab.expect("BAT-1", names == ["good", "bad", "good"], "results in the order of items, bad ones too", names)
        bad = results[1]
        lab.expect("BAT-2", "reward" not in bad, f"no reward for {why}", bad, inferred=False)
        held = {*bad} - {"reward"} == {"id", "status", "error"} and bad["status"] == "error"
        lab.expect("BAT-2", held, f"status `error` and `error` for {why}", bad, inferred=True)
        others = [results[0], results[2]]
        held = all(one["status"] == "success" and one["reward"] == others[0]["reward"] for one in others)
        lab.expect("BAT-2", held, f"the others are scored, beside {why}", others, inferred=True)


@check("BAT-2")
def an_item_without_an_id_is_refused(lab: Lab) -> None:
    """An item that is no object or has no text as its id is a 400 for the request."""
    good = item(lab.every_scenario[0], [operator("Hello.")], "good")
    nameless = {name: value for name, value in good.items() if name != "id"}
    bad: tuple[object, ...] = ({**good, "id": 7}, {**good, "id": None}, nameless, 7, "item", None, [])
    for one in lab.each(bad):
        sent = lab.ask("batch_evaluate", {"items": [good, one]}, limited=False)
        lab.refused(sent, 400, "BAT-2", inferred=True, why="an item that is no object or has no id")


@check("BAT-3")
def an_item_gets_what_evaluate_gives(lab: Lab, data: DrawExample) -> None:
    """An item's reward and scores equal what `/evaluate` gives for it."""
    scenario = data(lab.scenarios)
    conversation = data(conversations(scenario))
    single = _told(lab.evaluate(scenario, conversation))
    [result] = lab.batch([item(scenario, conversation)])["results"]
    lab.expect("BAT-3", _told(result) == single, f"what /evaluate gives, {shown(single)}", _told(result))


@check("BAT-3")
def an_item_gets_the_same_whatever_is_beside_it(lab: Lab, data: DrawExample) -> None:
    """The order of the items, and bad ones among them, change no result."""
    items = data(_items(lab))
    wrong: Json = data(st.sampled_from(list(BAD.values())))
    bad = {**items[0], "id": "bad", **wrong}
    other_order = data(st.permutations([*items, bad]))
    plain, mixed = (lab.batch(given)["results"] for given in (items, other_order))
    wanted = {one["id"]: _told(one) for one in plain}
    seen = {one["id"]: _told(one) for one in mixed if one["id"] != "bad"}
    lab.expect("BAT-3", seen == wanted, f"the same results in another order, {shown(wanted)}", seen)


@check("BAT-4")
def ids_may_repeat(lab: Lab, data: DrawExample) -> None:
    """Items with one id are answered each in its place."""
    scenario = data(lab.scenarios)
    said = data(st.lists(conversations(scenario), min_size=2, max_size=3))
    sent = lab.ask("batch_evaluate", {"items": [item(scenario, conversation, "same") for conversation in said]})
    lab.refused(sent, 200, "BAT-4", why="items of one id")
    results = sent.json["results"]
    single = [_told(lab.evaluate(scenario, conversation)) for conversation in said]
    lab.expect("BAT-4", [_told(one) for one in results] == single, f"an answer each, {shown(single)}", results)


@check("BAT-4")
def a_reward_config_in_an_item_is_ignored(lab: Lab, data: DrawExample) -> None:
    """An item is scored as the scenario says, with a `reward_config` or without."""
    scenario = data(lab.scenarios)
    plain = item(scenario, data(conversations(scenario)), "plain")
    config = {"quality_weights": {data(st.sampled_from(["rubrics", "failure_metrics"])): 1}, "skip_safety_gate": True}
    one, other = lab.batch([plain, {**plain, "reward_config": config}])["results"]
    lab.expect("BAT-4", _told(one) == _told(other), f"the result without it, {shown(_told(one))}", _told(other))


def item(scenario: TargetScenario, messages: list[Json], name: str = "item", **fields: object) -> Json:
    """An item of a batch."""
    return {"id": name, **scenario.where, "messages": messages, **fields}


def _items(lab: Lab) -> st.SearchStrategy[list[Json]]:
    """One to four items of any scenarios, each with an id of its own, in no order."""
    one = lab.scenarios.flatmap(lambda scenario: st.builds(item, st.just(scenario), conversations(scenario, 2)))
    return st.lists(one, min_size=1, max_size=4).map(
        lambda items: [{**given, "id": f"item {index * 7 % 5}"} for index, given in enumerate(items)]
    )


def _ids(results: list[Json]) -> list[str]:
    return [one["id"] for one in results]


def _told(result: Json) -> Json:
    return {name: result[name] for name in TOLD if name in result}
