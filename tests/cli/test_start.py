import json
import subprocess
import sys

import httpx

LATE = {
    "httpx",
    "hypothesis",
    "pytest",
    "rich",
    "starlette.staticfiles",
    "yaml",
    "labs_mock.conformance",
    "labs_mock.contract.control",
    "labs_mock.contract.openapi",
    "labs_mock.http.control.handlers",
    "labs_mock.scenario.files.yaml_document",
    "labs_mock.testing",
}
"""What a server of the shipped library needs later than its first response, or never."""


def test_a_server_imports_late_what_it_uses_late() -> None:
    """Up to the first response nothing is imported that only later ones need, or none."""
    serve = [sys.executable, "-X", "importtime", "-m", "labs_mock", "serve", "--port", "0", "--json"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert httpx.get(f"{url}/_mock/health").status_code == 200
        process.terminate()
        _, log = process.communicate(timeout=20)
    imported = {line.rpartition("|")[2].strip() for line in log.splitlines() if line.startswith("import time:")}
    assert "labs_mock.http.app" in imported
    assert imported & LATE == set()
