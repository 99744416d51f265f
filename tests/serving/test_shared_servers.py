"""Several processes on one port or on two, over a real Redis: the contract holds, and they respond as one process does."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from labs_mock.state import World
from labs_mock.testing.own_connections import OwnConnections
from tests.conformance.test_command import conformance
from tests.http.datasets import LONG, scenarios
from tests.http.test_concurrency import SHIPPED, mixed, responses
from tests.serving.proxy import proxy
from tests.serving.test_server import serving
from tests.state.redis_server import MISSING, redis_is_installed, redis_server
from tests.support import Live, live, world

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not redis_is_installed(), reason=MISSING)]

TWO = "--workers", "2"


@contextmanager
def served(*servers: tuple[str, ...]) -> Iterator[str]:
    """One address for servers with these options, which have one store; each connection goes to the next of them."""
    with redis_server() as url, ExitStack() as stack:
        lines = [stack.enter_context(serving("--state", url, "--json", *options))[1] for options in servers]
        ports = [urlsplit(json.loads(line)["url"]).port or 0 for line in lines]
        spread = stack.enter_context(proxy(*[("127.0.0.1", port) for port in ports]))
        yield f"http://127.0.0.1:{spread.port}"


def test_two_thousand_requests_are_answered_as_by_one_process() -> None:
    """64 at a time over two servers of two workers each: the same status, headers and body, request by request, as from memory (DET-2)."""
    requests = [mixed(number) for number in range(2_000)]
    with live(World(world().settings, SHIPPED)) as server:
        alone = responses(server, requests, 1)
    frozen = *TWO, "--clock", "frozen"
    with served(frozen, frozen) as base, httpx.Client(base_url=base, timeout=60, transport=OwnConnections()) as client:
        assert responses(Live(server.world, base, client), requests, 64) == alone


def test_the_contract_holds_for_two_servers_of_two_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`labs-mock conformance --strict` passes. Each of its requests has a connection of its own, so that all processes get some."""
    folder, first, second = scenarios(tmp_path, 50), "lab_first", "lab_second"
    keys = [{"key": first, "organisation": "a"}, {"key": second, "organisation": "b", "subscriptions": []}]
    (folder / "server.yaml").write_text(yaml.safe_dump({"keys": keys}))
    each_its_own = partial(httpx.Client, limits=httpx.Limits(max_keepalive_connections=0))
    monkeypatch.setattr("labs_mock.conformance.client.httpx.Client", each_its_own)
    with served((str(folder), *TWO), (str(folder), *TWO)) as base:
        options = ["--api-key", first, "--second-api-key", second, "--dataset", LONG, "--strict", "--json", "-"]
        result = conformance(base, *options)
    assert (result.exit_code, json.loads(result.stdout)["incomplete"]) == (0, []), result.output
