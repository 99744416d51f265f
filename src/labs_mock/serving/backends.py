"""Where the server of a `LabsMock` runs: in a thread, in a process of its own, or already."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from labs_mock.errors import StartError

if TYPE_CHECKING:
    from labs_mock.serving.hosting import Host

DEADLINE = 20.0  # seconds for a server to start, or to stop


class Backend(Protocol):
    """A server that can be started and stopped; to stop it twice does no harm."""

    def start(self) -> tuple[str, str]:
        """Its address and its key. Raises `StartError` with what the server said."""

    def stop(self) -> None:
        """Stop it, if it was started here."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that somebody else has started."""

    url: str
    api_key: str

    def start(self) -> tuple[str, str]:
        """What is known of it."""
        return self.url.rstrip("/"), self.api_key

    def stop(self) -> None:
        """It is not ours to stop."""


class InThread:
    """A server in a thread of this process."""

    def __init__(self, folder: str | None, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._host: Host | None = None

    def start(self) -> tuple[str, str]:
        """Load the scenarios, bind a socket, then serve on it."""
        from labs_mock.config.library import load_library, shipped_library
        from labs_mock.serving.hosting import Host, world_of

        library = load_library(Path(self._folder) if self._folder else shipped_library())
        self._host = Host(world_of(library, self._settings))
        self._host.start(DEADLINE)
        return self._host.url, self._host.world.first_key

    def stop(self) -> None:
        """Stop it, and wait until it has."""
        host, self._host = self._host, None
        if host is not None:
            host.stop(DEADLINE)


class InProcess:
    """A server in a process of its own, which ends with this one, however that ends.

    Settings go through its environment, where no list of processes shows them.
    """

    def __init__(self, folder: str | None, settings: dict[str, Any]) -> None:
        self._command = [
            sys.executable,
            "-m",
            "labs_mock",
            "serve",
            "--json",
            "--until-eof",
            *([folder] if folder else []),
        ]
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[str, str]:
        """Start it, and wait for the line that says that it answers. Raises `SettingsError` as a server in a thread does."""
        from labs_mock.config.settings import PREFIX, by_name

        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        environment |= {f"{PREFIX}{name.upper()}": str(value) for name, value in by_name(self._settings).items()}
        pipe = subprocess.PIPE
        with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would fill up
            process = self._process = subprocess.Popen(
                self._command, stdin=pipe, stdout=pipe, stderr=log, env=environment
            )
            line = _first_line(process)
            if line:
                said = json.loads(line)
                return said["url"], said["api_key"]
            process.kill()
            self.stop()
            log.seek(0)
            why = log.read().decode("utf-8", "replace").strip().removeprefix("labs-mock: ")
            raise StartError(f"the server did not start: {why[-2_000:]}")

    def stop(self) -> None:
        """Ask it to stop, and make it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """What it says once it answers; nothing if it ends or takes too long."""
    assert process.stdout is not None
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda stream: lines.append(stream.readline()), args=[process.stdout], daemon=True)
    reader.start()
    reader.join(DEADLINE)
    return lines[0] if lines else b""
