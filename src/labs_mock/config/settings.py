"""The one table of settings: environment variables, options, `server.yaml` and documentation come from it.

Precedence: option, environment, `server.yaml`, default.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from labs_mock.clock import Clock
from labs_mock.contract.limits import DEFAULT_PLAN, PLAN_NAMES, PLANS
from labs_mock.errors import SettingsError
from labs_mock.text import closest

PREFIX = "LABS_MOCK_"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table. `parse` takes text or a value of the `kind`, and raises `ValueError` for what is neither.

    One that is not `shown` has no option, since a list of processes would show its value.
    """

    name: str
    kind: type[str] | type[int] | type[bool]
    default: str | int | bool
    help: str
    parse: Callable[[Any], Any]
    shown: bool = True

    @property
    def variable(self) -> str:
        """The environment variable, for instance `LABS_MOCK_PORT`."""
        return PREFIX + self.name.upper()

    @property
    def option(self) -> str:
        """The command line option, for instance `--api-key`; a switch has a second form."""
        name = self.name.replace("_", "-")
        return f"--{name}/--no-{name}" if self.kind is bool else f"--{name}"

    def read(self, value: Any, source: str = "") -> Any:
        """The setting's value. Raises `SettingsError` that names the source (default: the setting) and what is expected."""
        try:
            return self.parse(value)
        except ValueError as error:
            raise SettingsError(f"{source or self.name}: {error}") from None


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
        return Clock.parse(_text(value)).specification
    except SettingsError as error:
        raise ValueError(str(error).removeprefix("clock: ")) from None


def _state(value: Any) -> str:
    if value == "":
        return ""
    try:
        address = urlsplit(value)
        query = parse_qs(address.query, keep_blank_values=True)
        host, _ = address.hostname, address.port
    except (TypeError, ValueError, AttributeError):
        raise ValueError(_STATE) from None
    if ":" in address.netloc.rpartition("@")[0] or "password" in query:
        raise ValueError(
            "expected an address without a password, since lists of processes show it; "
            "put it into the variable LABS_MOCK_STATE_PASSWORD"
        )
    is_file = address.scheme == "unix" and host is None and len(address.path) > 1
    is_host = address.scheme in {"redis", "rediss"} and host and re.fullmatch(r"(/[0-9]*)?", address.path)
    numbers = [number for numbers in query.values() for number in numbers]
    if not (is_file or is_host) or set(query) - {"db"} or not all(map(str.isdecimal, numbers)) or address.fragment:
        raise ValueError(_STATE)
    return str(value)


_STATE = "expected redis://host:port/0, rediss://host:port/0 or unix:///path?db=0, also with user@ before the host"


def _state_name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", value):
        raise ValueError("expected letters, digits, '.', '_' or '-'")
    return value


def _setting(
    default: str | int | bool, text: str, parse: Callable[[Any], Any], *, secret: bool = False, shown: bool = True
) -> Any:
    """A row of the table; the value of a secret is not in the `repr` of the settings."""
    return field(repr=not secret, metadata={"default": default, "help": text, "parse": parse, "shown": shown})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their values. The fields are the rows of the table."""

    scenarios: Path | None = _setting(  # noqa: RUF009  it makes a field, as `field` does
        "", "folder of scenario files; without it, the shipped library", str
    )
    host: str = _setting("127.0.0.1", "address to listen on", _text)
    port: int = _setting(8765, "port to listen on; 0 takes any free one", _whole(0, 65_535))
    api_key: str = _setting("lab_local", "the one API key, where server.yaml lists none", _api_key, secret=True)
    plan: str = _setting(DEFAULT_PLAN, f"plan of that key: {PLAN_NAMES}", _words(*PLANS))
    seed: int = _setting(0, "what ids and all choices at random start from", _whole(0, 2**63 - 1))
    clock: str = _setting("real", "real, frozen, frozen:<ISO time> or x<number>", _clock)
    control: bool = _setting(True, "offer the control plane under /_mock", _switch)
    control_hosts: str = _setting(
        "",
        "names beside loopback by which programs on this machine may call the control plane, comma-separated",
        str,
    )
    control_token: str = _setting(
        "",
        "token for the control plane (Authorization: Bearer): who sends it may use that from anywhere, and then nobody else",
        str,
        secret=True,
    )
    spool: int = _setting(
        1 << 30, "bytes of exported rows kept in unlinked files, so that they are made once", _whole(0, 1 << 40)
    )
    canary: bool = _setting(False, "serve rewards whose last bits identify the conversation (docs/canary.md)", _switch)
    max_body: int = _setting(16 * 1024 * 1024, "largest request body in bytes", _whole(1024, 1 << 30))
    workers: int = _setting(
        1, "processes that serve; more than one share their state (docs/scaling.md)", _whole(1, 256)
    )
    state: str = _setting(
        "", "the Redis that has the state: redis://host:port/0, rediss:// or unix://; without it, memory", _state
    )
    state_name: str = _setting("labs-mock", "the namespace of the state in that Redis", _state_name)
    state_password: str = _setting("", "password of that Redis", str, secret=True, shown=False)
    state_ca: str = _setting(
        "", "file with the certificates that rediss:// trusts; without it, those of the system", str
    )
    state_lifetime: int = _setting(
        604_800, "seconds of real time for which a namespace stays after its last use", _whole(60, 1 << 31)
    )


SETTINGS = tuple(Setting(row.name, type(row.metadata["default"]), **row.metadata) for row in fields(Settings))
_BY_NAME = {setting.name: setting for setting in SETTINGS}


def by_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by their names, from Python code. Raises `SettingsError` for an unknown name or a bad value."""
    for name in values:
        if name not in _BY_NAME:
            raise SettingsError(f"{name}: unknown setting; {_did_you_mean(name)}")
    return {name: _BY_NAME[name].read(value) for name, value in values.items()}


def from_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings from options of the command line, None for each that is absent. Raises `SettingsError` naming the option."""
    present = {name: value for name, value in options.items() if value is not None}
    return {name: _BY_NAME[name].read(value, _BY_NAME[name].option) for name, value in present.items()}


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Settings from `LABS_MOCK_…` variables; an empty one counts as absent.

    Raises `SettingsError` that names the variable: for a bad value, and for a variable that is no setting's.
    """
    known = {setting.variable: setting for setting in SETTINGS}
    present = {
        variable: value
        for variable, value in sorted(environment.items())
        if variable.startswith(PREFIX) and value and not _of_kubernetes(variable, value)
    }
    for variable in present:
        if variable not in known:
            meant = _did_you_mean(variable.removeprefix(PREFIX).lower(), lambda name: _BY_NAME[name].variable)
            raise SettingsError(f"{variable}: unknown variable; {meant}")
    return {known[variable].name: known[variable].read(value, variable) for variable, value in present.items()}


def _did_you_mean(name: str, spelling: Callable[[str], str] = str) -> str:
    close = closest(name, _BY_NAME)
    return f"did you mean {spelling(close)}?" if close else f"expected one of: {', '.join(map(spelling, _BY_NAME))}"


def _of_kubernetes(variable: str, value: str) -> bool:
    """Whether Kubernetes set a variable: it does in every pod beside a service whose name begins with `labs-mock`."""
    return bool(_SERVICE_LINK.fullmatch(variable)) or (variable.endswith("_PORT") and "://" in value)


_SERVICE_LINK = re.compile(r"\w+_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT_[0-9]+_(?:TCP|UDP|SCTP)\w*)")


def check_workers(settings: Settings) -> None:
    """Raises `SettingsError` for several processes without a store that they could share."""
    if settings.workers > 1 and not settings.state:
        raise SettingsError(
            f"workers: several processes need a store that they share; write --workers {settings.workers} "
            "--state redis://localhost:6379/0, or --workers 1"
        )


def settings_from(*sources: Mapping[str, Any]) -> Settings:
    """The settings: for each, the value of the first source that has one, or the default."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        value = next((source[setting.name] for source in sources if setting.name in source), setting.default)
        values[setting.name] = setting.read(value)
    values["scenarios"] = Path(values["scenarios"]) if values["scenarios"] else None
    return Settings(**values)
