"""Other mock servers, each with a stub of `POST /api/v1/evaluate` that matches key and body, against ours in the same run.

They are installed into `.peers` beside this file, which git ignores, and are warmed for a minute. The stubs answer what
labs-mock answers to the first request, but for Prism, which has the example of the OpenAPI document.
"""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import orjson

from benchmarks.client import Client
from benchmarks.figures import Figure, NotMeasured, ratio
from benchmarks.load import load
from benchmarks.servers import LABS_MOCK, listening, running
from benchmarks.templates import CLAIM, SHORT, evaluations, fresh
from labs_mock import __version__
from labs_mock.contract.openapi import openapi_text

INSTALLED = Path(__file__).with_name(".peers")
PATH, KEY = "/api/v1/evaluate", "Bearer lab_local"
WARM, ROUNDS, SECONDS = 60, 5, 3


class Peer(NamedTuple):
    """A package of a registry with a version, what it needs, and the command that serves stubs of a folder on a port."""

    package: str
    needs: tuple[str, ...]
    command: Callable[[Path, int], tuple[str, ...]]


WIREMOCK = Peer(
    "wiremock@3.13.2",
    ("npm", "java"),
    lambda folder, port: (
        *("java", "-jar", *map(str, INSTALLED.glob("node_modules/wiremock/build/*.jar"))),
        *("--port", str(port), "--root-dir", str(folder), "--disable-banner"),
    ),
)
PRISM = Peer(
    "@stoplight/prism-cli@5.14.2",  # the newest for Node 20
    ("npm", "node"),
    lambda folder, port: (
        *("node", str(INSTALLED / "node_modules/.bin/prism"), "mock", str(folder / "openapi.json")),
        *("--host", "127.0.0.1", "--port", str(port), "--verboseLevel", "fatal"),
    ),
)
HTTPSERVER = Peer(
    "pytest-httpserver==1.1.5",
    (),
    lambda folder, port: (
        sys.executable,
        "-m",
        "benchmarks.stub",
        str(INSTALLED),
        str(folder / "answer.json"),
        str(port),
    ),
)


class Rate(NamedTuple):
    """Our requests a second as a multiple of a peer's."""

    rate: Figure


def wiremock() -> Rate:
    """WireMock, with its default journal of all requests."""
    return _against(WIREMOCK)


def prism() -> Rate:
    """Prism, from our OpenAPI document."""
    return _against(PRISM)


def httpserver() -> Rate:
    """pytest-httpserver, which logs nothing here."""
    return _against(HTTPSERVER)


def _against(peer: Peer) -> Rate:
    """Measure in alternating rounds."""
    _install(peer)
    templates = evaluations(SHORT)
    ours, others = [], []
    with TemporaryDirectory() as name, running(*LABS_MOCK) as server:
        with Client(server.port, 1) as client:
            (answer,) = client.send([next(fresh(templates))])
        _write_stubs(Path(name), answer)
        port = _free_port()
        with listening(port, *peer.command(Path(name), port)):
            _check(port)
            load(port, templates, seconds=WARM)
            load(server.port, templates)
            for _ in range(ROUNDS):
                others.append(load(port, templates, seconds=SECONDS).rate)
                ours.append(load(server.port, templates, seconds=SECONDS).rate)
    return Rate(ratio(ours, others, "requests/s"))


def _install(peer: Peer) -> None:
    """Install a package, if it is not. Raises `NotMeasured` if that fails, or if a program that it needs is missing."""
    if missing := [program for program in peer.needs if shutil.which(program) is None]:
        raise NotMeasured(f"{peer.package} needs {' and '.join(missing)}")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(INSTALLED), peer.package]
    pip = [sys.executable, "-m", "uv", "pip", "install", "--target", str(INSTALLED / "python"), peer.package]
    INSTALLED.mkdir(exist_ok=True)
    done = subprocess.run(npm if "npm" in peer.needs else pip, check=False, capture_output=True)
    if done.returncode:
        raise NotMeasured(f"{peer.package} could not be installed")


def _write_stubs(folder: Path, answer: bytes) -> None:
    """What the peers read: the answer, WireMock's mapping, and the OpenAPI document."""
    condition = " && ".join(f"@.{name} == '{value}'" for name, value in CLAIM.items())
    mapping = {
        "request": {
            "method": "POST",
            "urlPath": PATH,
            "headers": {"Authorization": {"equalTo": KEY}},
            "bodyPatterns": [{"matchesJsonPath": f"$[?({condition})]"}],
        },
        "response": {
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "jsonBody": orjson.loads(answer),
        },
    }
    (folder / "mappings").mkdir()
    (folder / "mappings" / "evaluate.json").write_bytes(orjson.dumps(mapping))
    (folder / "answer.json").write_bytes(answer)
    (folder / "openapi.json").write_text(openapi_text(__version__), encoding="utf-8")


def _check(port: int) -> None:
    """Raise `NotMeasured` unless the stub answers what it should, and neither another key nor another body."""
    right = orjson.loads(next(fresh(evaluations(SHORT))).partition(b"\r\n\r\n")[2])
    wrong = {name: value for name, value in right.items() if name != "scenario_slug"}
    for key, body, matches in ((KEY, right, True), (None, right, False), (KEY, wrong, False)):
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Content-Type": "application/json"} | ({"Authorization": key} if key else {})
        connection.request("POST", PATH, orjson.dumps(body), headers)
        status = connection.getresponse().status
        if (status == 200) is not matches:
            raise NotMeasured(f"the stub answers {status} to what {'matches' if matches else 'does not match'}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
