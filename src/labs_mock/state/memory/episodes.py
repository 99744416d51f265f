"""Episodes, changed in whole operations, bounded, expiring (EP-13, EP-15)."""

from collections import OrderedDict

from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.contract.responses import TerminalReason
from labs_mock.errors import Conflict
from labs_mock.state.episode import AppendedTurn, Episode, characters


class Episodes:
    """All episodes with the characters of their transcripts; the one without a turn for longest goes first."""

    def __init__(self, limit: int, max_characters: int) -> None:
        self._limit = limit
        self._max_characters = max_characters
        self._stored: OrderedDict[str, tuple[Episode, int]] = OrderedDict()
        self._characters = 0

    def get(self, name: str, now: float) -> Episode | None:
        """An episode; None for one that is unknown or expired (EP-13)."""
        stored = self._stored.get(name)
        return None if stored is None or now - stored[0].touched >= EPISODE_LIFETIME else stored[0]

    def change(self, created: Episode | None, turn: AppendedTurn | None) -> None:
        """Add an episode, or a turn to one, or both.

        Raises `Conflict`, and changes nothing, if the id of the new one is taken, by an expired episode too, or if the other has
        not exactly the expected turns, has ended or is not stored (EP-15).
        """
        if created is not None and created.id in self._stored:
            raise Conflict(f"episode {created.id}: the id is taken")
        if turn is not None:
            stored = self._stored.get(turn.episode)
            if stored is None or stored[0].turns != turn.expected_turns or stored[0].ended is not None:
                raise Conflict(f"episode {turn.episode}: not as it was after turn {turn.expected_turns}")
            self._append(turn)
        if created is not None:
            self._put(created, characters(created.transcript))

    def _append(self, turn: AppendedTurn) -> None:
        episode, size = self._stored.pop(turn.episode)
        self._characters -= size
        # `_replace` would take three times as long, which is felt at every turn.
        transcript, turns = episode.transcript + turn.lines, episode.turns + 1
        changed = Episode._make((*episode[:-4], transcript, turns, turn.ended, turn.touched))
        self._put(changed, size + characters(turn.lines))

    def end(self, name: str, reason: TerminalReason, now: float) -> Episode | None:
        """End an episode in its place in the order, since this is no turn; None for one that is unknown or expired.

        Raises `Conflict` if it has ended.
        """
        episode = self.get(name, now)
        if episode is None:
            return None
        if episode.ended is not None:
            raise Conflict(f"episode {name}: it has ended")
        ended = episode._replace(ended=reason)
        self._stored[name] = ended, self._stored[name][1]
        return ended

    def page(self, limit: int, before: str | None, now: float) -> list[Episode]:
        """Up to so many that have not expired, the newest turn first; behind one of them, if it is named."""
        newest_first = [episode for episode, _ in list(self._stored.values())[::-1]]
        if before is not None:
            names = [episode.id for episode in newest_first]
            newest_first = newest_first[names.index(before) + 1 :] if before in names else []
        return [episode for episode in newest_first if now - episode.touched < EPISODE_LIFETIME][:limit]

    def reset(self) -> None:
        """Forget all episodes."""
        self._stored.clear()
        self._characters = 0

    def _put(self, episode: Episode, size: int) -> None:
        stored = self._stored
        stored[episode.id] = episode, size
        self._characters += size
        while len(stored) > self._limit or (self._characters > self._max_characters and len(stored) > 1):
            _, (_, gone) = stored.popitem(last=False)
            self._characters -= gone
