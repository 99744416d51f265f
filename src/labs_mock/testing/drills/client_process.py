"""The process of one case in which the user's function is called."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from labs_mock.errors import LabsMockError
from labs_mock.testing.drills.drilled_function import DrilledFunction

MAIN = Path(__file__).with_name("client_main.py")

IMPORT_DEADLINE = 120.0  # seconds for the user's module to be imported


class ClientProcess:
    """A process that imports a function, calls it on command, and is gone when the block ends.

    What the function prints, standard error too, goes to a file that nobody reads unless the process ends by itself.
    """

    def __init__(self, function: DrilledFunction, url: str, key: str) -> None:
        self._function, self._url, self._key = function, url, key
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process

    def __enter__(self) -> Self:
        named = {"LABS_URL": self._url, "LABS_API_KEY": self._key, "LABS_KEY": self._key}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(MAIN)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **named, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # so that what it starts ends with it
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._process.communicate()
        self._log.close()

    def get_ready(self) -> None:
        """Wait until the function is imported. Raises `LabsMockError` with the reason if it cannot be."""
        self._tell({"module": self._function.module, "name": self._function.name, "sys_path": sys.path})
        answer = self._answer(IMPORT_DEADLINE)
        if answer is None:
            why = self._last_words() or f"it is not imported after {IMPORT_DEADLINE:.0f} s"
            raise LabsMockError(f"{self._function}: {why}")
        if "failed" in answer:
            raise LabsMockError(f"{self._function}: cannot import {self._function.module}: {answer['failed']}")

    def call(self, arguments: list[Any], clock: dict[str, float], deadline: float) -> dict[str, Any] | None:
        """What the function does: what it `returned` or `raised`, `ended` if the process ends, None after the deadline in seconds."""
        values = {"url": self._url, "key": self._key}
        named = {name: values[name] for name in self._function.named}
        self._tell({"arguments": arguments, "named": named, "clock": clock})
        late = threading.Event()
        answer = self._answer(deadline, late)
        return answer if answer is not None or late.is_set() else {"ended": self._last_words()}

    def _tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which the answer shows
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, deadline: float, late: threading.Event | None = None) -> dict[str, Any] | None:
        """The next line of the process; None if it ends, or is ended after the deadline, which sets `late`."""
        assert self._process.stdout is not None

        def end() -> None:
            if late is not None:
                late.set()
            self._end()

        timer = threading.Timer(deadline, end)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        answer: dict[str, Any] | None = json.loads(line) if line else None
        return answer

    def _end(self) -> None:
        """End it, and on systems that can do so what it has started."""
        with suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        """The last line that it wrote, or its exit code."""
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:200] if lines else f"exit code {code}"
