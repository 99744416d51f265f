"""What `labs-mock init` writes: sets of files, each a folder of `starter/` in the package."""

from dataclasses import dataclass
from pathlib import Path

import labs_mock
from labs_mock.config.printing import KINDS, schema_text

FOLDER = Path(labs_mock.__file__).parent / "starter"
CACHE = "__pycache__"  # where pip compiles the Python files of a set


@dataclass(frozen=True, slots=True)
class StarterSet:
    """A row of the table: what is written, and the next commands, in which `{folder}` is where.

    `packages` are what its files import besides. `option` is whether its name is an option; the other set is the default.
    """

    help: str
    next: tuple[str, ...]
    packages: tuple[str, ...] = ()
    option: bool = True


STARTER_SETS = {
    "scenarios": StarterSet(
        "a first scenario, a server.yaml and the schemas for an editor",
        ("labs-mock validate {folder}", "labs-mock serve {folder}"),
        option=False,
    ),
    "pytest": StarterSet(
        "a client of the API and tests of it, which run as they are",
        ("pytest {folder}",),
        ("httpx", "pytest", "time-machine"),
    ),
    "ci": StarterSet(
        "the tests of a project in GitHub Actions and in GitLab CI, where pytest starts labs-mock",
        ("git add {folder}",),
    ),
    "compose": StarterSet(
        "a compose file with a trainer beside labs-mock",
        ("docker compose --project-directory {folder} up --abort-on-container-exit --exit-code-from trainer",),
    ),
}
"""Each is the folder of its name, and all that is in it."""


def starter_files(name: str) -> dict[str, str]:
    """The files of a set, by their paths in the folder that is made, sorted."""
    folder = FOLDER / name
    paths = [path for path in folder.rglob("*") if path.is_file() and CACHE not in path.parts]
    found = {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    if name == "scenarios":
        found |= {f".schema/{kind}.json": schema_text(kind) for kind in KINDS}
    return dict(sorted(found.items()))
