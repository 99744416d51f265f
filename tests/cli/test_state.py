"""`labs-mock state` with a real Redis."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from labs_mock.cli.commands.state import line
from labs_mock.cli.main import main
from labs_mock.state.redis.namespaces import StoredNamespace
from labs_mock.state.redis.store import RedisStore
from tests.state.redis_server import MISSING, redis_is_installed, redis_server
from tests.state.samples import arrived, initial, run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]
PASSWORD = "a-long-password"
ODD = "é\n\x1b[31m 'x' *?[a]"


def labs_mock(*arguments: str, **environment: str) -> Result:
    """What a command prints, and its exit code."""
    return CliRunner().invoke(main, arguments, env=environment)


async def make(url: str, *names: str, **options: Any) -> None:
    """Make namespaces that no server uses any more."""
    for name in names:
        store = await RedisStore.open(url, name, initial(), lifetime=7 * 86_400, **options)
        await arrived(store)
        await store.close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a Redis."""
    with redis_server() as address:
        yield address


@pytest.fixture
def redis(server: str) -> Iterator[Redis]:
    """A client of it, which finds it empty."""
    with Redis.from_url(server) as client:
        client.flushall()
        yield client


def test_only_namespaces_are_listed_and_dropped(server: str, redis: Redis) -> None:
    """Keys of others that look like them are neither; names may have odd characters, which are escaped."""
    redis.set("{text}:meta", "format")
    redis.hset("{hash}:meta", "format", "1")
    redis.hset("{a}b}:meta", mapping={"format": "1", "epoch": "e"})
    redis.hset(b"{\xff}:meta", mapping={"format": "1", "epoch": "e"})
    before = set(redis.keys())
    run(make(server, "one", ODD, "two"))
    listed = labs_mock("state", "list", "--state", server)
    assert (listed.exit_code, listed.stderr) == (0, "")
    assert listed.stdout.splitlines() == [
        "one  not in use; goes in 7 days",
        "two  not in use; goes in 7 days",
        "é\\n\\x1b[31m 'x' *?[a]  not in use; goes in 7 days",
    ]
    for name in ("three", "o*", "*", "", "hash", "text", "a}b", "{one", "one}:meta", "--", "x" * 1_000, "é"):
        refused = labs_mock("state", "drop", "--state", server, "--", name)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith("labs-mock: no namespace '")
        assert refused.stderr.count("\n") == 1
    assert labs_mock("state", "drop", "--state", server, ODD).stdout == "dropped é\\n\\x1b[31m 'x' *?[a]\n"
    for name in ("one", "two"):
        assert labs_mock("state", "drop", name, LABS_MOCK_STATE=server).stdout == f"dropped {name}\n"
    assert set(redis.keys()) == before
    assert labs_mock("state", "list", "--state", server).stdout == ""


def test_many_are_listed(server: str, redis: Redis) -> None:
    """More than a page, among many keys of others."""
    with redis.pipeline() as pipeline:
        for number in range(2_500):
            pipeline.hset(f"{{n{number:04}}}:meta", mapping={"format": "1", "epoch": "e"})
            pipeline.set(f"{{other{number}}}:meta", "")
        pipeline.execute()
    listed = labs_mock("state", "list", "--state", server).stdout.splitlines()
    assert [name.partition(" ")[0] for name in listed] == [f"n{number:04}" for number in range(2_500)]


def test_what_a_server_uses_stays(server: str, redis: Redis) -> None:
    """Also if the server came after the command looked; of one that was killed it is known 15 seconds later."""
    assert redis.keys() == []
    run(make(server, "one"))
    redis.set("{one}:lease", "1", ex=15)
    keys = set(redis.keys())
    assert labs_mock("state", "list", "--state", server).stdout == "one  in use\n"
    refused = labs_mock("state", "drop", "one", "--state", server)
    assert (refused.exit_code, refused.stderr) == (
        2,
        "labs-mock: a server uses the namespace 'one', or did in the last 15 seconds; stop it, and try again\n",
    )
    assert set(redis.keys()) == keys


def test_a_redis_that_cannot_be_used_is_one_line(server: str) -> None:
    """Exit code 3, or 2 where the address or a file is no such thing; it says what to set."""
    for command in (["list"], ["drop", "one"]):
        for state, code, reason in (
            ("redis://127.0.0.1:1/0", 3, "state: redis://127.0.0.1:1/0: it does not answer (Connection refused)"),
            ("unix:///nothing?db=0", 3, "state: unix:///nothing?db=0: it does not answer (No such file or directory)"),
            (f"{server[:-1]}99", 3, f"state: {server[:-1]}99: it refuses: DB index is out of range"),
            ("http://localhost", 2, "--state: expected redis://host:port/0, rediss://"),
            ("redis://:secret@localhost", 2, "--state: expected an address without a password"),
        ):
            refused = labs_mock("state", *command, "--state", state)
            assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (code, "", 1)
            assert refused.stderr.startswith(f"labs-mock: {reason}")
            assert "secret" not in refused.stderr
        missing = labs_mock("state", *command, "--state", "rediss://localhost", "--state-ca", "/nothing.pem")
        assert missing.stderr == "labs-mock: state_ca: expected a file with certificates (PEM), got /nothing.pem\n"
        assert labs_mock("state", *command).exit_code == 2
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
            silent = labs_mock("state", *command, "--state", url)
        assert (silent.exit_code, silent.stderr) == (3, f"labs-mock: state: {url}: it does not answer\n")


def test_a_password_and_a_user_are_those_of_the_environment() -> None:
    """A wrong one is one line and is not repeated; what a user may not read is not listed, and not dropped."""
    with redis_server("--requirepass", PASSWORD) as url, Redis.from_url(url, password=PASSWORD) as client:
        run(make(url, "mine", "theirs", password=PASSWORD))
        rules = "on", f">{PASSWORD}", "~{mine*", "+@read", "+@write", "+@scripting", "+@connection", "+time"
        client.execute_command("ACL", "SETUSER", "me", *rules)
        url_of_me = url.replace("unix://", "unix://me@")
        right = {"LABS_MOCK_STATE_PASSWORD": PASSWORD}
        assert labs_mock("state", "list", "--state", url, **right).stdout.count("\n") == 2
        listed = labs_mock("state", "list", "--state", url_of_me, **right)
        assert (listed.stdout, listed.stderr) == ("mine  not in use; goes in 7 days\n", "")
        refused = labs_mock("state", "drop", "theirs", "--state", url_of_me, **right)
        assert refused.stderr.startswith("labs-mock: no namespace 'theirs'")
        for environment in ({}, {"LABS_MOCK_STATE_PASSWORD": "another"}):
            for command in (["list"], ["drop", "mine"]):
                refused = labs_mock("state", *command, "--state", url, **environment)
                assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (3, "", 1)
                assert "LABS_MOCK_STATE_PASSWORD" in refused.stderr
                assert "another" not in refused.stderr
        assert labs_mock("state", "drop", "mine", "--state", url_of_me, **right).stdout == "dropped mine\n"
        assert {key[:8] for key in client.scan_iter()} == {b"{theirs}"}


@pytest.mark.parametrize(
    ("left", "text"), [(604_800, "7 days"), (172_790, "48 hours"), (3_600, "60 minutes"), (90, "2 minutes")]
)
def test_how_long_a_namespace_stays(left: int, text: str) -> None:
    """In the largest unit of which there are two."""
    assert line(StoredNamespace("a", False, left)) == f"a  not in use; goes in {text}"
