"""What the key of another organisation may use and see (AUTH-2, CAT-2, EP-13, KEY-1, RL-2)."""

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.client import WITH_OWN_KEY
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json, OfferedScenario, listed_scenarios
from labs_mock.conformance.played_episode import PlayedEpisode
from labs_mock.conformance.strategies import NEUTRAL, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.violations import Skip
from labs_mock.contract.wording import EPISODE_NOT_FOUND, NO_SUBSCRIPTION

MOST = 4  # collections that are tried
ATTEMPTS = 4  # for some requests within one window
BETWEEN = 3  # requests of the first key between two of the second
UNKNOWN = "ep_00000000000000000000000000"


@check("AUTH-2")
def a_collection_without_a_subscription_is_refused(target: Target) -> None:
    """What the first key's catalog lists and the second's does not has no episodes, evaluations and comparisons for the second."""
    for scenario in target.each(_closed(target)):
        for name, body in _requests(scenario).items():
            response = target.request(name, body, authorization=target.second_key)
            target.expect(
                "AUTH-2",
                response.status in (401, 403),
                "401 or 403 without a subscription",
                response.status,
                inferred=False,
            )
            target.expect_status(
                response, 403, "AUTH-2", inferred=True, message=NO_SUBSCRIPTION, why=f"{name} without a subscription"
            )


@check("AUTH-2")
def an_item_without_a_subscription_is_an_error_item(target: Target) -> None:
    """In a batch it alone gets an error, beside one of a collection that the second key may use."""
    open_ = _one_each(_seen(target, target.second_key))[:1]
    for scenario in target.each(_closed(target)):
        items = [item(one, [operator("Hello.")], one.collection) for one in (*open_, scenario)]
        response = target.request("batch_evaluate", {"items": items}, authorization=target.second_key)
        target.expect_status(response, 200, "AUTH-2", inferred=True, why="a batch with an item without a subscription")
        seen = {one["id"]: one["status"] for one in response.json["results"]}
        wanted = {**{one.collection: "success" for one in open_}, scenario.collection: "error"}
        target.expect("AUTH-2", seen == wanted, wanted, seen, inferred=True)


@check("CAT-2")
def what_a_second_catalog_lists_may_be_used(target: Target) -> None:
    """The second key has a subscription for every collection of its own catalog."""
    for scenario in target.each(_one_each(_seen(target, target.second_key))[:MOST]):
        response = target.request("create_episode", scenario.slugs, authorization=target.second_key)
        target.expect_status(response, 200, "CAT-2", why="a collection of the second key's catalog")


@check("EP-13")
def another_organisations_episode_is_not_found(target: Target) -> None:
    """For the second key it is as unknown as one that never was, and the first key goes on with it unharmed."""
    second = target.second_key
    shared = {one.collection for one in _seen(target, second)}
    scenario = next((one for one in target.every_scenario if one.collection in shared), target.every_scenario[0])
    episode = PlayedEpisode(target, scenario)
    for turn in (1, 2):
        for name, why in ((UNKNOWN, "an episode that never was"), (episode.id, "another organisation's episode")):
            response = target.request("take_turn", {"id": name, "messages": [NEUTRAL]}, id=name, authorization=second)
            target.expect_status(response, 404, "EP-13", inferred=True, message=EPISODE_NOT_FOUND, why=why)
        if not episode.complete:
            own = episode.submit([NEUTRAL])
            seen = own.json.get("turn", own.message)
            target.expect(
                "EP-13", seen == turn, f"turn {turn} for the first key, between refused ones", seen, inferred=True
            )
            episode.record((NEUTRAL,), own.json)


@check("KEY-1")
def two_keys_have_two_ids(target: Target) -> None:
    """Each key describes itself."""
    names = [target.require("describe_key", authorization=key)["key_id"] for key in (WITH_OWN_KEY, target.second_key)]
    target.expect("KEY-1", len({*names}) == len(names), "an id for each key", names, inferred=True)


@check("RL-2")
def the_quota_of_a_key_is_its_own(target: Target) -> None:
    """Requests with the first key use nothing of the second's."""
    used = []
    for _ in range(ATTEMPTS):
        before = target.request("describe_key", authorization=target.second_key)
        for _ in range(BETWEEN):
            target.request("describe_key")
        after = target.request("describe_key", authorization=target.second_key)
        if before.headers["x-ratelimit-reset"] == after.headers["x-ratelimit-reset"]:
            used.append(_remaining(before) - _remaining(after))
            if used[-1] == 1:
                break
    target.expect(
        "RL-2", not used or 1 in used, "one of its quota used by a request of the second key", used, inferred=True
    )


def _seen(target: Target, authorization: str) -> list[OfferedScenario]:
    """The scenarios to check that the catalog of a key lists."""
    return listed_scenarios(target.require("list_catalog", authorization=authorization), target.selection)


def _one_each(scenarios: list[OfferedScenario]) -> list[OfferedScenario]:
    """The first scenario of every collection."""
    return list({one.collection: one for one in reversed(scenarios)}.values())[::-1]


def _closed(target: Target) -> list[OfferedScenario]:
    """A scenario of each of some collections that the second key does not see. Raises `Skip` if it sees them all."""
    open_ = {one.collection for one in _seen(target, target.second_key)}
    closed = [one for one in _one_each(_seen(target, WITH_OWN_KEY)) if one.collection not in open_]
    if not closed:
        raise Skip("the second key sees every collection that the first one sees")
    return closed[:MOST]


def _requests(scenario: OfferedScenario) -> dict[str, Json]:
    """A request of each operation that names a scenario, but for batches."""
    plain = {"messages": [operator("Hello.")]}
    return {
        "create_episode": scenario.slugs,
        "evaluate": {**scenario.slugs, **plain},
        "compare": {**scenario.slugs, "response_a": plain, "response_b": plain},
    }


def _remaining(response: Response) -> int:
    return int(response.headers["x-ratelimit-remaining"])
