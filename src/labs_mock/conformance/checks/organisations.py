"""What the key of another organisation may use and see (AUTH-2, CAT-2, EP-13, KEY-1, RL-2)."""

from labs_mock.conformance.checks import check
from labs_mock.conformance.checks.batch import item
from labs_mock.conformance.client import OWN
from labs_mock.conformance.episode import PlayedEpisode
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import NEUTRAL, operator
from labs_mock.conformance.target import Json, TargetScenario, listed
from labs_mock.conformance.violations import Skip
from labs_mock.contract.wording import EPISODE_NOT_FOUND, NO_SUBSCRIPTION

MOST = 4  # collections that are tried
ATTEMPTS = 4  # for some requests within one window
BETWEEN = 3  # requests of the first key between two of the second
UNKNOWN = "ep_00000000000000000000000000"


@check("AUTH-2")
def a_collection_without_a_subscription_is_refused(lab: Lab) -> None:
    """What the first key's catalog lists and the second's does not has no episodes, evaluations and comparisons for the second."""
    for scenario in lab.each(_closed(lab)):
        for name, body in _requests(scenario).items():
            sent = lab.ask(name, body, authorization=lab.second)
            lab.expect(
                "AUTH-2", sent.status in (401, 403), "401 or 403 without a subscription", sent.status, inferred=False
            )
            lab.refused(
                sent, 403, "AUTH-2", inferred=True, message=NO_SUBSCRIPTION, why=f"{name} without a subscription"
            )


@check("AUTH-2")
def an_item_without_a_subscription_is_an_error_item(lab: Lab) -> None:
    """In a batch it alone gets an error, beside one of a collection that the second key may use."""
    open_ = _one_each(_seen(lab, lab.second))[:1]
    for scenario in lab.each(_closed(lab)):
        items = [item(one, [operator("Hello.")], one.collection) for one in (*open_, scenario)]
        sent = lab.ask("batch_evaluate", {"items": items}, authorization=lab.second)
        lab.refused(sent, 200, "AUTH-2", inferred=True, why="a batch with an item without a subscription")
        seen = {one["id"]: one["status"] for one in sent.json["results"]}
        wanted = {**{one.collection: "success" for one in open_}, scenario.collection: "error"}
        lab.expect("AUTH-2", seen == wanted, wanted, seen, inferred=True)


@check("CAT-2")
def what_a_second_catalog_lists_may_be_used(lab: Lab) -> None:
    """The second key has a subscription for every collection of its own catalog."""
    for scenario in lab.each(_one_each(_seen(lab, lab.second))[:MOST]):
        sent = lab.ask("create_episode", scenario.where, authorization=lab.second)
        lab.refused(sent, 200, "CAT-2", why="a collection of the second key's catalog")


@check("EP-13")
def another_organisations_episode_is_not_found(lab: Lab) -> None:
    """For the second key it is as unknown as one that never was, and the first key goes on with it unharmed."""
    second = lab.second
    shared = {one.collection for one in _seen(lab, second)}
    scenario = next((one for one in lab.every_scenario if one.collection in shared), lab.every_scenario[0])
    episode = PlayedEpisode(lab, scenario)
    for turn in (1, 2):
        for name, why in ((UNKNOWN, "an episode that never was"), (episode.id, "another organisation's episode")):
            sent = lab.ask("take_turn", {"id": name, "messages": [NEUTRAL]}, id=name, authorization=second)
            lab.refused(sent, 404, "EP-13", inferred=True, message=EPISODE_NOT_FOUND, why=why)
        if not episode.complete:
            own = episode.submit([NEUTRAL])
            seen = own.json.get("turn", own.message)
            lab.expect(
                "EP-13", seen == turn, f"turn {turn} for the first key, between refused ones", seen, inferred=True
            )
            episode.taken((NEUTRAL,), own.json)


@check("KEY-1")
def two_keys_have_two_ids(lab: Lab) -> None:
    """Each key describes itself."""
    names = [lab.wanted("describe_key", authorization=key)["key_id"] for key in (OWN, lab.second)]
    lab.expect("KEY-1", len({*names}) == len(names), "an id for each key", names, inferred=True)


@check("RL-2")
def the_quota_of_a_key_is_its_own(lab: Lab) -> None:
    """What the first key asks uses nothing of the second's."""
    used = []
    for _ in range(ATTEMPTS):
        before = lab.ask("describe_key", authorization=lab.second)
        for _ in range(BETWEEN):
            lab.ask("describe_key")
        after = lab.ask("describe_key", authorization=lab.second)
        if before.headers["x-ratelimit-reset"] == after.headers["x-ratelimit-reset"]:
            used.append(_remaining(before) - _remaining(after))
            if used[-1] == 1:
                break
    lab.expect(
        "RL-2", not used or 1 in used, "one of its quota used by a request of the second key", used, inferred=True
    )


def _seen(lab: Lab, authorization: str) -> list[TargetScenario]:
    """The scenarios to judge that the catalog of a key lists."""
    return listed(lab.wanted("list_catalog", authorization=authorization), lab.options)


def _one_each(scenarios: list[TargetScenario]) -> list[TargetScenario]:
    """The first scenario of every collection."""
    return list({one.collection: one for one in reversed(scenarios)}.values())[::-1]


def _closed(lab: Lab) -> list[TargetScenario]:
    """A scenario of each of some collections that the second key does not see. Raises `Skip` if it sees them all."""
    open_ = {one.collection for one in _seen(lab, lab.second)}
    closed = [one for one in _one_each(_seen(lab, OWN)) if one.collection not in open_]
    if not closed:
        raise Skip("the second key sees every collection that the first one sees")
    return closed[:MOST]


def _requests(scenario: TargetScenario) -> dict[str, Json]:
    """A request of each operation that names a scenario, but for batches."""
    said = {"messages": [operator("Hello.")]}
    return {
        "create_episode": scenario.where,
        "evaluate": {**scenario.where, **said},
        "compare": {**scenario.where, "response_a": said, "response_b": said},
    }


def _remaining(sent: Sent) -> int:
    return int(sent.headers["x-ratelimit-remaining"])
