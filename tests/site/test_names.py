"""Everything that has a name can be linked to, on the built site: generators pass over what is undocumented in silence."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from mkdocstrings import Inventory
from website.command_page import anchor, commands, options

from labs_mock import errors, pytest_plugin, testing
from labs_mock.cli.main import COMMANDS, main
from labs_mock.config.fault_entry import KINDS as FAULT_KINDS
from labs_mock.config.settings import SETTINGS
from labs_mock.contract.clauses import CLAUSES
from labs_mock.contract.dataset_status import DATASET_STATUSES
from labs_mock.contract.findings import KINDS, RUN_KINDS
from labs_mock.contract.operations import OPERATIONS
from labs_mock.http.control.operations import CONTROL_OPERATIONS
from labs_mock.pytest_plugin.options import OPTIONS
from labs_mock.testing.drills.cases import BY_NAME
from labs_mock.testing.verdicts.reward_labels import LABELS
from tests.site.built_site import BuiltSite

pytestmark = pytest.mark.slow

OF_THE_MOCK = ("from_json", "from_record")  # how it makes what it returns; nobody else calls them
ERRORS = ("LabsMockError", "SettingsError", "ScenarioError", "StartError", "SessionError", "Problem")
EXAMPLES: dict[type, Any] = {  # of classes that set attributes when they are made
    testing.LabsMock: testing.LabsMock(),
    errors.ScenarioError: errors.ScenarioError([]),
}

NAMES: dict[str, list[str]] = {
    "findings": [*KINDS, *RUN_KINDS],
    "faults": [*FAULT_KINDS],
    "drills": [*BY_NAME],
    "verdicts": [rule.name for rule in LABELS],
    "datasets": [*DATASET_STATUSES],
    "pytest": [option.name for option in OPTIONS],
    "http/labs-api": [operation.name for operation in OPERATIONS],
    "http/control-plane": [operation.name for operation in CONTROL_OPERATIONS],
    "api/pytest-plugin": ["marker"],
    "settings": [setting.name for setting in SETTINGS],
    "command-line": [*COMMANDS],
    "commands": [anchor(name, option) for name, command in commands(main) for option in (None, *options(command))],
}
"""For each page what it must have an anchor for."""


def members(kind: Any) -> Iterator[str]:
    """The public members of a class that are our own: methods, properties, fields, and what its objects have."""
    for base in inspect.getmro(kind):
        if base.__module__.startswith("labs_mock"):
            yield from (*vars(base), *getattr(base, "__annotations__", ()))
    yield from vars(EXAMPLES[kind]) if kind in EXAMPLES else ()


def python_names() -> Iterator[str]:
    """All names of Python, as users import them."""
    public = [("labs_mock.testing", testing, testing.__all__), ("labs_mock.errors", errors, ERRORS)]
    for module, found, names in public:
        for name in names:
            yield f"{module}.{name}"
            if inspect.isclass(getattr(found, name)):
                shown = {one for one in members(getattr(found, name)) if not one.startswith("_")}
                yield from sorted(f"{module}.{name}.{one}" for one in shown.difference(OF_THE_MOCK))
    for name in pytest_plugin.__all__:
        if name.startswith(("labs_mock", "LabsMock")):
            yield f"labs_mock.pytest_plugin.{name}"


def without_anchor(names: Iterable[str], ids: set[str]) -> list[str]:
    """The names that are none of the ids."""
    return sorted(set(names) - ids)


@pytest.mark.parametrize("page", NAMES)
def test_everything_named_has_an_anchor(site: BuiltSite, page: str) -> None:
    """Findings, kinds of faults, cases, labels, statuses, settings, commands, options and operations: `findings/#unknown_field` leads to its place."""
    assert len(NAMES[page]) == len(set(NAMES[page])) or page == "findings"
    assert without_anchor(NAMES[page], site.ids(page)) == []


def test_every_clause_has_an_anchor(site: BuiltSite) -> None:
    """A heading of its own, to which the pages of operations link."""
    linked = {address for page in ("http/labs-api", "http/control-plane") for address in site.links(page)}
    prefix = "../../fidelity/#"
    assert any(address.startswith(prefix) for address in linked)
    begun = {anchor.lower() for anchor in site.ids("fidelity")}
    assert [
        one.name for one in CLAUSES if not any(f"{anchor}-".startswith(f"{one.name.lower()}-") for anchor in begun)
    ] == []


def test_every_python_name_is_in_the_inventory(site: BuiltSite) -> None:
    """All that `labs_mock.testing` exports, fixtures and exceptions, with public members, in `objects.inv` and at its address."""
    with (site.folder / "objects.inv").open("rb") as file:
        inventory = Inventory.parse_sphinx(file)
    names = list(python_names())
    assert len(names) > 200
    assert without_anchor(names, set(inventory)) == []
    addresses = [inventory[name].uri.replace("$", name) for name in names]
    assert [wrong for address in addresses if (wrong := site.missing("index.html", address))] == []


def test_what_has_no_anchor_is_named(site: BuiltSite) -> None:
    """The check of names sees one that nobody documents."""
    assert without_anchor(["unknown_field", "undocumented"], site.ids("findings")) == ["undocumented"]
