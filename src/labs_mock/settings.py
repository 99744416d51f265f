"""The one table of settings: environment variables, options, `server.yaml` and documentation come from it.

Precedence: option, environment, `server.yaml`, default.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from labs_mock.clock import Clock
from labs_mock.errors import SettingsError

PREFIX = "LABS_MOCK_"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table. `parse` takes text or a value of the type and raises `ValueError` for others."""

    name: str
    kind: type[str] | type[int] | type[bool]
    default: str | int | bool
    help: str
    parse: Callable[[Any], Any]

    @property
    def variable(self) -> str:
        """The environment variable, for instance `LABS_MOCK_PORT`."""
        return PREFIX + self.name.upper()

    @property
    def option(self) -> str:
        """The command line option, for instance `--api-key`; a switch has a second form."""
        name = self.name.replace("_", "-")
        return f"--{name}/--no-{name}" if self.kind is bool else f"--{name}"

    def read(self, value: Any) -> Any:
        """The setting's value. Raises `SettingsError` that names the setting and says what to give."""
        try:
            return self.parse(value)
        except ValueError as error:
            raise SettingsError(f"{self.name}: {error}") from None


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = value
        if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,20}\s*", value):
            number = int(value)
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return number

    return parse


def _words(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError(f"expected one of: {', '.join(choices)}")
        return str(value)

    return parse


def _switch(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _SWITCH:
        raise ValueError(f"expected one of: {', '.join(_SWITCH)}")
    return _SWITCH[word]


_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected text")
    return value


def _api_key(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"lab_[A-Za-z0-9_-]{1,196}", value):
        raise ValueError("expected lab_ followed by letters, digits, '_' or '-'")
    return value


def _clock(value: Any) -> str:
    try:
        return Clock(_text(value)).specification
    except SettingsError as error:
        raise ValueError(str(error).removeprefix("clock: ")) from None


SETTINGS = (
    Setting("scenarios", str, "", "folder of scenario files; without it, the shipped library", str),
    Setting("host", str, "127.0.0.1", "address to listen on", _text),
    Setting("port", int, 8765, "port to listen on; 0 takes any free one", _whole(0, 65_535)),
    Setting("api_key", str, "lab_local", "the one API key, where server.yaml lists none", _api_key),
    Setting(
        "plan",
        str,
        "enterprise",
        "plan of that key: standard, premium or enterprise",
        _words("standard", "premium", "enterprise"),
    ),
    Setting("seed", int, 0, "where ids and draws start from", _whole(0, 2**63 - 1)),
    Setting("clock", str, "real", "real, frozen, frozen:<ISO time> or x<number>", _clock),
    Setting("control", bool, True, "offer the control plane under /_mock", _switch),
    Setting("control_hosts", str, "", "hosts beside loopback that the control plane answers, comma-separated", str),
    Setting("control_token", str, "", "token that the control plane wants as Authorization: Bearer", str),
    Setting(
        "spool",
        int,
        1 << 30,
        "bytes of exported rows kept in unlinked files, so that they are made once",
        _whole(0, 1 << 40),
    ),
    Setting("max_body", int, 16 * 1024 * 1024, "largest request body in bytes", _whole(1024, 1 << 30)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their values; the fields are the rows of the table."""

    scenarios: Path | None
    host: str
    port: int
    api_key: str = field(repr=False)
    plan: str
    seed: int
    clock: str
    control: bool
    control_hosts: str
    control_token: str = field(repr=False)
    spool: int
    max_body: int


def given(options: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """What options (those that are not None) and environment say, options first. Raises `SettingsError`."""
    unknown = [name for name in options if name not in {setting.name for setting in SETTINGS}]
    if unknown:
        raise SettingsError(
            f"{unknown[0]}: unknown setting; expected one of: {', '.join(row.name for row in SETTINGS)}"
        )
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        value = options.get(setting.name)
        if value is None and environment.get(setting.variable):
            value = environment[setting.variable]
        if value is not None:
            values[setting.name] = setting.read(value)
    return values


def settings_from(*sources: Mapping[str, Any]) -> Settings:
    """The settings: for each, the value of the first source that has one, or the default."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        value = next((source[setting.name] for source in sources if setting.name in source), setting.default)
        values[setting.name] = setting.read(value)
    values["scenarios"] = Path(values["scenarios"]) if values["scenarios"] else None
    return Settings(**values)


assert [row.name for row in SETTINGS] == [row.name for row in fields(Settings)]
