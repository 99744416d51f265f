"""Requests of the journal that were refused, failed or cut, and the conversations in them."""

import asyncio
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import orjson

from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import ComparedResponse
from labs_mock.engine.attribution import new_turn, operator_turns
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine, turns_of
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.journal import records_of
from labs_mock.http.delivery import is_spoilt
from labs_mock.http.exchange import Payload
from labs_mock.state import World
from labs_mock.state.arrival import Arrived
from labs_mock.state.record import Record

_TURNS = re.compile(rf"{BASE_PATH}/episodes/([^/]+)/turns")


class FailedRequests:
    """The failed requests of a journal, whose number a conversation finds.

    A request for the reward of a whole conversation is found by that conversation. One for a turn of an episode is found by every
    conversation that begins with the turns up to that one, and by the conversation that ends before it. A request that names no
    scenario that there is, is read as one of each of `players`.
    """

    def __init__(self, world: World, arrived: Arrived, players: Sequence[Player]) -> None:
        self._world, self._arrived, self._players = world, arrived, players
        self._by_end: dict[int, set[int]] = defaultdict(set)  # numbers by hashes of conversations
        self._by_turn: dict[int, set[int]] = defaultdict(set)

    async def read_journal(self) -> None:
        """Find those that the journal has with their bodies."""
        turns: dict[str, int] = {}  # that each episode has taken
        async for record in records_of(self._world, await self._world.store.journal_counts()):
            episode = _TURNS.fullmatch(record.path)
            if episode is None:
                for body in _failed_bodies(record):
                    await self._add_conversation(record.number, body)
                continue
            if _failed(record):
                await self._add_turn(record, episode[1], turns.get(episode[1], 0))
            if record.status == 200 and record.turn is not None:
                turns[episode[1]] = record.turn

    def numbers(self, hashes: Sequence[int]) -> list[int]:
        """Those of a conversation, by the hashes after each of its turns."""
        return sorted(self._by_end[hashes[-1]].union(*(self._by_turn[one] for one in hashes)))

    async def _add_conversation(self, number: int, body: Payload) -> None:
        """What stands in a request like an evaluation of its own."""
        await asyncio.sleep(0)  # bodies may be large, and others wait
        try:
            messages = read_model(ComparedResponse, body).messages
            for player in await self._players_of(body):
                turns = operator_turns(player, messages).turns
                played = turns[: player.fold(player.start(), turns).turn]
                self._by_end[conversation_hash(played)].add(number)
        except BadRequest:  # there is no conversation in it
            return

    async def _players_of(self, body: Payload) -> Sequence[Player]:
        slugs = str(body.get("collection_slug")), str(body.get("scenario_slug"))
        try:
            return [await self._world.player(self._arrived.revision, None, *slugs)]
        except NotFound:
            return self._players

    async def _add_turn(self, record: Record, name: str, taken: int) -> None:
        """A turn that came after so many; one that was taken, and its response cut, is in the transcript."""
        episode = await self._world.store.load_episode(self._arrived.epoch, name, self._arrived.now)
        if episode is None:
            return
        turns = list(turns_of(episode.transcript))
        start = conversation_hash(turns[:taken])
        try:
            messages = read_model(ComparedResponse, _object(record.body("request"))).messages
            player = (await self._world.replayed(episode)).player
            sent = new_turn(player, _beginning(episode.transcript, taken), messages).turns
        except (BadRequest, NotFound):
            return
        self._by_end[start].add(record.number)
        self._by_turn[conversation_hash(sent, start)].add(record.number)


def _failed(record: Record) -> bool:
    return record.status >= 400 or is_spoilt(record.delivery)


def _failed_bodies(record: Record) -> list[Payload]:
    """What stands in a request for rewards like an evaluation of its own, as far as it failed."""
    sent = record.path.removeprefix(BASE_PATH)
    if sent == "/batch/evaluate":
        items = _object(record.body("request")).get("items")
        return _failed_items(record, [_as_object(item) for item in items] if isinstance(items, list) else [])
    if not _failed(record) or sent not in ("/evaluate", "/compare"):
        return []
    body = _object(record.body("request"))
    if sent == "/evaluate":
        return [body]
    return [{**body, **_as_object(body.get(name))} for name in ("response_a", "response_b")]


def _failed_items(record: Record, items: list[Payload]) -> list[Payload]:
    """All items of a batch that failed, else those that have an error for a result, or none at all."""
    if _failed(record):
        return items
    if None not in record.rewards and not record.delivery:
        return []
    failed = {item for item, reward in enumerate(record.rewards) if reward is None}
    if record.response is not None:
        results = _object(record.body("response")).get("results", [])
        scored = {result["id"] for result in results if "reward" in result}
        failed |= {index for index, item in enumerate(items) if item["id"] not in scored}
    return [item for index, item in enumerate(items) if index in failed]


def _beginning(transcript: Sequence[TranscriptLine], turns: int) -> list[TranscriptLine]:
    """A transcript up to the observation after so many turns."""
    ends = [index for index, line in enumerate(transcript) if not line.operator]
    return list(transcript[: ends[min(turns, len(ends) - 1)] + 1])


def _object(body: bytes | None) -> Payload:
    """The JSON object of a body; an empty one for anything else."""
    try:
        return _as_object(orjson.loads(body or b"null"))
    except ValueError:
        return {}


def _as_object(value: Any) -> Payload:
    return value if isinstance(value, dict) else {}
