"""The records of a run in the forms that findings over several of them need, each made once and in linear time."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from labs_mock.contract.limits import BASE_PATH
from labs_mock.http.delivery import is_delayed
from labs_mock.state.record import Record
from labs_mock.text import normalise


class Sending(NamedTuple):
    """One sending of a request, and the newest before it that was answered when it arrived; None for the first."""

    former: Record | None
    record: Record


class EpisodeRequest(NamedTuple):
    """A request that began an episode or took a turn, with the texts in it, normalised.

    `history` are the messages that the new turn may quote, `operator_texts` those of the operator, new and old, and `observation` is the
    response's; None where that was dropped from the journal. `complete` says that the turn ended the episode.
    """

    record: Record
    episode: str
    history: Sequence[str]
    operator_texts: Sequence[str]
    observation: str | None
    complete: bool

    @property
    def begins(self) -> bool:
        """Whether the episode begins with it."""
        return self.record.turn is None


class Run:
    """The records of a run by number, and the ids of episodes that are over, whatever the records say of them."""

    def __init__(self, records: Sequence[Record], ended: Collection[str]) -> None:
        self.records, self.ended = records, ended

    @cached_property
    def sendings(self) -> list[list[Sending]]:
        """The requests of the API: a list for each fingerprint and key, in the order in which they arrived."""
        api = [record for record in self.records if record.path.startswith(BASE_PATH)]
        events = [(record.order, False, record.number, record) for record in api]
        events += [(record.answered, True, record.number, record) for record in api if not _in_progress(record)]
        events.sort(key=lambda event: event[:3])  # two sorted lists, or nearly so: that takes linear time
        newest: dict[tuple[bytes, tuple[str, ...]], Record] = {}
        groups: dict[tuple[bytes, tuple[str, ...]], list[Sending]] = defaultdict(list)
        for _, answered, _, record in events:
            name = record.fingerprint, record.credentials
            if answered:
                newest[name] = record
            else:
                groups[name].append(Sending(newest.get(name), record))
        return list(groups.values())

    @cached_property
    def episode_requests(self) -> list[EpisodeRequest]:
        """The requests that began an episode or took a turn, by number."""
        taken = (record for record in self.records if record.status == 200 and record.episode is not None)
        return [_episode_request(record, record.episode or "") for record in taken]


def _in_progress(record: Record) -> bool:
    """Whether a fault delays its response at this moment."""
    return record.amended is None and is_delayed(record.delivery)


def _episode_request(record: Record, episode: str) -> EpisodeRequest:
    sent, received = _object(record.body("request")), _object(record.body("response"))
    observed = received.get("initial_observation" if record.turn is None else "observation")
    observation = normalise(observed["content"]) if observed is not None else None
    messages = list(_messages(sent))
    spoken = [index for index, (role, _) in enumerate(messages) if role == "assistant"]
    history = [text for index, (role, text) in enumerate(messages) if role != "system" and index not in spoken[-1:]]
    operator_texts = [messages[index][1] for index in spoken]
    return EpisodeRequest(
        record, episode, history, operator_texts, observation, received.get("episode_complete", False)
    )


def _messages(sent: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Role and normalised text of each message of a request that was valid."""
    for message in sent.get("messages", ()):
        yield message["role"], normalise(message["content"])


def _object(body: bytes | None) -> dict[str, Any]:
    """The JSON object of a body that was valid; an empty one for a body that was dropped."""
    value: dict[str, Any] = orjson.loads(body) if body else {}
    return value
