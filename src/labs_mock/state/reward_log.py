"""The log of rewards: every one that was served, packed into columns, the newest million of them."""

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_REWARDS = 1_000_000


class Served(NamedTuple):
    """A reward and whose it is: the number of its request, the item's place in that, and the hash of its conversation."""

    request: int
    item: int
    conversation: int
    reward: float


class Rewards:
    """A ring of 26 bytes an entry, which grows until it is full. `dropped` says how many have gone, the oldest first."""

    def __init__(self, limit: int = MAX_REWARDS) -> None:
        self._limit = limit
        self.reset()

    def __len__(self) -> int:
        return len(self._rewards)

    def append(self, request: int, rewards: Sequence[float | None], conversations: Sequence[int]) -> None:
        """Add the rewards of a request in the order of its items; None, for one that failed, only keeps the places."""
        for item, reward in enumerate(rewards):
            if reward is None:
                continue
            if len(self._rewards) < self._limit:
                self._requests.append(request)
                self._items.append(item)
                self._conversations.append(conversations[item])
                self._rewards.append(reward)
            else:
                place = self.dropped % self._limit
                self._requests[place] = request
                self._items[place] = item
                self._conversations[place] = conversations[item]
                self._rewards[place] = reward
                self.dropped += 1

    def after(self, number: int, limit: int) -> Iterator[Served]:
        """Up to so many of those after a number; they are numbered from 1, and the first that is kept is `dropped` + 1."""
        first = max(number, self.dropped)
        for index in range(first, min(first + limit, self.dropped + len(self))):
            place = index % self._limit
            yield Served(self._requests[place], self._items[place], self._conversations[place], self._rewards[place])

    def reset(self) -> None:
        """Forget everything."""
        self.columns = array("Q"), array("H"), array("Q"), array("d")
        self._requests, self._items, self._conversations, self._rewards = self.columns
        self.dropped = 0
