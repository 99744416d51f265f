"""Episodes: found by id and organisation, changed in whole operations, bounded, expiring (EP-13, EP-15)."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.contract.requests import Message
from labs_mock.contract.wording import EPISODE_NOT_FOUND
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine, transcript_line
from labs_mock.errors import NotFound

MAX_EPISODES = 20_000
MAX_CHARACTERS = 256_000_000


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as it stands. `touched` is when its last turn was taken, in unix seconds, `conversation` the hash of its scored turns."""

    id: str
    organisation: str
    player: Player
    score_turns: bool
    transcript: tuple[TranscriptLine, ...]
    play: Play
    touched: float
    conversation: int = 0

    @property
    def characters(self) -> int:
        """The length of its transcript."""
        return sum(len(line.content) + len(line.calls) for line in self.transcript)


class Episodes:
    """All episodes; the one without a turn for longest goes first when there are too many."""

    def __init__(self, limit: int = MAX_EPISODES, characters: int = MAX_CHARACTERS) -> None:
        self._limit = limit
        self._max_characters = characters
        self._held: OrderedDict[str, Episode] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._held)

    def create(self, ids: Iterable[str], organisation: str, player: Player, score_turns: bool, now: float) -> Episode:
        """A new episode under the first of some ids that is not held (DET-3)."""
        name = next(name for name in ids if name not in self._held)
        play = player.start()
        episode = Episode(
            name, organisation, player, score_turns, (TranscriptLine(play.observation, False),), play, now
        )
        self._put(episode)
        return episode

    def get(self, name: str, organisation: str, now: float) -> Episode:
        """An episode of an organisation. Raises `NotFound` if it is unknown, expired or another's (EP-13)."""
        episode = self.find(name, now)
        if episode.organisation != organisation:
            raise NotFound(EPISODE_NOT_FOUND)
        return episode

    def find(self, name: str, now: float) -> Episode:
        """An episode, whoever it belongs to. Raises `NotFound` if it is unknown or expired."""
        episode = self._held.get(name)
        if episode is None or now - episode.touched >= EPISODE_LIFETIME:
            raise NotFound(EPISODE_NOT_FOUND)
        return episode

    def terminate(self, episode: Episode) -> Episode:
        """End an episode on its client's behalf (EP-14); the episode as it then is."""
        play = episode.play.copy()
        play.terminal = "client_terminated"
        self._held[episode.id] = ended = replace(episode, play=play)  # in its place: this is no turn
        return ended

    def append(self, episode: Episode, turn: Iterable[Message], play: Play, now: float, conversation: int = 0) -> bool:
        """Add a turn, if the episode still is as the caller saw it; whether it was (EP-15)."""
        if self._held.get(episode.id) is not episode:
            return False
        transcript = (*episode.transcript, *map(transcript_line, turn), TranscriptLine(play.observation, False))
        self._put(replace(episode, transcript=transcript, play=play, touched=now, conversation=conversation))
        return True

    def reset(self) -> None:
        """Forget all episodes."""
        self._held.clear()
        self._characters = 0

    def _put(self, episode: Episode) -> None:
        before = self._held.pop(episode.id, None)
        self._characters += episode.characters - (before.characters if before else 0)
        self._held[episode.id] = episode
        while len(self._held) > self._limit or (self._characters > self._max_characters and len(self._held) > 1):
            _, oldest = self._held.popitem(last=False)
            self._characters -= oldest.characters
