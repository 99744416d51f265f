"""What asks for a refusal: which requests of a test may be refused, because the test itself wanted that.

A fault of the status, and what the test wrote under `/_mock`: its datasets, its quotas, its keys, the end of an episode, the clock.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.wording import EPISODE_COMPLETE, EPISODE_NOT_FOUND
from labs_mock.state.account import Account, key_digest
from labs_mock.state.episode import Episode
from labs_mock.state.record import Record

_EPISODE = re.compile(rf"{BASE_PATH}/episodes/([^/]+)/")
_DATASET = re.compile(rf"{BASE_PATH}/training-datasets/([^/]+)/")


@dataclass(slots=True)
class Writes:
    """What a test has written so far: digests of keys, ids of datasets and episodes; the clock, if it moved it.

    `keys` are those that it changed, `limits` those whose quota it chose. `ended` and `forgotten` are episodes.
    """

    keys: set[bytes] = field(default_factory=set)
    limits: set[bytes] = field(default_factory=set)
    datasets: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    clock: bool = False


class Refused(NamedTuple):
    """A refused request as it was recorded, with the stored accounts of what it came with as a key, valid or not.

    `episode` is that in its path, None if there is none now; `created` says that there was one.
    """

    record: Record
    accounts: dict[bytes, Account | None]
    episode: Episode | None
    created: bool

    @property
    def message(self) -> str | None:
        """The message of the error envelope; None where there is no such envelope (ERR-1)."""
        body = orjson.loads(self.record.body("response") or b"null")
        return str(body["message"]) if isinstance(body, dict) and "data" in body else None


def episode_in(path: str) -> str:
    """The id of the episode in a path; empty without one."""
    found = _EPISODE.match(path)
    return found[1] if found else ""


def digests_of(record: Record) -> set[bytes]:
    """The digests of what a request came with as a key."""
    return {key_digest(text.encode()) for text in record.credentials}


def _own_dataset(refused: Refused, writes: Writes) -> bool:
    """The dataset is one that the test added, or whose status it set; the response is that status (DS-3)."""
    found = _DATASET.match(refused.record.path)
    return found is not None and found[1].lower() in writes.datasets and refused.message is None


def _own_quota(refused: Refused, writes: Writes) -> bool:
    """The test chose the plan of the key (RL-2)."""
    return not writes.limits.isdisjoint(refused.accounts)


def _own_key(refused: Refused, writes: Writes) -> bool:
    """The test added or changed the key (AUTH-2)."""
    return not writes.keys.isdisjoint(refused.accounts)


def _invalid_key(refused: Refused, writes: Writes) -> bool:
    """The key is not valid, and the test has changed it, or moved the clock beyond its end (AUTH-1)."""
    return any(
        digest in writes.keys
        if account is None
        else not account.is_valid(refused.record.received)
        and (digest in writes.keys or (account.expires is not None and writes.clock))
        for digest, account in refused.accounts.items()
    )


def _lost_episode(refused: Refused, writes: Writes) -> bool:
    """There was such an episode, and the test let it expire, forgot it, or made the key, of another organisation (EP-13)."""
    if not refused.created or refused.message != EPISODE_NOT_FOUND:
        return False
    if refused.episode is not None:
        return _own_key(refused, writes)
    return writes.clock or episode_in(refused.record.path) in writes.forgotten


def _ended_episode(refused: Refused, writes: Writes) -> bool:
    """The test has ended the episode (EP-13)."""
    return refused.message == EPISODE_COMPLETE and episode_in(refused.record.path) in writes.ended


ASKED_FOR: dict[int, Callable[[Refused, Writes], bool]] = {
    400: _ended_episode,
    401: _invalid_key,
    403: _own_key,
    404: _lost_episode,
    409: _own_dataset,
    429: _own_quota,
    500: _own_dataset,
}
"""What a test's writes ask for, by the status of the response; nothing asks for any other."""
