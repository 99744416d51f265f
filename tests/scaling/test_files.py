"""Compose file and Kubernetes manifest: valid, consistent, and what they start works with a real store."""

import json
import os
import shlex
import subprocess
from contextlib import ExitStack
from pathlib import Path

import httpx
import jsonschema_rs
import kubernetes_validate
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from labs_mock.config.settings import from_environment
from tests.http.control.test_guard import from_address, own_address
from tests.scaling.files import SECRETS, by_compose, by_kubernetes, compose, container_of, objects, schema
from tests.serving.test_server import eventually, serving
from tests.state.redis_server import MISSING, redis_is_installed
from tests.support import KEY

WHERE = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}


@pytest.mark.parametrize("version", ["1.28", kubernetes_validate.latest_version()])
def test_the_manifest_is_valid(version: str) -> None:
    """By the schemas of an old and of the newest Kubernetes, which allow no other fields."""
    for one in objects().values():
        kubernetes_validate.validate(one, version, strict=True)


def test_the_compose_file_is_valid() -> None:
    """By the schema of the Compose Specification, which allows no other fields; it finds one that is misspelt."""
    judge = jsonschema_rs.validator_for(json.loads(schema().read_text("utf-8")))
    file = compose()
    assert list(judge.iter_errors(file)) == []
    file["services"]["one"]["comand"] = []
    assert "comand" in "".join(error.message for error in judge.iter_errors(file))


def test_the_parts_of_the_manifest_belong_together() -> None:
    """Services, selectors, ports and secrets name what is there; all old servers end before a new one starts."""
    made = objects()
    deployment, store = made["Deployment", "labs-mock"], made["StatefulSet", "labs-mock-store"]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    for workload, service in ((deployment, made["Service", "labs-mock"]), (store, made["Service", "labs-mock-store"])):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"] == labels
        assert {one["targetPort"] for one in service["spec"]["ports"]} == {
            one["name"] for one in container_of(workload)["ports"]
        }
        assert container_of(workload)["command"]
    references = [one["valueFrom"]["secretKeyRef"] for one in container_of(deployment)["env"] if "valueFrom" in one]
    assert {one["name"] for one in references} == {"labs-mock"}
    assert {one["key"] for one in references} == set(made["Secret", "labs-mock"]["stringData"])


def test_both_files_start_the_same() -> None:
    """Servers with the same settings, but for the store's address and the spool, and the same store."""
    one, other = by_compose(), by_kubernetes()
    assert {**one.server, "LABS_MOCK_STATE": "", "LABS_MOCK_SPOOL": ""} == {
        **other.server,
        "LABS_MOCK_STATE": "",
        "LABS_MOCK_SPOOL": "",
    }
    assert one.command == other.command
    assert [word.split() for word in one.store_command] == [word.split() for word in other.store_command]
    for deployed in (one, other):
        settings = from_environment(deployed.server)
        assert settings["workers"] == 2
        assert settings["state"].endswith(":6379/0")


def probe(path: str, port: int) -> bytes:
    """The status line for a request as a kubelet makes it: from the node's address, by the pod's."""
    source, target = own_address() or "127.0.0.1", ("127.0.0.1", port)
    fields = ("User-Agent: kube-probe/1.31", "Accept: */*")
    return from_address(source, target, *fields, path=path, host="10.244.1.7:8765").partition(b"\r\n")[0]


@pytest.mark.slow
@pytest.mark.skipif(not redis_is_installed(), reason=MISSING)
def test_what_they_start_works(tmp_path: Path) -> None:
    """The store wants the password; two servers respond to probes from elsewhere, refuse them their control plane, and go on with each other's episodes."""
    store_of, server_of, place = by_compose(), by_kubernetes(), tmp_path / "socket"
    own = f"redis-server - --port 0 --unixsocket {shlex.quote(str(place))} "
    command = [*store_of.store_command[:2], store_of.store_command[2].replace("redis-server - ", own)]
    environment = {**server_of.server, "LABS_MOCK_STATE": f"unix://{place}?db=0"}
    password = store_of.store["REDISCLI_AUTH"]
    with ExitStack() as started:
        quiet = subprocess.DEVNULL
        store = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **store_of.store}, stdout=quiet)
        started.callback(store.wait)
        started.callback(store.kill)
        assert eventually(place.exists)
        assert password.encode() not in Path(f"/proc/{store.pid}/cmdline").read_bytes()
        with Redis.from_url(f"unix://{place}") as redis, pytest.raises(AuthenticationError):
            redis.ping()
        with Redis.from_url(f"unix://{place}", password=password) as redis:
            wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "dir": str(tmp_path)}
            assert {name: redis.config_get(name)[name] for name in wanted} == wanted
        assert server_of.command == ["labs-mock", "serve"], "which `serving` starts"
        lines = [started.enter_context(serving("--json", *more, **environment))[1] for more in ([], ["--workers", "1"])]
        ports = [int(json.loads(line)["url"].rpartition(":")[2]) for line in lines]
        for path in server_of.probed + store_of.probed:
            assert [probe(path, port) for port in ports] == [b"HTTP/1.1 200 OK"] * 2
        assert probe("/_mock/clock", ports[0]) == b"HTTP/1.1 401 Unauthorized"
        one, other = [
            started.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)) for port in ports
        ]
        key, token = ({"authorization": f"Bearer {word}"} for word in (KEY, SECRETS["CONTROL_TOKEN"]))
        begun = one.post("/api/v1/episodes", json=WHERE, headers=key).json()["episode_id"]
        turn = {"messages": [{"role": "assistant", "content": "Tell me what happened."}]}
        turns = [client.post(f"/api/v1/episodes/{begun}/turns", json=turn, headers=key) for client in (other, one)]
        assert [response.json()["turn"] for response in turns] == [1, 2]
        assert other.get("/_mock/requests", headers=token).json()["count"] == 3
