"""What of a request decides which faults match it."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import orjson

from labs_mock.contract.limits import BASE_PATH
from labs_mock.errors import NotFound
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.state.fault_plan import Target

_DATASET = re.compile(rf"{BASE_PATH}/training-datasets/([^/]+)/")
_EPISODE = re.compile(rf"{BASE_PATH}/episodes/([^/]+)/")


def target_of(exchange: Exchange) -> Target:
    """The values that the filters of faults are compared with; the body is parsed only if a filter needs it."""
    dataset = _DATASET.match(exchange.request.path)
    objects = cache(lambda: _objects(exchange.request.body))
    return Target(
        method=exchange.request.method,
        path=exchange.request.path,
        organisation=exchange.valid_account.organisation if exchange.valid_account else "",
        key=exchange.valid_account.key if exchange.valid_account else "",
        dataset=dataset[1].lower() if dataset else "",
        asked=exchange.fingerprint,
        attempt=exchange.attempt,
        scenarios=lambda: _scenarios(exchange, objects),
        items=lambda: [str(item.get("id")) for item in objects()[1:]],
    )


def _scenarios(exchange: Exchange, objects: Callable[[], list[Payload]]) -> list[tuple[str, str]]:
    """The scenarios that a request names: in its body, in the items of that, or by its episode."""
    episode = _EPISODE.match(exchange.request.path)
    if episode:
        with suppress(NotFound):
            scenario = exchange.world.episodes.find(episode[1], exchange.now).player.scenario
            return [(scenario.collection, scenario.slug)]
        return []
    return [(str(named.get("collection_slug")), str(named.get("scenario_slug"))) for named in objects()]


def _objects(content: bytes) -> list[Payload]:
    """The object in a body, and the objects among its items."""
    body = None
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(content)
    items = body.get("items") if isinstance(body, dict) else None
    return [named for named in [body, *(items if isinstance(items, list) else ())] if isinstance(named, dict)]
