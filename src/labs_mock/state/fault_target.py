"""What of a request decides which faults match it."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Any

import orjson

from labs_mock.contract.limits import BASE_PATH
from labs_mock.ids import seeded_number
from labs_mock.state.account import Account
from labs_mock.state.arrival import Arrival
from labs_mock.state.episode import Episode

_DATASET = re.compile(rf"{BASE_PATH}/training-datasets/([^/]+)/")
_EPISODE = re.compile(rf"{BASE_PATH}/episodes/([^/]+)/")


class FaultTarget:
    """The values that the filters of faults are compared with. The body is parsed, and an episode looked up, only if a filter needs it.

    `episode` finds an episode that has not expired by its id.
    """

    def __init__(
        self,
        arrival: Arrival,
        account: Account | None,
        fingerprint: bytes,
        attempt: int,
        episode: Callable[[str], Episode | None],
    ) -> None:
        self.method, self.path = arrival.method, arrival.path
        self.organisation = account.organisation if account is not None else ""
        self.key = account.key_digest if account is not None else None
        self.attempt = attempt
        self._fingerprint, self._body, self._episode = fingerprint, arrival.body, episode

    @cached_property
    def dataset(self) -> str:
        """The id of the dataset in its path, in lower case; empty without one."""
        found = _DATASET.match(self.path)
        return found[1].lower() if found else ""

    @cached_property
    def named_episode(self) -> str:
        """The id of the episode in its path; empty without one."""
        found = _EPISODE.match(self.path)
        return found[1] if found else ""

    @cached_property
    def scenarios(self) -> list[tuple[str, str]]:
        """The slugs of the scenarios that it names: in its body, in the items of that, or by its episode."""
        if self.named_episode:
            episode = self._episode(self.named_episode)
            return [(episode.collection, episode.slug)] if episode is not None else []
        return [(str(one.get("collection_slug")), str(one.get("scenario_slug"))) for one in self._objects]

    @cached_property
    def items(self) -> list[str]:
        """The ids of the items of its body."""
        return [str(item.get("id")) for item in self._objects[1:]]

    def seeded(self, seed: int, purpose: str) -> float:
        """A number in [0, 1) that belongs to this attempt at this request and a purpose, whenever it arrives."""
        return seeded_number(seed, purpose, self._fingerprint, self.attempt)

    @cached_property
    def _objects(self) -> list[dict[str, Any]]:
        """The object in the body, and the objects among its items."""
        body = None
        with suppress(orjson.JSONDecodeError):
            body = orjson.loads(self._body)
        items = body.get("items") if isinstance(body, dict) else None
        return [one for one in [body, *(items if isinstance(items, list) else ())] if isinstance(one, dict)]
