"""The image is built for real, and run as its configuration says. `make image` runs these tests."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from labs_mock.cli.new_files import write_all
from labs_mock.config.starter import starter_files
from tests.containers.container import Container, started
from tests.containers.image import CANNOT, MARK, SOURCE, Builder, base_name, can_build, download
from tests.containers.page import DockerRun, docker_runs
from tests.serving.test_server import eventually
from tests.support import KEY

pytestmark = pytest.mark.image

TOKEN = "a-token-for-the-control-plane"
MESSAGES = [
    {"role": "user", "content": "Hi."},
    {"role": "assistant", "content": "Please tell me what happened. I am sorry. By when do you need it?"},
]
DATASET = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"  # 200 rows that the server makes
STOPS_WITHIN = 10.0  # seconds, after which `docker stop` would kill it


@pytest.fixture(scope="module")
def builder(request: pytest.FixtureRequest) -> Iterator[Builder]:
    """A builder that has built the image. The files, half a gigabyte, go afterwards."""
    if "image" not in request.config.option.markexpr:
        pytest.skip("`make image` builds the image")
    if not can_build():
        pytest.fail(CANNOT)
    with TemporaryDirectory() as folder:
        builder = Builder(Path(folder))
        version = builder.make_base()
        builder.build(download(Path(folder), version))
        yield builder


@pytest.fixture(scope="module")
def config(builder: Builder) -> dict[str, Any]:
    """How the image is run."""
    return builder.config()


@pytest.fixture(scope="module")
def root(builder: Builder) -> Iterator[Path]:
    """The files of a container, for all tests: each of them has it read-only."""
    with builder.root_of("labs-mock") as path:
        yield path


def evaluate(container: Container, collection: str, scenario: str) -> float:
    """The reward of a short conversation."""
    body = {"collection_slug": collection, "scenario_slug": scenario, "messages": MESSAGES}
    status, result = container.request("/api/v1/evaluate", KEY, body)
    assert status == 200
    reward: float = result["reward"]
    return reward


def with_port(run: DockerRun) -> DockerRun:
    """A command of the page: those that serve publish a port, and the others none."""
    assert run.publish == ["127.0.0.1:8765:8765"] * (run.arguments[:1] in ([], ["serve"]))
    return run


@pytest.fixture(scope="module")
def mine() -> Iterator[Path]:
    """A folder that has `my-scenarios`, which everybody may read."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        write_all(path / "my-scenarios", starter_files("scenarios"))
        yield path


def test_what_the_page_shows_runs(root: Path, config: dict[str, Any], mine: Path) -> None:
    """Each `docker run` of the page, as the image's user on a read-only root: servers get healthy, give rewards and end with 0."""
    runs = [with_port(run) for run in docker_runs(mine)]
    assert len([run for run in runs if run.publish]) == 3
    for run in runs:
        if not run.publish:
            with started(root, config, *run.arguments, mounts=run.mounts, healthy=False) as container:
                assert container.output() == "1 scenario in 1 collection and 0 datasets: no problems\n"
            continue
        with started(root, config, *run.arguments, mounts=run.mounts, environment=run.environment) as container:
            assert container.run(["id", "-u"]).stdout == "10001\n"
            collection, scenario = ("support", "late-parcel") if run.volume else ("case-management", "lower-back-claim")
            assert 0 < evaluate(container, collection, scenario) < 1
            assert container.stop() == 0


def test_the_token_decides_who_may_use_the_control_plane(root: Path, config: dict[str, Any]) -> None:
    """Others than its owner are refused `/_mock`; SIGTERM, to process 1, ends the server within seconds with 0."""
    with started(root, config, environment={"LABS_MOCK_CONTROL_TOKEN": TOKEN}) as container:
        assert container.request("/_mock/requests", "")[0] == 401
        assert container.request("/_mock/requests", TOKEN)[1]["count"] == 0
        begun = time.monotonic()
        assert container.stop() == 0
        assert time.monotonic() - begun < STOPS_WITHIN


def test_it_runs_as_anybody_with_nothing_to_write_on(root: Path, config: dict[str, Any]) -> None:
    """With a number that nobody has, without /tmp, on another port, without the control plane: it is healthy, and exports rows."""
    settings = {"LABS_MOCK_PORT": "9000", "LABS_MOCK_CONTROL": "off"}
    with started(root, config, user="1234567:0", mounts=[], environment=settings) as container:
        assert container.run(["id", "-u"]).stdout == "1234567\n"
        assert container.run(["touch", "/tmp/x"]).returncode == 1
        dataset = f"/api/v1/training-datasets/{DATASET}"
        assert eventually(lambda: container.request(f"{dataset}/status", KEY)[1]["status"] == "ready")
        status, rows = container.fetch(f"{dataset}/export", KEY)
        assert (status, len(rows.splitlines())) == (200, 200)
        assert container.request("/_mock/requests", "")[0] == 404
        assert container.stop() == 0


def test_it_is_not_healthy_where_nothing_responds(root: Path, config: dict[str, Any]) -> None:
    """The healthcheck can fail: here it asks another port than the server's."""
    with started(root, config, "serve", "--port", "8765") as container:
        elsewhere = Container(root, config, config["User"], {"LABS_MOCK_PORT": "9000"})
        elsewhere.pid = container.pid
        assert not elsewhere.is_healthy()


def test_it_has_labs_mock_and_its_dependencies_alone(
    builder: Builder, root: Path, config: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Beside the base there is one folder, without pip or what builds the wheel; no layer and no line of the history has a secret."""
    with builder.root_of(base_name()) as base:
        before = {path.relative_to(base) for path in base.rglob("*")}
    added = {path.relative_to(root) for path in root.rglob("*")} - before
    assert {path.parts[0] for path in added} == {"opt", "scenarios"}
    assert {path.parts[1] for path in added if len(path.parts) > 1} == {"labs-mock"}
    installed = {path.name.partition("-")[0] for path in added if path.suffix == ".dist-info"}
    assert {"labs_mock", "redis", "uvicorn"} <= installed
    assert not installed & {"pip", "setuptools", "hatchling", "swagger_ui_py", "uv", "pytest"}
    new = [root / path for path in added if (root / path).is_file() and not (root / path).is_symlink()]
    assert not [path for path in new if MARK.encode() in path.read_bytes()]
    assert MARK not in builder.description()
    assert not [word for word in config["Env"] if "TOKEN" in word or "PIP_" in word]
    size = sum(path.stat().st_size for path in new)
    assert size < 150_000_000
    request.config.get_terminal_writer().line(f"\nlabs-mock adds {size / 1e6:.0f} MB to its base")


def test_it_says_what_it_is_and_how_it_is_run(config: dict[str, Any]) -> None:
    """Its labels, its user, a port, a signal, a command."""
    prefix = "org.opencontainers.image."
    labels = {name.removeprefix(prefix): text for name, text in config["Labels"].items() if name.startswith(prefix)}
    assert labels["source"] == SOURCE
    assert {"title", "description", "licenses"} < labels.keys()
    assert (config["User"], config["ExposedPorts"], config["StopSignal"]) == (
        "10001:10001",
        {"8765/tcp": {}},
        "SIGTERM",
    )
    assert (config["Entrypoint"], config["Cmd"], config["WorkingDir"]) == (["labs-mock"], ["serve"], "/scenarios")
