"""The world of a saved session."""

from collections.abc import Iterable

from labs_mock.config.library import Library
from labs_mock.config.settings import SETTINGS, by_name, settings_from
from labs_mock.http.session.saved_store import SavedState, SavedStore
from labs_mock.http.session.session_lines import SavedHead
from labs_mock.redaction import Unredacted
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state import World

SERVED = {"control": True, "control_hosts": "", "state": "", "workers": 1}
"""Settings that are those of the server that shows it; `head` has those of the one that saved it."""


class SavedWorld(World):
    """A world that is read from a saved session, of whose `head` it is, and that nothing changes.

    `left_out` counts the lines for which there was no room in its file. Raises `SettingsError` for settings that cannot be used.
    """

    def __init__(self, head: SavedHead, state: SavedState, scenarios: Iterable[Scenario], left_out: int) -> None:
        known = {setting.name for setting in SETTINGS}
        named = {name: value for name, value in head.settings.items() if name in known and value is not None}
        settings = settings_from(by_name(named | SERVED))
        super().__init__(settings, Library({}), accounts={}, store=SavedStore(state), instance=head.instance)
        self.caches.add(scenarios)
        self.redactor = Unredacted(())
        self.head, self.left_out = head, left_out
