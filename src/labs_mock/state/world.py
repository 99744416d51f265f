"""The world: every bit of mutable state in one object."""

import secrets
from collections.abc import Callable

from labs_mock.clock import MovingClock
from labs_mock.config.library import Library
from labs_mock.config.settings import Settings
from labs_mock.contract.limits import PLANS
from labs_mock.contract.wording import unknown_collection, unknown_scenario
from labs_mock.engine.player import Player
from labs_mock.errors import NotFound
from labs_mock.redaction import Redactor
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.accounts import Account, Accounts
from labs_mock.state.attempts import Attempts
from labs_mock.state.datasets import Datasets
from labs_mock.state.episodes import Episodes
from labs_mock.state.fault_plan import Faults
from labs_mock.state.journal import Journal
from labs_mock.state.normalisation import Normalisation
from labs_mock.state.rate_limits import RateLimits
from labs_mock.state.reward_log import Rewards

WITH = {"clock": ("limits", "episodes", "normalisation", "datasets"), "journal": ("rewards",)}
"""Parts that go with others: with the clock what remembers times, with the journal what names requests by their numbers."""


class World:
    """A library brought to life under some settings; a `guest` is one account more.

    `instance` tells one server from another; it is the only thing here that chance decides, and only the
    control plane shows it. `redactor` masks all keys and the token of the control plane.
    """

    def __init__(self, settings: Settings, library: Library, guest: Account | None = None) -> None:
        self.settings = settings
        self.library = library
        self.instance = secrets.token_hex(8)
        self.clock = MovingClock(settings.clock)
        self.accounts = Accounts([*accounts_of(settings, library), *([guest] if guest else [])])
        self.redactor = Redactor(self.accounts.keys, [settings.control_token])
        self.limits = RateLimits()
        self.attempts = Attempts()
        self.episodes = Episodes()
        self.normalisation = Normalisation()
        self.scenarios = {one.full_name: one for one in library.scenarios}
        self.datasets = Datasets(
            library.datasets.values(), settings.seed, settings.spool, self.clock.now(), self.scenarios
        )
        self.faults = Faults(library.server.faults, settings.seed)
        self.journal = Journal()
        self.rewards = Rewards()
        self._players = {(scenario.collection, scenario.slug): Player(scenario) for scenario in library.scenarios}
        self.parts: dict[str, Callable[[], None]] = {
            "clock": self.clock.restart,
            "keys": self.accounts.reset,
            "limits": self.limits.reset,
            "attempts": self.attempts.reset,
            "episodes": self.episodes.reset,
            "normalisation": self.normalisation.reset,
            "datasets": lambda: self.datasets.reset(self.clock.now()),
            "faults": self.faults.reset,
            "journal": self.journal.reset,
            "rewards": self.rewards.reset,
        }

    @property
    def first_key(self) -> str:
        """The key to name to people and tests: the first that is neither revoked nor expired, else the first of all."""
        now = self.clock.now()
        return min(self.accounts, key=lambda account: not account.valid(now)).key

    def player(self, account: Account, collection: str, slug: str) -> Player:
        """The player of a scenario.

        Raises `NotFound` for an unknown collection or scenario (EP-1), and between the two `Forbidden`
        without a subscription (AUTH-2).
        """
        if collection not in self.library.collections:
            raise NotFound(unknown_collection(collection))
        account.require(collection)
        player = self._players.get((collection, slug))
        if player is None:
            raise NotFound(unknown_scenario(collection, slug))
        return player

    def add(self, scenario: Scenario) -> None:
        """Add a scenario, or replace the one with its slugs; episodes and datasets that have begun keep the old one."""
        self.library = self.library.with_scenario(scenario)
        self.scenarios[scenario.full_name] = scenario
        self._players[scenario.collection, scenario.slug] = Player(scenario)

    def adopt(self, library: Library) -> None:
        """Serve the scenarios and datasets of another library from now on; what has begun keeps the old ones."""
        before = {name: player.scenario.version for name, player in self._players.items()}
        self.library = library
        self.scenarios |= {one.full_name: one for one in library.scenarios}
        self._players = {
            name: self._players[name] if before.get(name) == scenario.version else Player(scenario)
            for scenario in library.scenarios
            for name in [(scenario.collection, scenario.slug)]
        }
        self.datasets.adopt(library.datasets.values(), self.clock.now())

    def reset(self, *names: str) -> list[str]:
        """Those parts, or else everything but scenarios and settings, back to the start; the names of what was reset.

        With some parts go others, which would otherwise name what is no more.
        """
        names = names or tuple(self.parts)
        done = [name for name in self.parts if name in names or any(name in WITH.get(one, ()) for one in names)]
        for name in done:
            self.parts[name]()
        return done


def accounts_of(settings: Settings, library: Library) -> list[Account]:
    """The accounts that `server.yaml` lists, or else the one of the settings."""
    if library.server.keys is not None:
        return [Account.of(file) for file in library.server.keys]
    return [Account(settings.api_key, requests_per_minute=PLANS[settings.plan])]
