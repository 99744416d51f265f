import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.http.test_determinism import SHIPPED, play, send_transcript
from tests.installing import Environment

pytestmark = pytest.mark.slow

VERSIONS = ("3.11", "3.12", "3.13")
PRESENT = f"{sys.version_info.major}.{sys.version_info.minor}"
TEST = """
def test_an_evaluation(labs_mock_client):
    messages = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello, tell me what happened."}]
    scenario = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
    assert 0 < labs_mock_client.post("/evaluate", json={**scenario, "messages": messages}).json()["reward"] < 1
"""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_supported_python_runs_server_and_plugin(version: str, wheel: Path, tmp_path: Path) -> None:
    """With every supported Python of this machine the wheel serves the same bytes, and its plugin runs a test (DET-1)."""
    python = sys.executable if version == PRESENT else f"python{version}"
    if subprocess.run(["/usr/bin/env", python, "--version"], check=False, capture_output=True).returncode:
        pytest.skip(f"there is no python{version} on this machine")
    environment = Environment(tmp_path / "venv", python)
    environment.install(str(wheel), "httpx", "pytest")
    serve = [str(environment.binaries / "labs-mock"), "serve", "--port=0", "--json", "--clock=frozen", "--seed=7"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            with httpx.Client(base_url=json.loads(process.stdout.readline())["url"]) as client:
                assert send_transcript(client) == play(SHIPPED, 7)
        finally:
            process.terminate()
    (tmp_path / "test_it.py").write_text(TEST, encoding="utf-8")
    environment.python("-m", "pytest", "-q", "test_it.py", cwd=tmp_path).check_returncode()
