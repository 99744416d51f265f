"""The scripts, and how one is run: at most 1.5 s, by its digest, and again where that changes nothing."""

import asyncio
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any, NamedTuple

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

from labs_mock.contract.wording import STORE_SILENT
from labs_mock.errors import Conflict, StaleEpoch, StoreFull, StoreUnavailable
from labs_mock.state.redis.connection import Lost, NotSent, Pipe

DEADLINE = 1.5  # seconds of real time for an operation with all its attempts
GRACE = 0.1  # seconds of these in which replies are read that came while this process had no processor
PAUSE = 0.05  # seconds between two attempts

FULL = "The store of this server's state is full; reset it, or give it more memory"
REFUSING = "BUSY", "CLUSTERDOWN", "MASTERDOWN", "MISCONF", "NOREPLICAS", "TRYAGAIN"
"""How replies begin by which Redis does nothing for the time being, such as while it cannot write to its disk."""

ENDED = "The namespace of this server's state has been dropped"
REFUSED = "The store of this server's state refuses this server's password or commands"

PARTS_OF = {
    "load_episode": ("episode",),
    "list_episodes": ("episode",),
    "end_episode": ("episode",),
    "commit": ("episode", "journal"),
    "amend": ("journal",),
}
"""What stands before a script besides `common`."""


READING, FREEING = "flags=no-writes", "flags=allow-oom"
FLAGS_OF = {
    **dict.fromkeys(("control", "read", "load_episode", "list_episodes", "records", "rewards"), READING),
    **dict.fromkeys(("touch", "leave", "drop"), FREEING),
}
"""Flags of scripts that a full store runs, too; it refuses the others before their first write."""


class Script(NamedTuple):
    """The text of a script and its SHA-1, by which Redis knows it."""

    text: str
    digest: str


@cache
def script(name: str, flags: str = "") -> Script:
    """A script by the name of its file, with the `flags` of its kind if no others are named."""
    folder = files("labs_mock.state.redis") / "lua"
    parts = [(folder / f"{part}.lua").read_text("utf-8") for part in ("common", *PARTS_OF.get(name, ()), name)]
    text = "\n".join([f"#!lua {flags or FLAGS_OF.get(name, '')}".rstrip(), *parts])
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


class Operations:
    """Runs scripts of a namespace over a pipe; `count` says how many were run."""

    def __init__(self, pipe: Pipe, meta: str, lifetime: int) -> None:
        self._pipe = pipe
        self._meta, self._lifetime = meta, lifetime
        self.count = 0
        self._ended = False

    def end(self) -> None:
        """Run nothing any more, not even what is to be tried again: each raises `StoreUnavailable`."""
        self._ended = True

    async def run(self, name: str, *words: Any, again: bool, flags: str = "") -> Any:
        """What a script replies. One that may be run `again` is, until the deadline, if its reply was lost.

        Raises `StoreUnavailable` if there is none in time, and `StoreFull`.
        """
        self.count += 1
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(None) as limit:
                # Two timers, one after the other: a single one, when it is late, comes before the replies that are there to be read.
                timer = loop.call_later(DEADLINE - GRACE, lambda: limit.reschedule(loop.time() + GRACE))
                try:
                    return await self._attempts(script(name, flags), words, again)
                finally:
                    timer.cancel()
        except (TimeoutError, Lost, NotSent):
            if self._pipe.replied < started:  # it has stopped, so that whatever else was sent waits in vain
                await self._pipe.close()
            raise StoreUnavailable(STORE_SILENT) from None
        except OutOfMemoryError:
            raise StoreFull(FULL) from None
        except (AuthenticationError, AuthorizationError, NoPermissionError):
            raise StoreUnavailable(REFUSED) from None

    async def _attempts(self, one: Script, words: tuple[Any, ...], again: bool) -> Any:
        while True:
            try:
                return await self._attempt(one, words)
            except (NotSent, BusyLoadingError):
                pass
            except MovedError as error:  # of a cluster, in which all of a namespace is on one node
                await self._pipe.move(error.host, error.port)
                continue
            except ReadOnlyError:  # a replica by now: the address leads elsewhere after the next connect
                await self._pipe.close()
            except Lost:
                if not again:
                    raise
            await asyncio.sleep(PAUSE)

    async def _attempt(self, one: Script, words: tuple[Any, ...]) -> Any:
        if self._ended:
            raise StoreUnavailable(ENDED)
        try:
            return await self._pipe.send("EVALSHA", one.digest, 1, self._meta, self._lifetime, *words)
        except NoScriptError:
            return await self._pipe.send("EVAL", one.text, 1, self._meta, self._lifetime, *words)
        except ResponseError as error:
            if str(error).startswith(REFUSING):
                raise Lost(str(error)) from None
            raise


def done(reply: list[Any], prefix: str = "") -> Any:
    """What a script has replied. Raises `StaleEpoch` and `Conflict` as it says."""
    status, *rest = reply
    if status == b"stale":
        raise StaleEpoch("there was a reset of everything since the request arrived")
    if status == b"conflict":
        raise Conflict(prefix + rest[0].decode())
    return rest[0]
