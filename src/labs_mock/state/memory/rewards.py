"""The log of rewards: every one that was served, packed into columns, the newest of them."""

from array import array
from collections.abc import Sequence

from labs_mock.state.record import RewardColumns


class RewardLog:
    """A ring of 26 bytes an entry, which grows until it is full. `dropped` says how many have gone, the oldest first."""

    def __init__(self, limit: int) -> None:
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

    def page(self, after: int, limit: int) -> RewardColumns:
        """Up to so many of those behind a number; the first that is stored has the number `dropped` + 1."""
        first = max(after, self.dropped)
        indices = range(first, min(first + limit, self.dropped + len(self)))
        places = [index % self._limit for index in indices]
        requests, items, conversations, rewards = self.columns
        return RewardColumns(
            first,
            tuple([requests[place] for place in places]),
            tuple([items[place] for place in places]),
            tuple([conversations[place] for place in places]),
            tuple([rewards[place] for place in places]),
            len(self),
            self.dropped,
        )

    def reset(self) -> None:
        """Forget everything."""
        self.columns = array("Q"), array("H"), array("Q"), array("d")
        self._requests, self._items, self._conversations, self._rewards = self.columns
        self.dropped = 0
