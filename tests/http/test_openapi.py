import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openapi_spec_validator import validate
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labs_mock.cli.main import main
from labs_mock.config.library import load_library, shipped_library
from labs_mock.contract.clauses import BY_NAME
from labs_mock.contract.limits import MAX_CONTENT, MAX_ITEMS, MAX_LOG, MAX_MESSAGES, MAX_WINDOW_DAYS
from labs_mock.contract.openapi import openapi
from labs_mock.contract.operations import OPERATIONS
from labs_mock.contract.requests import Normalised
from labs_mock.errors import BadRequest
from labs_mock.http import create_app
from labs_mock.http.evaluation import check_windows
from labs_mock.state import World
from tests import support
from tests.support import KEY, Live, live, world

DOCUMENT = openapi("1")
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
HERE = Path(__file__).parent
LIMITS = ["X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]


def test_the_document_is_valid() -> None:
    """The specification's own validator finds nothing wrong with it."""
    validate(DOCUMENT)


def test_the_server_and_the_command_give_the_same_document(server: Live) -> None:
    """`/openapi.json` needs no key; `labs-mock schema openapi` prints the same bytes."""
    served = server.client.get("/openapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.text == CliRunner().invoke(main, ["schema", "openapi"]).stdout
    assert served.json()["openapi"] == "3.1.0"


def test_a_server_with_a_store_describes_its_503() -> None:
    """At every operation, and nothing else is another than without one (GEN-2)."""
    document = openapi("1", store=True)
    validate(document)
    described = document["components"].pop("responses")["NoStore"]
    assert set(described["headers"]) == {"X-Request-ID"}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["responses"].pop("503") == {"$ref": "#/components/responses/NoStore"}
    assert document == DOCUMENT
    assert "503" in DOCUMENT["info"]["description"]
    with live(world(state="unix:///store")) as server:
        assert "503" in server.client.get("/openapi.json").json()["paths"]["/api/v1/evaluate"]["post"]["responses"]


def test_every_operation_is_described_whole() -> None:
    """Each has its clauses, statuses, examples and, on every response, the headers that the limiter lets it have (RL-1)."""
    for operation in OPERATIONS:
        described = DOCUMENT["paths"][operation.full_path][operation.method.lower()]
        assert set(operation.clauses) < set(described["x-clauses"]) <= set(BY_NAME)
        assert [int(status) for status in described["responses"]] == list(operation.statuses)
        for status, response in described["responses"].items():
            (content,) = response["content"].values()
            assert content["example"]
            assert (set(response["content"]) == {"application/x-ndjson"}) == (operation.streams and status == "200")
            assert "X-Request-ID" in response["headers"]
            assert (set(LIMITS) <= set(response["headers"])) == (status not in ("401", "413", "431"))
        assert ("requestBody" in described) == (operation.request is not None)
    assert set(DOCUMENT["paths"]) == {operation.full_path for operation in OPERATIONS}


def test_limits_and_enumerations_are_in_the_schemas() -> None:
    """What the contract bounds is bounded there, and responses are closed (GEN-6, EP-9, BAT-1, BAT-2, ERR-1)."""
    content = SCHEMAS["Message"]["properties"]["content"]
    assert "maxLength" not in content  # it counts code points, and a content has UTF-16 code units
    assert content["description"].startswith(f"At most {MAX_CONTENT:,} UTF-16 code units")
    assert SCHEMAS["Message"]["properties"]["role"]["enum"] == ["user", "assistant", "system"]
    assert SCHEMAS["Evaluate"]["properties"]["messages"]["maxItems"] == MAX_MESSAGES
    assert SCHEMAS["BatchEvaluate"]["properties"]["items"]["maxItems"] == MAX_ITEMS
    assert SCHEMAS["QualityWeights"]["additionalProperties"] is False
    assert "reward" not in SCHEMAS["BatchError"]["properties"]
    assert all(SCHEMAS[name]["additionalProperties"] is False for name in ("ErrorBody", "ErrorData", "TurnTaken"))
    text = json.dumps(DOCUMENT)
    assert '"default": null' not in text
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= set(SCHEMAS)


@pytest.mark.parametrize("unit", "dwmn")
def test_the_pattern_of_windows_is_exact(unit: str) -> None:
    """The document's pattern allows just those windows that the server takes (NORM-1)."""
    (windows, _) = SCHEMAS["Evaluate"]["properties"]["normalization_windows"]["anyOf"]
    pattern = re.compile(windows["items"]["pattern"])
    for number in (*range(MAX_WINDOW_DAYS + 5), *range(MAX_LOG - 5, MAX_LOG + 5), 99_999):
        for text in (f"{number}{unit}", f"00{number}{unit}"):
            request = Normalised.model_validate({"normalization_key": "k", "normalization_windows": [text]})
            try:
                check_windows(request)
            except BadRequest:
                assert not pattern.search(text), text
            else:
                assert pattern.search(text), text


@pytest.fixture(scope="module")
def shipped() -> Any:
    """A server of the shipped library."""
    with live(World(world().settings, load_library(shipped_library()))) as running:
        yield running


def schemathesis(url: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A run of Schemathesis against a server, with all checks on; what it leaves behind goes to the folder."""
    command = [str(Path(sys.executable).parent / "st"), "--config-file", str(HERE / "schemathesis.toml"), "run"]
    arguments = ["-H", f"Authorization: Bearer {KEY}", "--checks", "all", "--no-color", *options]
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")}
    return subprocess.run(
        [*command, f"{url}/openapi.json", *arguments],
        cwd=folder,
        env=hooks,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_schemathesis_finds_nothing(shipped: Live, tmp_path: Path) -> None:
    """All its checks and phases, against a live server: no response is other than the document says (GEN-2, ERR-1, ID-1)."""
    run = schemathesis(shipped.url, tmp_path, "--max-examples", "25")
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Tested: {len(OPERATIONS)}" in run.stdout
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in run.stdout


class Nameless:
    """The application with a defect: its responses have no request id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without(message: Message) -> None:
            kept = [pair for pair in message.get("headers", ()) if pair[0] != b"x-request-id"]
            await send({**message, "headers": kept} if "headers" in message else message)

        await self.app(scope, receive, without)


@pytest.mark.slow
def test_schemathesis_would_find_something(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Responses without their request id are found by the same run."""
    monkeypatch.setattr(support, "create_app", lambda served: Nameless(create_app(served)))
    with live(world()) as broken:
        run = schemathesis(broken.url, tmp_path, "--phases", "examples")
    assert run.returncode == 1
    assert "X-Request-ID" in run.stdout


def test_the_page_is_complete(server: Live) -> None:
    """`/docs` and all that it loads come from this server; what is not there is a 404 in the envelope (GEN-3)."""
    page = server.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    start = server.client.get("/docs/start.js").text
    loaded = re.findall(r'(?:src|href|url)[=:] ?"([^"]+)"', page.text + start)
    assert len(loaded) == 5
    for path in loaded:
        assert path == "data:," or server.client.get(path).status_code == 200, path
    assert "https://" not in page.text.replace("https://127.0.0.1", "")
    assert server.client.get("/docs/nothing.js").json()["message"] == "Not found: no such path"
    assert server.client.post("/docs/swagger-ui.css").status_code == 405
    assert server.client.get("/docs/../app.py").status_code == 404


def test_the_bare_address_leads_to_the_page(server: Live) -> None:
    """Who opens `/` in a browser comes to the inspector; under the base path nothing is redirected (GEN-3)."""
    response = server.client.get("/")
    assert (response.status_code, response.headers["location"]) == (307, "/_mock/ui")
    assert server.client.get("/", follow_redirects=True).url.path == "/_mock/ui"
    assert [server.client.get(path).status_code for path in ("/api/v1/", "/api/v1", "/docs/", "/_mock/")] == [404] * 4
