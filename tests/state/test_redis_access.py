"""How a real Redis is reached: TLS, passwords, users, and what is said where that does not succeed."""

import asyncio
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from redis import Redis

from labs_mock.errors import SettingsError, StartError
from labs_mock.state.redis.store import RedisStore
from labs_mock.testing import LabsMock
from tests.certificates import certificates
from tests.pages import ROOT
from tests.serving.test_server import ENVIRONMENT, serving
from tests.serving.test_server import run as served
from tests.state.redis_server import MISSING, redis_is_installed, redis_server
from tests.state.samples import commit, initial, record, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

PASSWORD = "a-long-password"
UNTRUSTED = (
    "its certificate is not trusted (self-signed certificate in certificate chain); "
    "put the file with its CA's into state_ca (LABS_MOCK_STATE_CA)"
)
ANOTHER_HOST = (
    "its certificate is that of another host (IP address mismatch, certificate is not valid for '127.0.0.1'); "
    "write the host that it names"
)
PAGE = ROOT / "docs" / "scaling.md"


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a command prints, and its exit code."""
    command = [sys.executable, "-m", "labs_mock", *arguments]
    named = {**ENVIRONMENT, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=named, timeout=60, check=False)


@contextmanager
def redis_with_ports(folder: Path, *options: str) -> Iterator[tuple[int, int]]:
    """The ports of a Redis, with TLS and without. Others are tried if somebody has taken them meanwhile."""
    files = {"cert-file": "server.pem", "key-file": "server.key", "ca-cert-file": "ca.pem"}
    named = [word for name, file in files.items() for word in (f"--tls-{name}", str(folder / file))]
    with ExitStack() as stack:
        for attempt in range(5):
            ports = free_port(), free_port()
            try:
                stack.enter_context(
                    redis_server(*named, "--tls-port", f"{ports[0]}", "--port", f"{ports[1]}", *options)
                )
            except AssertionError:
                assert attempt < 4
            else:
                yield ports
                return


class Secured(NamedTuple):
    """A Redis with TLS, by its ports, and a folder with certificates and those of another authority."""

    folder: Path
    tls: int
    plain: int

    def fill(self, text: str) -> str:
        """A text with ports and files in it."""
        return text.format(tls=self.tls, plain=self.plain, folder=self.folder)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A Redis that asks its clients for no certificates."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl is installed")
    folder = tmp_path_factory.mktemp("tls")
    certificates(folder)
    with redis_with_ports(folder, "--tls-auth-clients", "no") as ports:
        yield Secured(folder, *ports)


async def use(url: str, **options: Any) -> None:
    """A request to a store, which somebody follows."""
    store = await RedisStore.open(url, "labs-mock", initial(), **options)
    try:
        following = asyncio.ensure_future(anext(store.follow(0)))
        number = await commit(store, record=record())
        assert (await asyncio.wait_for(following, 30)).number == number
    finally:
        await store.drop()
        await store.close()


def test_a_connection_with_tls(secured: Secured) -> None:
    """Its certificate is one of the named authority's."""
    run(use(secured.fill("rediss://localhost:{tls}/3"), ca=secured.fill("{folder}/ca.pem")))


@pytest.mark.parametrize(
    ("address", "file", "reason"),
    [
        ("rediss://localhost:{tls}/0", "other.pem", UNTRUSTED),
        ("rediss://localhost:{tls}/0", None, UNTRUSTED),
        ("rediss://127.0.0.1:{tls}/0", "ca.pem", ANOTHER_HOST),
        ("rediss://localhost:{plain}/0", "ca.pem", "it does not answer; if it has no TLS there, write redis://"),
        ("redis://localhost:{tls}/0", None, "it ends the connection; if it has TLS there, write rediss://"),
        ("redis://localhost:{plain}/99", None, "it refuses: DB index is out of range"),
    ],
)
def test_what_is_wrong_with_a_connection_is_one_line(
    secured: Secured, address: str, file: str | None, reason: str
) -> None:
    """It names the address, and says what to set."""
    ca = None if file is None else str(secured.folder / file)
    with pytest.raises(StartError) as refused:
        run(use(secured.fill(address), ca=ca))
    assert str(refused.value) == f"state: {secured.fill(address)}: {reason}"


@pytest.mark.parametrize(
    ("address", "file", "message"),
    [
        (
            "rediss://localhost:{tls}/0",
            "nothing.pem",
            "state_ca: expected a file with certificates (PEM), got {folder}/",
        ),
        ("rediss://localhost:{tls}/0", "empty.pem", "state_ca: expected a file with certificates (PEM), got {folder}/"),
        (
            "redis://localhost:{plain}/0",
            "ca.pem",
            "state_ca: certificates are for rediss:// alone; write that, or leave",
        ),
    ],
)
def test_files_without_certificates_are_refused(secured: Secured, address: str, file: str, message: str) -> None:
    """And certificates that nothing would be checked by."""
    with pytest.raises(SettingsError) as refused:
        run(use(secured.fill(address), ca=str(secured.folder / file)))
    assert str(refused.value).startswith(secured.fill(message))


def test_a_redis_that_wants_certificates_of_clients(secured: Secured) -> None:
    """Which there are none of."""
    with (
        redis_with_ports(secured.folder) as (tls, _),
        pytest.raises(StartError, match=r"turn that off \(tls-auth-clients no\)$"),
    ):
        run(use(f"rediss://localhost:{tls}/0", ca=str(secured.folder / "ca.pem")))


def test_servers_with_tls(secured: Secured) -> None:
    """Several processes, and one of a test with the environment's certificates; a command without them is exit code 3."""
    url, ca = secured.fill("rediss://localhost:{tls}/0"), secured.fill("{folder}/ca.pem")
    with serving("--json", "--state", url, "--state-ca", ca, "--workers", "2") as (_, line):
        assert httpx.get(f"{json.loads(line)['url']}/_mock/ready").status_code == 200
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABS_MOCK_STATE_CA", ca)
        with LabsMock(state=url) as mock:
            mock.advance(1)
        with Redis(port=secured.plain) as redis:
            assert list(redis.scan_iter("{labs-mock-*")) == []
    refused = served("--port", "0", "--state", url)
    assert (refused.returncode, refused.stderr.count("\n")) == (3, 1)
    assert "put the file with its CA's into state_ca (LABS_MOCK_STATE_CA)" in refused.stderr


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """A Redis with a password, and with a user `trainer` who may do what docs/scaling.md says."""
    (rules,) = re.findall(r"^user trainer (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    with redis_server("--requirepass", PASSWORD) as url, Redis.from_url(url, password=PASSWORD) as redis:
        redis.execute_command("ACL", "SETUSER", "trainer", *rules.replace("PASSWORD", PASSWORD).split())
        redis.execute_command("ACL", "SETUSER", "reader", "on", f">{PASSWORD}", "~*", "+@all", "-evalsha")
        yield url


@pytest.mark.parametrize(
    ("user", "password", "reason"),
    [
        ("", None, "it wants a password; put it into state_password (LABS_MOCK_STATE_PASSWORD)"),
        (
            "",
            "another",
            "it refuses the password, or knows no such user; it gets what is in state_password (LABS_MOCK_",
        ),
        ("nobody@", PASSWORD, "it refuses the password, or knows no such user; it gets what is in state_password"),
        ("trainer@", "another", "it refuses the password, or knows no such user; it gets what is in state_password"),
        ("reader@", PASSWORD, "it refuses: "),
    ],
)
def test_what_is_wrong_with_a_password_is_one_line(locked: str, user: str, password: str | None, reason: str) -> None:
    """It is not repeated."""
    url = locked.replace("unix://", f"unix://{user}")
    with pytest.raises(StartError) as refused:
        run(use(url, password=password))
    assert str(refused.value).startswith(f"state: {url}: {reason}")
    assert "\n" not in str(refused.value)
    for secret in (PASSWORD, "another"):
        assert secret not in str(refused.value)


def test_a_password_that_nobody_wants() -> None:
    """It is probably that of another Redis."""
    with redis_server() as url, pytest.raises(StartError, match="it has no password; leave out state_password"):
        run(use(url, password=PASSWORD))


def test_a_user_with_the_rules_of_the_page(locked: str) -> None:
    """They are enough for a server, for a test's own namespace and for the list, and for no other keys."""
    url = locked.replace("unix://", "unix://trainer@")
    run(use(url, password=PASSWORD))
    environment = {"LABS_MOCK_STATE_PASSWORD": PASSWORD}
    with serving("--json", "--state", url, **environment) as (_, line):
        base = json.loads(line)["url"]
        assert httpx.get(f"{base}/_mock/ready").status_code == 200
        with LabsMock(state=url, state_password=PASSWORD) as mock:
            mock.advance(1)
        names = run_command("state", "list", "--state", url, **environment)
        assert (names.stdout, names.stderr) == ("labs-mock  in use\n", "")
    with pytest.raises(StartError, match="it refuses: "):
        run(RedisStore.open(url, "another", initial(), password=PASSWORD))
