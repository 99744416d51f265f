"""Worlds of a server that tests share: its own, and that of the test that runs."""

from collections.abc import Callable
from dataclasses import replace

from labs_mock.config.library import Library
from labs_mock.config.settings import by_name, settings_from
from labs_mock.contract.limits import PLANS
from labs_mock.errors import SettingsError
from labs_mock.state import World
from labs_mock.state.store import InitialState, Store
from labs_mock.state.world import accounts_of, initial_state

TEST_KEY = "lab_of_a_test_"
"""What the keys of test worlds begin with."""


def make_world(
    library: Library,
    settings: dict[str, object],
    test_key: str | None = None,
    make_store: Callable[[InitialState], Store] | None = None,
) -> World:
    """A world of a library under some settings, by name. Raises `SettingsError`.

    Its state is in memory, also if `server.yaml` says otherwise: what tests do stays among them.
    `test_key` is a key more, on the terms of the first one but for a plan that the settings name, and `make_store` makes
    the store of a world with it.
    """
    named = by_name(settings)
    if named.get("state") or named.get("workers", 1) > 1:
        raise SettingsError("state: a server in this process has its state in memory; expected process=True beside it")
    all_settings = settings_from(named, library.server.settings)
    if test_key is None:
        return World(all_settings, library)
    accounts = accounts_of(all_settings, library)
    account = next(iter(accounts.values())).with_key(test_key)
    if "plan" in named:
        account = replace(account, requests_per_minute=PLANS[all_settings.plan])
    accounts = {**accounts, test_key: account}
    store = make_store and make_store(initial_state(all_settings, library, accounts.values()))
    return World(all_settings, library, accounts=accounts, store=store)


class WorldRouter:
    """Chooses the world of each request: that of the open test, or else the server's own.

    A request with the key of a test world that was closed belongs to neither: it goes to a world that nobody looks at, which
    rejects the key.
    """

    def __init__(self, own: World) -> None:
        self._own = self._current = own
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
        self._current, self._key = self._own, b""

    def __call__(self, key: bytes | None) -> World:
        """The world of a request with a key, or without one."""
        closed = key is not None and key.startswith(TEST_KEY.encode()) and key != self._key
        return self._rejecting if closed else self._current
