import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from labs_mock.cli.main import COMMANDS
from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.settings import SETTINGS, Setting
from labs_mock.contract.operations import OPERATIONS
from labs_mock.state import World
from tests.pages import EXAMPLES, PAGES, ROOT, Folder, blocks
from tests.support import Live, live, world

README = (ROOT / "README.md").read_text()
SETTINGS_PAGE = (ROOT / "docs/settings.md").read_text()
RUN = [page for page in PAGES if page != ROOT / "README.md"]  # which tests/front_door runs, installation and all
QUICK = ("settings.md", "faults.md")
"""Pages that take a few seconds."""
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library."""
    with live(World(world().settings, load_library(shipped_library()))) as server:
        yield server


@pytest.mark.parametrize(
    "page",
    [page if page.name in QUICK else pytest.param(page, marks=pytest.mark.slow) for page in RUN],
    ids=[page.name for page in RUN],
)
def test_every_block_of_a_page_does_what_it_shows(page: Path, shipped: Live, tmp_path: Path) -> None:
    """The blocks of a page run one after the other in an empty folder, and print what the page says they print."""
    shipped.reset()
    folder = Folder(tmp_path, shipped.url)
    for block in blocks(page):
        try:
            folder.use(block)
        except AssertionError as error:
            raise AssertionError(f"{page.name}:{block.line}: {error}") from error


def test_no_fence_is_overlooked() -> None:
    """Every fence of every page belongs to a block that the tests have seen."""
    for page in PAGES:
        assert page.read_text().count("```") == 2 * len(blocks(page)), page


def test_links_between_pages_lead_somewhere() -> None:
    """Relative links name files of the project, and their anchors headings of those."""
    for page in [*PAGES, ROOT / "examples/README.md", *(folder / "README.md" for folder in EXAMPLES)]:
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            if not target.startswith("https://"):
                path, _, anchor = target.partition("#")
                linked = (page.parent / path) if path else page
                assert linked.exists(), f"{page.name}: {target}"
                headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE) if anchor else []
                slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert not anchor or anchor in slugs, f"{page.name}: {target}"


def row(setting: Setting) -> str:
    """A setting as the table of the page has it."""
    option = "`FOLDER`" if setting.name == "scenarios" else f"`{setting.option.replace('/', '` or `')}`"
    if not setting.shown:
        option = "none"
    default = {True: "on", False: "off"}[setting.default] if setting.kind is bool else str(setting.default)  # type: ignore[index] # a switch has a bool
    return f"| {setting.name} | {option} | `{setting.variable}` | {default} | {setting.help.replace('<', '&lt;')} |"


def test_the_page_lists_every_setting() -> None:
    """The table of `docs/settings.md` is the settings table."""
    table = SETTINGS_PAGE.partition("<!-- settings -->\n")[2].partition("<!-- /settings -->")[0].splitlines()
    assert table[2:] == [row(setting) for setting in SETTINGS]


def test_the_page_lists_every_operation() -> None:
    """Each operation of the contract's table stands in `docs/http-api.md`."""
    page = (ROOT / "docs/http-api.md").read_text()
    for operation in OPERATIONS:
        assert f"| `{operation.method} {operation.full_path}` |" in page


def test_the_page_has_every_command() -> None:
    """Each command has a section in `docs/command-line.md`, and a row of the table that leads to it."""
    page = (ROOT / "docs/command-line.md").read_text()
    for command in COMMANDS:
        assert f"\n## {command}\n" in page
        assert f"[`{command}`](#{command}) |" in page


def test_the_gate_runs_the_readmes_command() -> None:
    """`.ci/run` ends with the command that the README gives for all tests."""
    assert "```sh\nmake test\nmake test-all\n```" in README
    assert (ROOT / ".ci/run").read_text().splitlines()[-1] == "make test-all"


def libraries(extras: dict[str, list[str]], extra: str) -> Iterator[str]:
    """The requirements of an extra, and those of the extras that it names."""
    for requirement in extras[extra]:
        if own := re.fullmatch(r"labs-mock\[(.+)\]", requirement):
            for name in own[1].split(","):
                yield from libraries(extras, name)
        else:
            yield requirement


def test_every_library_has_its_reason() -> None:
    """CONTRIBUTING says why for each dependency of pyproject.toml, and the lock file has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    locks = {
        "constraints.txt": [*project["dependencies"], *libraries(extras, "dev")],
        "constraints-trainers.txt": [*libraries(extras, "trainers")],
    }
    reasons = CONTRIBUTING.lower()
    for lock, requirements in locks.items():
        locked = (ROOT / lock).read_text()
        for name in (requirement.partition(">=")[0] for requirement in requirements):
            assert re.search(rf"^{name}==", locked, re.MULTILINE), f"{name} in {lock}"
            if not name.startswith("types-") and name != "build":
                assert re.search(rf"^\|.*\b{name}\b.*\|", reasons, re.MULTILINE), name


LOCKS = sorted(path.name for path in ROOT.glob("constraints*.txt"))


@pytest.mark.parametrize("name", [*LOCKS, "pyproject.toml", "Makefile", "README.md", "CONTRIBUTING.md"])
def test_no_index_address_is_written_down(name: str) -> None:
    """Project files name packages, never where they are fetched; a folder of wheels that make fills is no such place."""
    text = (ROOT / name).read_text().replace("--find-links $(WHEELS)", "")
    assert not re.search(r"(?<!no-emit-)index-url|(?<!no-emit-)find-links|://[^ )]*/simple", text)


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_for_every_machine(name: str) -> None:
    """A version is one that any index may have, not a build of some machine's own."""
    lines = (ROOT / name).read_text().splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+( ; .+)?", line), line


def test_the_oldest_datasets_that_is_tested_is_the_oldest_that_is_allowed() -> None:
    """`constraints-oldest.txt` has the lower bound of pyproject.toml."""
    trainers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["trainers"]
    (bound,) = (name.replace(">=", "==") for name in trainers if name.startswith("datasets"))
    assert bound in (ROOT / "constraints-oldest.txt").read_text().splitlines()
