"""What the key of another organisation should not see, or should: AUTH-2, ERR-2, CAT-2, EP-13, KEY-1, RL-2."""

from typing import Any

from labs_mock.contract.wording import EPISODE_NOT_FOUND, NO_SUBSCRIPTION
from labs_mock.errors import NotFound
from labs_mock.http import episodes
from labs_mock.state.account import Account
from labs_mock.state.memory.quotas import Quotas
from tests.conformance.mutants import CLOSED, SECOND_KEY, ChangedResponse, instead, on_response
from tests.support import KEY

# AUTH-2


@instead("AUTH-2", "subscriptions do not count", Account, "require", inferred=False)
def _(_original: Any, _self: Account, _collection: str) -> None:
    """Nothing is refused."""


@on_response("AUTH-2", "a collection without a subscription is as unknown as any", status=403, inferred=False)
def _(response: ChangedResponse) -> None:
    response.refuse(404, "Collection not found")


@on_response("AUTH-2", "no subscription is a 401", status=403, inferred=True)
def _(response: ChangedResponse) -> None:
    response.refuse(401, NO_SUBSCRIPTION)
    response.drop_rate_limits()


@on_response("AUTH-2", "no subscription has another message", "evaluate", status=403, inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["message"] = "Forbidden"


@on_response("AUTH-2", "an item without a subscription refuses the whole batch", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    if any(NO_SUBSCRIPTION in one.get("error", "") for one in response.body["results"]):
        response.refuse(403, NO_SUBSCRIPTION)


@on_response("AUTH-2", "items of a batch need no subscription", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    for index, one in enumerate(response.body["results"]):
        if NO_SUBSCRIPTION in one.get("error", ""):
            response.body["results"][index] = {"id": one["id"], "status": "success", "reward": 0.0}


# ERR-2


@on_response("ERR-2", "only the key of the request is never quoted", "evaluate", status=range(400, 500))
def _(response: ChangedResponse) -> None:
    if SECOND_KEY in str(response.request_json):
        response.body["message"] += f"; got {SECOND_KEY}"


# CAT-2


@on_response("CAT-2", "a catalog lists what its key may not use", "list_catalog")
def _(response: ChangedResponse) -> None:
    if response.of_second_key:
        collections = response.body["collections"]
        collections.insert(0, {**collections[0], "slug": CLOSED})


# EP-13


@instead("EP-13", "an episode is anybody's", episodes, "_load", inferred=True)
async def _(_original: Any, exchange: Any) -> Any:
    name, arrived = exchange.request.parameters["id"], exchange.arrived
    episode = await exchange.world.store.load_episode(arrived.epoch, name, arrived.now)
    if episode is None:
        raise NotFound(EPISODE_NOT_FOUND)
    return episode


@on_response("EP-13", "another organisation's episode is a 403", "take_turn", status=404, inferred=True)
def _(response: ChangedResponse) -> None:
    if response.of_second_key and not response.request_json["id"].endswith("0" * 26):
        response.refuse(403)


@instead("EP-13", "whoever asks for another's episode ends it", episodes, "_load", inferred=True)
async def _(original: Any, exchange: Any) -> Any:
    try:
        return await original(exchange)
    except NotFound:
        exchange.world.store._episodes._stored.pop(exchange.episode, None)
        raise


# KEY-1, RL-2


@on_response("KEY-1", "all keys have the same id", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["key_id"] = "key_" + "0" * 26


@instead("RL-2", "all keys share a quota", Quotas, "take", inferred=True)
def _(original: Any, self: Quotas, account: Account, now: float) -> Any:
    return original(self, account.with_key(KEY), now)
