"""The one table of options: of `labs-mock conformance`, and with `labs-mock-conformance` before their names of pytest.

Nothing but the standard library is imported here: the pytest plugin of every test run reads it.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any


def count(text: str) -> int:
    """A whole number above 0. Raises `ValueError` for anything else."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


@dataclass(frozen=True, slots=True)
class Option:
    """A row of the table; `field` is where its value goes, `variable` what it is read from in the environment.

    Nothing goes without one that is `needed`.
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


EXTRA = ("httpx", "hypothesis", "jinja2", "junitparser", "pytest")
"""What the suite imports that is not there without the extra."""


def missing_extra() -> str:
    """What to install, where any of it is missing; empty where nothing is."""
    missing = [name for name in EXTRA if find_spec(name) is None]
    return (
        f"{missing[0]} is not installed; pip install 'labs-mock[conformance]', or in a checkout '.[conformance]'"
        if missing
        else ""
    )


PROFILES = ("quick", "standard", "thorough")
FILES = ("json", "junit", "html")  # the options that name reports
PASSING = ("strict", "allow_incomplete")  # and those that say what a run is that has passed

OPTIONS = (
    Option("api-key", "api_key", "the key to ask with", variable="LABS_API_KEY", needed=True),
    Option(
        "second-api-key",
        "second_api_key",
        "the key of another organisation, best with fewer subscriptions",
        variable="LABS_SECOND_API_KEY",
    ),
    Option("collection", "collections", "judge this collection only; may be given again", several=True),
    Option("scenario", "scenarios", "judge this scenario only, a slug or <collection>/<slug>", several=True),
    Option("dataset", "datasets", "id of a training dataset to judge; no call lists them", several=True),
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
        "pass where what was judged holds, though not all of it was finished",
        bool,
        default=False,
    ),
    Option("strict", "strict", "fail where the server differs from what is only inferred, too", bool, default=False),
    Option("seed", "seed", "where the examples start from", int, default=0),
    Option("json", "json", "write the report as JSON; - is standard output", metavar="FILE"),
    Option("junit", "junit", "write the report as JUnit XML; - is standard output", metavar="FILE"),
    Option("html", "html", "write the report as one HTML page; - is standard output", metavar="FILE"),
)
URL = Option("url", "url", "the server to judge by the contract", variable="LABS_URL", needed=True)


def of_pytest(option: Option) -> str:
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
        given: dict[str, Any] = {"dest": _dest(option), "help": _help(option)}
        if option.flag:
            given |= {"action": "store_true"}
        else:
            given |= {"action": "append" if option.several else "store", "type": option.kind}
            given |= {"default": option.default, "metavar": option.metavar}
        if option.choices:
            given |= {"choices": option.choices}
        group.addoption(of_pytest(option), **given)


def given_to_pytest(config: Any, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What pytest was given, by field. Raises `ValueError` where the server or the key is missing."""
    asked: dict[str, Any] = {}
    for option in (URL, *OPTIONS):
        value = config.getoption(_dest(option))
        value = environment.get(option.variable) or None if value is None and option.variable else value
        if value is None and option.needed:
            raise ValueError(f"{of_pytest(option)} or {option.variable} is needed: {option.help}")
        asked[option.field] = value or () if option.several else value
    return asked
