"""Many conversations at once (BAT-1 to BAT-4)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import conversations, operator, persona
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS

SCORING = ("reward", "scores", "score_breakdown")  # of an item as of an evaluation
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
def results_come_in_the_order_of_items(target: Target, draw: Draw) -> None:
    """Every item has its result, in its place."""
    items = draw(_items(target))
    results = target.batch(items)["results"]
    names = [item["id"] for item in items]
    target.expect("BAT-1", _ids(results) == names, f"results for {shown(names)}, in this order", _ids(results))


@check("BAT-1")
def a_batch_has_1_to_100_items(target: Target) -> None:
    """One and 100 items have results, none and 101 are a 400."""
    scenario = target.every_scenario[0]
    for count in target.each((1, MAX_ITEMS)):
        items = [item(scenario, [operator("Hello.")], f"item {index}") for index in range(count)]
        results = target.batch(items)["results"]
        target.expect("BAT-1", _ids(results) == [one["id"] for one in items], f"{count} results", len(results))
    for count in target.each((0, MAX_ITEMS + 1)):
        items = [item(scenario, [operator("Hello.")], f"item {index}") for index in range(count)]
        target.expect_status(
            target.request("batch_evaluate", {"items": items}, limited=False), 400, "BAT-1", why=f"{count} items"
        )


@check("BAT-1", "BAT-2")
def a_bad_item_is_an_error_item(target: Target) -> None:
    """Whatever is wrong with one of three items, it alone gets an error, and no reward."""
    scenario = target.every_scenario[0]
    good = item(scenario, [operator("Hello.")], "good")
    for why, fields in target.each(BAD.items()):
        response = target.request("batch_evaluate", {"items": [good, {**good, "id": "bad", **fields}, good]})
        target.expect_status(response, 200, "BAT-2", inferred=True, why=f"{why} in an item")
        results = response.json["results"]
        names = _ids(results)
        target.expect("BAT-1", names == ["good", "bad", "good"], "results in the order of items, bad ones too", names)
        bad = results[1]
        target.expect("BAT-2", "reward" not in bad, f"no reward for {why}", bad, inferred=False)
        holds = {*bad} - {"reward"} == {"id", "status", "error"} and bad["status"] == "error"
        target.expect("BAT-2", holds, f"status `error` and `error` for {why}", bad, inferred=True)
        others = [results[0], results[2]]
        holds = all(one["status"] == "success" and one["reward"] == others[0]["reward"] for one in others)
        target.expect("BAT-2", holds, f"the others are scored, beside {why}", others, inferred=True)


@check("BAT-2")
def an_item_without_an_id_is_refused(target: Target) -> None:
    """An item that is no object or has no text as its id is a 400 for the request."""
    good = item(target.every_scenario[0], [operator("Hello.")], "good")
    nameless = {name: value for name, value in good.items() if name != "id"}
    bad: tuple[object, ...] = ({**good, "id": 7}, {**good, "id": None}, nameless, 7, "item", None, [])
    for one in target.each(bad):
        response = target.request("batch_evaluate", {"items": [good, one]}, limited=False)
        target.expect_status(response, 400, "BAT-2", inferred=True, why="an item that is no object or has no id")


@check("BAT-3")
def an_item_gets_what_evaluate_gives(target: Target, draw: Draw) -> None:
    """An item's reward and scores equal what `/evaluate` gives for it."""
    scenario = draw(target.scenarios)
    conversation = draw(conversations(scenario))
    single = scoring_of(target.evaluate(scenario, conversation))
    [result] = target.batch([item(scenario, conversation)])["results"]
    target.expect("BAT-3", scoring_of(result) == single, f"what /evaluate gives, {shown(single)}", scoring_of(result))


@check("BAT-3")
def an_item_gets_the_same_whatever_is_beside_it(target: Target, draw: Draw) -> None:
    """The order of the items, and bad ones among them, change no result."""
    items = draw(_items(target))
    wrong: Json = draw(st.sampled_from(list(BAD.values())))
    bad = {**items[0], "id": "bad", **wrong}
    other_order = draw(st.permutations([*items, bad]))
    plain, mixed = (target.batch(order)["results"] for order in (items, other_order))
    wanted = {one["id"]: scoring_of(one) for one in plain}
    seen = {one["id"]: scoring_of(one) for one in mixed if one["id"] != "bad"}
    target.expect("BAT-3", seen == wanted, f"the same results in another order, {shown(wanted)}", seen)


@check("BAT-4")
def ids_may_repeat(target: Target, draw: Draw) -> None:
    """Items with one id have a result each, in its place."""
    scenario = draw(target.scenarios)
    several = draw(st.lists(conversations(scenario), min_size=2, max_size=3))
    response = target.request(
        "batch_evaluate", {"items": [item(scenario, conversation, "same") for conversation in several]}
    )
    target.expect_status(response, 200, "BAT-4", why="items of one id")
    results = response.json["results"]
    single = [scoring_of(target.evaluate(scenario, conversation)) for conversation in several]
    target.expect("BAT-4", [scoring_of(one) for one in results] == single, f"a result each, {shown(single)}", results)


@check("BAT-4")
def a_reward_config_in_an_item_is_ignored(target: Target, draw: Draw) -> None:
    """An item is scored as the scenario says, with a `reward_config` or without."""
    scenario = draw(target.scenarios)
    plain = item(scenario, draw(conversations(scenario)), "plain")
    config = {"quality_weights": {draw(st.sampled_from(["rubrics", "failure_metrics"])): 1}, "skip_safety_gate": True}
    one, other = target.batch([plain, {**plain, "reward_config": config}])["results"]
    target.expect(
        "BAT-4",
        scoring_of(one) == scoring_of(other),
        f"the result without it, {shown(scoring_of(one))}",
        scoring_of(other),
    )


def item(scenario: OfferedScenario, messages: list[Json], name: str = "item", **fields: object) -> Json:
    """An item of a batch."""
    return {"id": name, **scenario.slugs, "messages": messages, **fields}


def _items(target: Target) -> st.SearchStrategy[list[Json]]:
    """One to four items of any scenarios, each with an id of its own, in no order."""
    one = target.scenarios.flatmap(lambda scenario: st.builds(item, st.just(scenario), conversations(scenario, 2)))
    return st.lists(one, min_size=1, max_size=4).map(
        lambda items: [{**one, "id": f"item {index * 7 % 5}"} for index, one in enumerate(items)]
    )


def _ids(results: list[Json]) -> list[str]:
    return [one["id"] for one in results]


def scoring_of(result: Json) -> Json:
    """Reward and scores of an item, an evaluation or a turn, as far as the key sees them."""
    return {name: result[name] for name in SCORING if name in result}
