"""What the key of another organisation should not see, or should: AUTH-2, ERR-2, CAT-2, EP-13, KEY-1, RL-2."""

from dataclasses import replace
from typing import Any

from labs_mock.contract.wording import NO_SUBSCRIPTION
from labs_mock.errors import NotFound
from labs_mock.state.accounts import Account
from labs_mock.state.episodes import Episodes
from labs_mock.state.rate_limits import RateLimits
from tests.conformance.mutants import CLOSED, SECOND_KEY, Answer, instead, on_answer
from tests.support import KEY

# AUTH-2


@instead("AUTH-2", "subscriptions do not count", Account, "require", inferred=False)
def _(_original: Any, _self: Account, _collection: str) -> None:
    """Nothing is refused."""


@on_answer("AUTH-2", "a collection without a subscription is as unknown as any", status=403, inferred=False)
def _(answer: Answer) -> None:
    answer.refuse(404, "Collection not found")


@on_answer("AUTH-2", "no subscription is a 401", status=403, inferred=True)
def _(answer: Answer) -> None:
    answer.refuse(401, NO_SUBSCRIPTION)
    answer.bare()


@on_answer("AUTH-2", "no subscription has another message", "evaluate", status=403, inferred=True)
def _(answer: Answer) -> None:
    answer.body["message"] = "Forbidden"


@on_answer("AUTH-2", "an item without a subscription refuses the whole batch", "batch_evaluate", inferred=True)
def _(answer: Answer) -> None:
    if any(NO_SUBSCRIPTION in one.get("error", "") for one in answer.body["results"]):
        answer.refuse(403, NO_SUBSCRIPTION)


@on_answer("AUTH-2", "items of a batch need no subscription", "batch_evaluate", inferred=True)
def _(answer: Answer) -> None:
    for index, one in enumerate(answer.body["results"]):
        if NO_SUBSCRIPTION in one.get("error", ""):
            answer.body["results"][index] = {"id": one["id"], "status": "success", "reward": 0.0}


# ERR-2


@on_answer("ERR-2", "only the key that asks is never quoted", "evaluate", status=range(400, 500))
def _(answer: Answer) -> None:
    if SECOND_KEY in str(answer.asked):
        answer.body["message"] += f"; got {SECOND_KEY}"


# CAT-2


@on_answer("CAT-2", "a catalog lists what its key may not use", "list_catalog")
def _(answer: Answer) -> None:
    if answer.of_second_key:
        collections = answer.body["collections"]
        collections.insert(0, {**collections[0], "slug": CLOSED})


# EP-13


@instead("EP-13", "an episode is anybody's", Episodes, "get", inferred=True)
def _(_original: Any, self: Episodes, name: str, _organisation: str, now: float) -> Any:
    return self.find(name, now)


@on_answer("EP-13", "another organisation's episode is a 403", "take_turn", status=404, inferred=True)
def _(answer: Answer) -> None:
    if answer.of_second_key and not answer.asked["id"].endswith("0" * 26):
        answer.refuse(403)


@instead("EP-13", "whoever asks for another's episode ends it", Episodes, "get", inferred=True)
def _(original: Any, self: Episodes, name: str, organisation: str, now: float) -> Any:
    try:
        return original(self, name, organisation, now)
    except NotFound:
        self._held.pop(name, None)
        raise


# KEY-1, RL-2


@on_answer("KEY-1", "all keys have the same id", "describe_key", inferred=True)
def _(answer: Answer) -> None:
    answer.body["key_id"] = "key_" + "0" * 26


@instead("RL-2", "all keys share a quota", RateLimits, "take", inferred=True)
def _(original: Any, self: RateLimits, account: Account, now: float) -> Any:
    return original(self, replace(account, key=KEY), now)
