"""A container of the image, made with the programs of Linux: it has its own processes, network and mounts, and is started as its configuration says."""

import json
import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.serving.test_server import eventually

BEGIN = """
ip link set lo up
mount --bind "$ROOT" "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
{mounts}
mount -o remount,bind,ro "$ROOT"
cd "$ROOT"
exec chroot --userspec={user} --groups= "$ROOT" env --ignore-environment --chdir={folder} {command}
"""
"""The first process of a container: its root is read-only, and what it starts is the program of the image, as process 1."""
TEMPORARY = 'mount -t tmpfs tmpfs "$ROOT/tmp"'


class Container:
    """A running container: `process` runs the shell that made it, `pid` is its first process as this machine sees it."""

    def __init__(self, root: Path, config: Mapping[str, Any], user: str, environment: Mapping[str, str]) -> None:
        self._root = root
        self._config = config
        self._user = user
        self._environment = dict(word.split("=", 1) for word in config["Env"]) | dict(environment)
        self.process: subprocess.Popen[str] | None = None
        self.pid = 0

    def _words(self, command: Sequence[str]) -> str:
        return shlex.join([*(f"{name}={value}" for name, value in self._environment.items()), *command])

    def start(self, arguments: Sequence[str], mounts: Sequence[str]) -> None:
        """Start the program of the image with some arguments, or else its own."""
        command = [*self._config["Entrypoint"], *(arguments or self._config["Cmd"])]
        script = BEGIN.format(
            user=self._user,
            folder=self._config["WorkingDir"],
            mounts="\n".join(mounts),
            command=self._words(command),
        )
        apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child=KILL", "--", "sh", "-euc", script]
        self.process = subprocess.Popen(
            apart,
            env={**os.environ, "ROOT": str(self._root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        assert eventually(lambda: bool(children.read_text("ascii").split())), self.process.communicate()
        self.pid = int(children.read_text("ascii").split()[0])

    def run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its user."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--"]
        shell = (
            f"exec chroot --userspec={self._user} --groups= {shlex.quote(str(self._root))} env --ignore-environment "
        )
        shell += self._words(command)
        return subprocess.run([*inside, "sh", "-c", shell], check=False, capture_output=True, text=True, timeout=60)

    def is_healthy(self) -> bool:
        """Whether the command succeeds by which the image says whether it is."""
        kind, *command = self._config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.run(command).returncode == 0

    def fetch(self, path: str, token: str, body: object = None) -> tuple[int, str]:
        """Status and body of a response, requested in the container, with the image's Python."""
        method, text = ("GET", None) if body is None else ("POST", json.dumps(body))
        port = self._environment.get("LABS_MOCK_PORT", "8765")
        done = self.run(
            [
                "python",
                "-c",
                CLIENT,
                port,
                json.dumps([method, path, text, {"Authorization": f"Bearer {token}", **JSON}]),
            ]
        )
        assert done.returncode == 0, done.stderr
        status, _, content = done.stdout.partition(" ")
        return int(status), content

    def request(self, path: str, token: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON of a response."""
        status, content = self.fetch(path, token, body)
        return status, json.loads(content)

    def output(self) -> str:
        """What it prints until it ends, which it does by itself, with exit code 0."""
        assert self.process is not None
        printed, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, printed
        return printed

    def stop(self) -> int:
        """Send its first process what the image says that stops it; the exit code."""
        assert self.process is not None
        os.kill(self.pid, getattr(signal, self._config.get("StopSignal") or "SIGTERM"))
        self.process.wait(timeout=30)
        return self.process.returncode


JSON = {"Content-Type": "application/json"}
CLIENT = """
import http.client, json, sys
server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
server.request(*json.loads(sys.argv[2]))
response = server.getresponse()
print(response.status, response.read().decode(), end="")
"""


@contextmanager
def started(
    root: Path,
    config: Mapping[str, Any],
    *arguments: str,
    user: str = "",
    mounts: Sequence[str] = (TEMPORARY,),
    environment: Mapping[str, str] | None = None,
    healthy: bool = True,
) -> Iterator[Container]:
    """A container of the image, as its user or another one; if it is to be healthy, once it is."""
    container = Container(root, config, user or config["User"], environment or {})
    container.start(arguments, mounts)
    process = container.process
    assert process is not None
    assert process.stdout is not None
    try:
        if healthy:
            assert eventually(lambda: process.poll() is not None or container.is_healthy())
            assert process.poll() is None, process.communicate()
        yield container
    finally:
        process.kill()  # and with it, by --kill-child, all that runs in the container
        process.wait()
        process.stdout.close()
