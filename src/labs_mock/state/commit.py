"""What a request changes, all of it or nothing."""

from typing import NamedTuple

from labs_mock.state.episode import AppendedTurn, Episode
from labs_mock.state.record import Record


class Commit(NamedTuple):
    """The changes of one request that arrived in `epoch`.

    `token` names it: no other request may have the same one, and it stays the same where the same commit is sent again.
    `conversations` are the hashes of those whose `rewards` the record has, one for each: with them rewards go into their log
    (those of failed items, None, only keep the places of the others). `created` is a new episode, whose `origin` is the token.
    """

    epoch: str
    token: str
    record: Record | None = None
    conversations: tuple[int, ...] = ()
    created: Episode | None = None
    turn: AppendedTurn | None = None
