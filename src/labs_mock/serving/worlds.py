"""Worlds of a server that tests share: its own, and that of the test that runs."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from secrets import token_hex
from typing import Any, NamedTuple

from labs_mock.config.library import Library
from labs_mock.config.settings import Settings, by_name, settings_from
from labs_mock.contract.limits import PLANS
from labs_mock.errors import SettingsError
from labs_mock.serving.own_namespace import LIFETIME
from labs_mock.serving.shared_store import shared_store
from labs_mock.state import World
from labs_mock.state.account import Account
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.store import InitialState, Store
from labs_mock.state.world import accounts_of, initial_state

Watch = Callable[[Store], Store]

TEST_KEY = "lab_of_a_test_"
"""What the keys of test worlds begin with."""


class WorldParts(NamedTuple):
    """What a world is made of; if its state is in Redis and `temporary`, that goes with it."""

    settings: Settings
    library: Library
    accounts: dict[str, Account]
    temporary: bool

    @property
    def initial(self) -> InitialState:
        """What its state begins with."""
        return initial_state(self.settings, self.library, self.accounts.values())

    @asynccontextmanager
    async def opened(self, watch: Watch = lambda store: store) -> AsyncIterator[World]:
        """The world, as long as the block runs, in the event loop of which its store is; `watch` puts another one before that.

        Raises `SettingsError` and `StartError` as `shared_store` does.
        """
        opening: AbstractAsyncContextManager[Store]
        instance = token_hex(8)
        if self.settings.state:
            opening = shared_store(self.settings, self.initial, instance, temporary=self.temporary)
        else:
            opening = nullcontext(MemoryStore(self.initial))
        async with opening as store:
            yield World(self.settings, self.library, accounts=self.accounts, store=watch(store), instance=instance)


def world_parts(
    library: Library, settings: Mapping[str, Any], test_key: str | None = None, *, namespace: str = ""
) -> WorldParts:
    """The parts of a world of a library under some settings, by name. Raises `SettingsError`.

    Its state is in memory unless these settings name a store, also if `server.yaml` says otherwise: what tests do stays among
    them. In a store it is in a temporary `namespace`, or else in the one that the settings name, where it stays.
    `test_key` is a key more, on the terms of the first one but for a plan that the settings name.
    """
    named = by_name(settings)
    if named.get("workers", 1) > 1:
        raise SettingsError("workers: a server in this process is no more than one; write LabsMock(process=True, …)")
    if namespace:
        named = {"state_lifetime": LIFETIME, **named, "state_name": namespace}
    all_settings = settings_from({"state": "", "workers": 1, **named}, library.server.settings)
    accounts = accounts_of(all_settings, library)
    if test_key is not None:
        account = next(iter(accounts.values())).with_key(test_key)
        if "plan" in named:
            account = replace(account, requests_per_minute=PLANS[all_settings.plan])
        accounts = {**accounts, test_key: account}
    return WorldParts(all_settings, library, accounts, bool(namespace))


class WorldRouter:
    """Chooses the world of each request: that of the open test, or else the server's own.

    A request with the key of a test world that was closed belongs to neither: it goes to a world that nobody looks at, which
    rejects the key.
    """

    def __init__(self, own: World) -> None:
        self.own = self._current = own
        self._rejecting = own.as_new()
        self._key = b""
        self._opened = 0

    def new_key(self) -> str:
        """A key that no other test world has or had."""
        self._opened += 1
        return f"{TEST_KEY}{self._opened}"

    def open(self, world: World, key: str) -> None:
        """Send requests to a test world from now on."""
        self._current, self._key = world, key.encode()

    def close(self) -> None:
        """Send requests to the server's own world again."""
        self._current, self._key = self.own, b""

    def __call__(self, key: bytes | None) -> World:
        """The world of a request with a key, or without one."""
        closed = key is not None and key.startswith(TEST_KEY.encode()) and key != self._key
        return self._rejecting if closed else self._current
