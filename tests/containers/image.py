"""The image, built by buildah without a registry: its base is made of this machine's Debian packages, its wheels come from a folder.

The base has the name that the `Containerfile` gives it, and nothing is pulled. It differs from the official image in two ways:
it has Debian's Python, and a little more of Debian. Chroot isolation needs nothing but root.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from tests.installing import ROOT

FILE = ROOT / "Containerfile"
TOOLS = ("buildah", "mmdebstrap", "unshare", "nsenter", "ip", "apt-get")
CANNOT = "an image is built on Debian, by root, with: apt-get install buildah mmdebstrap iproute2"
SOURCE = "https://labs.example/labs-mock"
MARK = "a-word-that-is-nowhere-but-in-the-secret"
PACKAGES = "python3-minimal,python3-venv"
LEFT_OUT = ("doc", "man", "locale")  # of /usr/share, as in the official image; fewer files to copy
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEADLINE = 600.0  # seconds for one command; all of them together take about a minute


def can_build() -> bool:
    """Whether this machine can build the image."""
    return sys.platform == "linux" and os.geteuid() == 0 and all(map(shutil.which, TOOLS)) and bool(sources())


def run(*command: str, cwd: Path = ROOT) -> str:
    """What a command prints. Raises `AssertionError` with all of it if it fails."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=DEADLINE, cwd=cwd)
    assert done.returncode == 0, f"{command}: {done.stdout[-4_000:]}{done.stderr[-4_000:]}"
    return done.stdout


def sources() -> list[str]:
    """Where this machine has its Debian packages from."""
    form = "deb $(SITE) $(RELEASE) $(COMPONENT)"
    wanted = ("Created-By: Packages", "Origin: Debian", "Component: main")
    return sorted({*run("apt-get", "indextargets", "--format", form, *wanted).splitlines()})


def base_name() -> str:
    """The image that the `Containerfile` begins from."""
    (name,) = re.findall(r"^ARG PYTHON=(.*)$", FILE.read_text("utf-8"), re.MULTILINE)
    return str(name)


class Builder:
    """buildah, with images in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._command = (
            "buildah",
            f"--root={folder / 'images'}",
            f"--runroot={folder / 'run'}",
            "--storage-driver=vfs",
        )

    def __call__(self, *arguments: str) -> str:
        """What buildah prints."""
        return run(*self._command, *arguments).strip()

    def make_base(self) -> str:
        """Tag a small Debian with Python as what the `Containerfile` begins from; the full version of its Python."""
        (suite,) = re.findall(r"^VERSION_CODENAME=(.*)$", Path("/etc/os-release").read_text("utf-8"), re.MULTILINE)
        (self.folder / "sources.list").write_text("\n".join([*sources(), ""]), "utf-8")
        container = self("from", "scratch")
        root = self("mount", container)
        options = [f"--dpkgopt=path-exclude=/usr/share/{part}/*" for part in LEFT_OUT]
        options += ["--dpkgopt=force-unsafe-io", f"--keyring={KEYS}", f"--include={PACKAGES}"]
        run("mmdebstrap", "--mode=root", "--variant=apt", *options, suite, root, str(self.folder / "sources.list"))
        version = run("chroot", root, "python3", "-c", "import platform; print(platform.python_version())").strip()
        self("commit", "--rm", "--quiet", container, base_name())
        return version

    def build(self, wheels: Path) -> None:
        """Build the image as `labs-mock`, with a secret file for pip that names nothing but a folder of wheels."""
        secret = self.folder / "pip.conf"
        secret.write_text(f"# {MARK}\n[global]\nno-index = true\nfind-links = /wheels\n", "utf-8")
        options = ["--format=docker", "--isolation=chroot", "--pull-never", f"--volume={wheels}:/wheels:ro"]
        options += [f"--secret=id=pip,src={secret}", f"--build-arg=SOURCE={SOURCE}", "--tag=labs-mock"]
        self("build", *options, f"--file={FILE}", str(ROOT))

    def config(self) -> dict[str, Any]:
        """What the image says about how it is run."""
        found: dict[str, Any] = json.loads(self("inspect", "--type=image", "labs-mock"))["Docker"]["config"]
        return found

    def description(self) -> str:
        """All that the image says about itself, its history included."""
        return self("inspect", "--type=image", "labs-mock")

    @contextmanager
    def root_of(self, image: str) -> Iterator[Path]:
        """The files of a new container."""
        container = self("from", "--pull-never", image)
        try:
            yield Path(self("mount", container))
        finally:
            self("rm", container)


def download(folder: Path, version: str) -> Path:
    """A folder with the locked wheels of what builds labs-mock and of what it needs, fetched as this machine fetches packages.

    `pip` reads the conditions in metadata for the Python that runs it. So it is told by name what is locked for another one alone.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    needed += project["project"]["optional-dependencies"]["redis"]
    of_base_alone = []
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        locked = Requirement(line)
        base = {"python_full_version": version, "python_version": version.rpartition(".")[0]}
        if locked.marker and locked.marker.evaluate(base) and not locked.marker.evaluate():
            of_base_alone.append(line.partition(";")[0].strip())
    wheels = folder / "wheels"
    options = ("--quiet", "--only-binary=:all:", f"--python-version={version}", f"--dest={wheels}")
    constraints = f"--constraint={ROOT / 'constraints.txt'}"
    run(sys.executable, "-m", "venv", str(folder / "tools"))  # this environment may have no pip
    pip = str(folder / "tools/bin/pip")
    run(pip, "download", *options, constraints, *needed)
    if of_base_alone:
        run(pip, "download", *options, "--no-deps", *of_base_alone)
    return wheels
