"""What `docs/containers.md` shows, as tests run it."""

import shlex
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from tests.pages import ROOT, blocks

PAGE = ROOT / "docs/containers.md"
IMAGE = "labs-mock"


@dataclass(frozen=True, slots=True)
class DockerRun:
    """A `docker run` of the page: ports, environment, `volume` and `mounts` as lines of a shell, and what follows the image."""

    publish: list[str]
    environment: dict[str, str]
    volume: str
    mounts: list[str]
    arguments: list[str]


def docker_runs(folder: Path) -> list[DockerRun]:
    """All of them, with a folder in the place of `$PWD`. An option that tests do not know is refused."""
    return [_parsed(line, folder) for block in blocks(PAGE) for line in _commands(block.text)]


def _commands(text: str) -> list[str]:
    """The lines with `docker run`, each with the variables before it."""
    exported = [line.removeprefix("export ") for line in text.splitlines() if line.startswith("export ")]
    return [" ".join([*exported, line]) for line in text.splitlines() if line.startswith("docker run ")]


def _parsed(line: str, folder: Path) -> DockerRun:
    before, _, after = line.partition("docker run ")
    exported = dict(word.split("=", 1) for word in before.split())
    parser = ArgumentParser(allow_abbrev=False)
    parser.add_argument("--rm", action="store_true", required=True)
    parser.add_argument("--read-only", action="store_true")
    for option in ("--publish", "--env", "--tmpfs", "--volume"):
        parser.add_argument(option, action="append", default=[])
    words = shlex.split(after.replace("$PWD", str(folder)))
    options = parser.parse_args(words[: words.index(IMAGE)])
    mounts = [f'mount -t tmpfs tmpfs "$ROOT{path}"' for path in options.tmpfs]
    for volume in options.volume:
        source, target, access = volume.split(":")
        assert access == "ro"
        mounts.append(f'mount --bind -o ro {shlex.quote(source)} "$ROOT{target}"')
    environment = {name: exported[name] for name in options.env}
    volume = "".join(options.volume)
    return DockerRun(options.publish, environment, volume, mounts, words[words.index(IMAGE) + 1 :])
