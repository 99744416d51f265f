import pytest

from tests.plugin.project import ASYNCIO, Project

TALKING = """
import httpx
from talk import ODD, SAID


async def over_a_socket(labs_mock):
    headers = {"authorization": f"Bearer {labs_mock.api_key}"}
    async with httpx.AsyncClient(base_url=labs_mock.url, headers=headers, trust_env=False) as client:
        reward = (await client.post("/api/v1/evaluate", json=SAID)).json()["reward"]
    assert labs_mock.rewards_served == [reward]


async def in_process(labs_mock, labs_mock_app):
    headers = {"authorization": f"Bearer {labs_mock.api_key}"}
    transport = httpx.ASGITransport(labs_mock_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as client:
        labs_mock.add_fault(path="*/catalog", status=503)
        assert (await client.get("/api/v1/catalog")).status_code == 503
        reward = (await client.post("/api/v1/evaluate", json=SAID)).json()["reward"]
    assert labs_mock.rewards_served == [reward]
    labs_mock.assert_requested("GET", "/api/v1/catalog", times=1)


async def with_a_finding(labs_mock):
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {labs_mock.api_key}"}, trust_env=False) as client:
        await client.post(f"{labs_mock.url}/api/v1/evaluate", json=ODD)
"""

TESTS = """
import pytest
import talking

pytestmark = [{mark}]


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_over_a_socket(labs_mock):
    await talking.over_a_socket(labs_mock)


async def test_in_process(labs_mock, labs_mock_app):
    await talking.in_process(labs_mock, labs_mock_app)


async def test_with_a_finding(labs_mock):
    await talking.with_a_finding(labs_mock)
"""


@pytest.mark.parametrize(
    ("mode", "marks"),
    [("strict", ["pytest.mark.asyncio", "pytest.mark.anyio"]), ("auto", [""])],
    ids=["strict and anyio", "auto"],
)
@pytest.mark.slow
def test_async_tests_have_the_fixtures_too(project: Project, mode: str, marks: list[str]) -> None:
    """Over a socket and in process, in each way to run async tests; their findings fail them likewise."""
    project.write("talking.py", TALKING)
    for number, mark in enumerate(marks):
        project.write(f"test_{number}.py", TESTS.format(mark=mark))
    result = project.run(*ASYNCIO, f"--asyncio-mode={mode}", "-W", "error")
    result.assert_outcomes(passed=2 * len(marks), failed=len(marks))
    result.stdout.fnmatch_lines(["FAILED *test_with_a_finding*labs-mock has findings*"] * len(marks))
