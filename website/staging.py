"""The folder from which the site is built: pages of the repository with links as the site has them, and pages that are made."""

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from markdown.extensions.toc import slugify

from labs_mock import __version__
from labs_mock.cli.main import main
from labs_mock.contract.openapi import openapi_text
from labs_mock.http.control.openapi import control_openapi_text
from website.command_page import command_page
from website.links import with_links, with_pictures
from website.operation_pages import operation_page

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
BESIDES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Pages of the repository outside `docs/`, and their places on the site; those of the examples follow from their folders."""
COMMANDS = "commands.md"
"""The place of the page of all commands and options."""
DOCUMENTS: dict[str, tuple[str, Callable[[], str]]] = {
    "http/labs-api": ("The API, call by call", partial(openapi_text, __version__)),
    "http/control-plane": ("The control plane, call by call", partial(control_openapi_text, "/_mock")),
}
"""Pages about OpenAPI documents, each with its title and the text of the document, which stands beside it as a file."""
_LINK = """
[[project.extra.social]]
icon = "lucide/git-branch"
link = {}
name = "Repository"
"""
_CLAUSE = re.compile(r"^#+ ([A-Z]+-\d+)\b.*$", re.MULTILINE)


def stage(folder: Path) -> Path:
    """Write the configuration and all pages into an empty folder; returns the configuration."""
    target = folder / "docs"
    target.mkdir(parents=True)
    places = site_places()
    for source, place in places.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = with_pictures((ROOT / source).read_text(encoding="utf-8"))
            path.write_text(with_links(text, source, places, repository()), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / source, path)
    shutil.copytree(HERE / "pages", target, dirs_exist_ok=True)
    (target / COMMANDS).write_text(command_page(main), encoding="utf-8")
    for place, (title, document) in DOCUMENTS.items():
        path = target / f"{place}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(document(), encoding="utf-8")
        page = operation_page(title, path.name, json.loads(document()), clause_addresses())
        path.with_suffix(".md").write_text(page, encoding="utf-8")
    return configuration(folder)


def site_places() -> dict[str, str]:
    """For each file of the repository that is on the site its place there, both as paths from the top."""
    docs = ROOT / "docs"
    found = {f"docs/{name}": name for path in sorted(docs.rglob("*.*")) for name in [path.relative_to(docs).as_posix()]}
    found |= BESIDES
    for pattern in ("README.md", "*/README.md", "*/*/README.md"):  # not those of packages that a test installs there
        for path in sorted((ROOT / "examples").glob(pattern)):
            folder = path.parent.relative_to(ROOT).as_posix()
            found[f"{folder}/README.md"] = f"{folder}/index.md"
    return found


def repository() -> str:
    """The address of the repository, without a slash at its end; empty while there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["tool"].get("labs-mock", {}).get("repository", ""))


def clause_addresses() -> dict[str, str]:
    """For each clause its place on the page about fidelity, from a page in a folder beside it."""
    text = (ROOT / "docs/fidelity.md").read_text(encoding="utf-8")
    return {found[1]: f"../fidelity.md#{slugify(found[0].lstrip('# '), '-')}" for found in _CLAUSE.finditer(text)}


def configuration(folder: Path) -> Path:
    """The configuration, with a link to the repository below each page.

    It is no `repo_url`: with that, pages ask some code hosts for numbers of stars.
    """
    text = (HERE / "zensical.toml").read_text(encoding="utf-8")
    path = folder / "zensical.toml"
    path.write_text(text + (_LINK.format(json.dumps(repository())) if repository() else ""), encoding="utf-8")
    return path
