"""`server.yaml`: any setting of the settings table, and the keys that clients may use."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from labs_mock.clock import parse_instant
from labs_mock.config.fault_entry import FaultEntry, check_fault
from labs_mock.config.settings import SETTINGS
from labs_mock.contract.limits import Plan
from labs_mock.errors import SettingsError
from labs_mock.scenario.files.fields import ApiKey, FileModel, Slug
from labs_mock.scenario.files.paths import Mistake, mappings, texts

ScoreAccess = Literal["full", "scores", "reward"]
"""What of a reward a key sees: everything, no breakdown, or the reward alone (AUTH-3)."""

LOCAL = "local"
"""The organisation of the one key, where the file lists none."""


class KeyTerms(FileModel):
    """A key's name, plan, subscriptions and end: what it may see, how often, and until when (AUTH-1…3, KEY-1, RL-2)."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    plan: Plan | None = None
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    subscriptions: Literal["*"] | list[Slug] = "*"
    score_access: ScoreAccess = "full"
    expires: str | None = None
    revoked: bool = False


class KeyEntry(KeyTerms):
    """A key, its organisation and its terms."""

    key: ApiKey
    organisation: Slug


class ServerFile(FileModel):
    """`server.yaml`: the keys that clients may use, the fault plan of the start, and any setting of the settings table."""

    keys: Annotated[list[KeyEntry], Field(min_length=1)] | None = None
    faults: Annotated[tuple[FaultEntry, ...], Field(strict=False)] = ()

    @property
    def settings(self) -> dict[str, Any]:
        """Those settings that the file has."""
        return {
            setting.name: getattr(self, setting.name) for setting in SETTINGS if setting.name in self.model_fields_set
        }


_SETTINGS: dict[str, Any] = {
    setting.name: (setting.kind, Field(default=setting.default, description=setting.help))
    for setting in SETTINGS
    if setting.name != "scenarios"
}
FullServerFile: type[ServerFile] = create_model("FullServerFile", __base__=ServerFile, **_SETTINGS)
"""The same with a field for every setting, which is what files are read as."""


def check_server(data: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes of a server file that its schema cannot see."""
    for setting in SETTINGS:
        if isinstance(data.get(setting.name), setting.kind):
            try:
                setting.read(data[setting.name])
            except SettingsError as error:
                yield Mistake((setting.name,), str(error))
    yield from _check_each(data, "keys.*", check_terms)
    yield from _check_each(data, "faults.*", check_fault)
    for pattern, what in (("keys.*.key", "the key"), ("faults.*.id", "the id")):
        yield from _duplicates(data, pattern, what)


def secrets_in(text: str) -> Iterator[str]:
    """The keys, the token and the password in the text of a server file, which need not even be YAML, so that they can be masked.

    They are what stands behind `key`, `api_key`, `control_token` or `state_password`, before the `@` of an address, and behind any
    other name what begins like a key.
    """
    for found in _SECRET.finditer(text):
        yield from filter(None, found.groups())


_SECRET = re.compile(
    r"""\b(?:key|api_key|control_token|state_password)["']?\s*:\s*(?:"([^"]+)|'([^']+)|([^\s"',}\]]+))"""
    r"""|://[^\s/@:]*:([^\s@]+)@|[?&]password=([^\s&"']+)|\b(lab_[\w-]+)"""
)


def _duplicates(data: dict[str, Any], pattern: str, what: str) -> Iterator[Mistake]:
    """Texts at a pattern that stand there more than once; they are not shown, since they may be keys."""
    seen: set[str] = set()
    for path, text in texts(data, pattern):
        if text in seen:
            yield Mistake(path, f"{what} stands twice", f"expected {what.split()[1]}s that differ")
        seen.add(text)


def _check_each(
    data: dict[str, Any], pattern: str, check: Callable[[dict[str, Any]], Iterable[Mistake]]
) -> Iterator[Mistake]:
    """The mistakes of each mapping at a pattern, at their places in the file."""
    for path, part in mappings(data, pattern):
        for mistake in check(part):
            yield replace(mistake, path=(*path, *mistake.path))


def check_terms(terms: dict[str, Any]) -> Iterator[Mistake]:
    """All mistakes in the terms of a key that their schema cannot see."""
    if "plan" in terms and "requests_per_minute" in terms:
        yield Mistake(("plan",), "'plan' beside 'requests_per_minute'", "expected one of the two", True)
    for path, expires in texts(terms, "expires"):
        try:
            parse_instant(expires)
        except ValueError:
            yield Mistake(path, "not a time", "expected an ISO 8601 time such as 2026-12-31T00:00:00Z")
