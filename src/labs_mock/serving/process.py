"""A server in a process of its own."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any

from labs_mock.errors import StartError

DEADLINE = 60.0  # seconds for a server to start, or to stop


class ServerProcess:
    """A server in a process of its own, which ends when this process ends, however that ends.

    Settings go into its environment, since a list of processes would show its options. Its state is in memory unless they name a
    store, whatever `server.yaml` says. If they do, and no namespace, it has one of its own, which goes when it stops.
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
        self._environment: dict[str, str] = {}
        self._namespace = ""  # its own

    def start(self) -> tuple[str, str]:
        """Start it, and wait until it responds; its base URL and its key.

        Raises `SettingsError` as a server in a thread does, and `StartError` with the end of its standard error.
        """
        from labs_mock.config.settings import PREFIX, by_name
        from labs_mock.serving.own_namespace import LIFETIME, own_namespace, with_access

        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        named = by_name(with_access(self._settings))
        if named.get("state") and "state_name" not in named:
            self._namespace = own_namespace(named)
            named = {"state_lifetime": LIFETIME, **named, "state_name": self._namespace}
        environment |= {f"{PREFIX}{name.upper()}": str(value) for name, value in named.items()}
        self._environment = environment
        own = [] if named.get("state") else ["--state", "", "--workers", f"{named.get('workers', 1)}"]
        pipe = subprocess.PIPE
        with tempfile.TemporaryFile() as log:  # a pipe that nobody reads would fill up
            # A Ctrl-C at the terminal is for the program that started it, which stops it when it is done with it.
            process = self._process = subprocess.Popen(
                [*self._command, *own],
                stdin=pipe,
                stdout=pipe,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
            line = _first_line(process)
            if line:
                started = json.loads(line)
                return started["url"], started["api_key"]
            process.kill()
            self.stop()
            log.seek(0)
            why = log.read().decode("utf-8", "replace").strip().removeprefix("labs-mock: ")
            raise StartError(f"the server did not start: {why[-2_000:]}")

    def stop(self) -> None:
        """Terminate it, and kill it if that takes too long. To stop it twice does no harm."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if self._namespace:
            drop = [sys.executable, "-m", "labs_mock", "state", "drop", self._namespace]
            subprocess.run(drop, env=self._environment, capture_output=True, check=False, timeout=DEADLINE)


def _first_line(process: subprocess.Popen[bytes]) -> bytes:
    """The line that it prints once it responds; nothing if it ends or takes too long."""
    assert process.stdout is not None
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda stream: lines.append(stream.readline()), args=[process.stdout], daemon=True)
    reader.start()
    reader.join(DEADLINE)
    return lines[0] if lines else b""
