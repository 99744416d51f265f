"""The one table of options: of `labs-mock conformance`, and with `labs-mock-conformance` before their names of pytest.

Nothing else is imported here but the standard library: the pytest plugin of every test run reads it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from labs_mock.extras import to_install


def count(text: str) -> int:
    """A whole number above 0. Raises `ValueError` for anything else."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


@dataclass(frozen=True, slots=True)
class Option:
    """A row of the table; `field` is the parameter that its value is for, `variable` its name in the environment.

    No run takes place without one that is `needed`.
    """

    name: str
    field: str
    help: str
    kind: Callable[[str], Any] = str
    default: str | int | bool | None = None
    several: bool = False
    choices: tuple[str, ...] = ()
    variable: str = ""
    needed: bool = False
    metavar: str | None = None

    @property
    def flag(self) -> bool:
        """Whether it takes no value."""
        return self.kind is bool


EXTRA = ("httpx", "hypothesis", "jinja2", "pytest")
"""What the suite imports that only the extra installs."""


def missing_extra() -> str:
    """What to install, where any of it is missing; empty where nothing is."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    return f"{missing[0]} is not installed; {to_install('conformance')}" if missing else ""


PROFILES = ("quick", "standard", "thorough")
FILES = ("json", "html")  # the options that name files of reports

OPTIONS = (
    Option("api-key", "api_key", "the key to send requests with", variable="LABS_API_KEY", needed=True),
    Option(
        "second-api-key",
        "second_api_key",
        "the key of another organisation, best with fewer subscriptions",
        variable="LABS_SECOND_API_KEY",
    ),
    Option("collection", "collections", "check this collection only; may be given again", several=True),
    Option("scenario", "scenarios", "check this scenario only, a slug or <collection>/<slug>", several=True),
    Option("dataset", "datasets", "id of a training dataset to check; no call lists them", several=True),
    Option(
        "conversations",
        "conversations",
        "file of conversations that earn something, as for /evaluate or as in an export",
        metavar="FILE",
    ),
    Option("profile", "profile", "how many examples are tried", default="quick", choices=PROFILES),
    Option("max-requests", "max_requests", "never send more requests than this", count),
    Option(
        "allow-incomplete",
        "allow_incomplete",
        "pass if what was checked holds, though not all was finished",
        bool,
        default=False,
    ),
    Option("strict", "strict", "fail also where the server differs from what is only inferred", bool, default=False),
    Option("seed", "seed", "the seed of the examples", int, default=0),
    Option("json", "json", "write the report as JSON; - is standard output", metavar="FILE"),
    Option("html", "html", "write the report as one HTML page; - is standard output", metavar="FILE"),
)
URL = Option("url", "url", "the server to check by the contract", variable="LABS_URL", needed=True)


def name_for_pytest(option: Option) -> str:
    """The name of an option for pytest, for instance `--labs-mock-conformance-api-key`."""
    return f"--labs-mock-conformance-{option.name}"


def _dest(option: Option) -> str:
    return f"labs_mock_conformance_{option.field}"


def _help(option: Option) -> str:
    known = [option.variable] * bool(option.variable) + [f"default: {option.default}"] * (option.default is not None)
    return option.help + (f" [{'; '.join(known)}]" if known and not option.flag else "")


def add_to_pytest(parser: Any) -> None:
    """Add the options to pytest's parser."""
    group = parser.getgroup("labs-mock-conformance", "labs-mock: options of pytest --pyargs labs_mock.conformance")
    for option in (URL, *OPTIONS):
        settings: dict[str, Any] = {"dest": _dest(option), "help": _help(option)}
        if option.flag:
            settings |= {"action": "store_true"}
        else:
            settings |= {"action": "append" if option.several else "store", "type": option.kind}
            settings |= {"default": option.default, "metavar": option.metavar}
        if option.choices:
            settings |= {"choices": option.choices}
        group.addoption(name_for_pytest(option), **settings)


def values_from_pytest(config: Any, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The values of pytest's options by field. Raises `ValueError` where the server or the key is missing."""
    values: dict[str, Any] = {}
    for option in (URL, *OPTIONS):
        value = config.getoption(_dest(option))
        value = environment.get(option.variable) or None if value is None and option.variable else value
        if value is None and option.needed:
            raise ValueError(f"{name_for_pytest(option)} or {option.variable} is needed: {option.help}")
        values[option.field] = value or () if option.several else value
    return values
