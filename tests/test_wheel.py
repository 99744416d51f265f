import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import httpx
import pytest

from tests.installing import ROOT, Environment

pytestmark = pytest.mark.slow


def test_the_wheel_holds_code_scenarios_and_nothing_else(wheel: Path) -> None:
    """Sources, types marker, starter, licence and every shipped scenario are inside; tests are not."""
    with ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        entry_points = next(name for name in names if name.endswith("entry_points.txt"))
        commands = archive.read(entry_points).decode()
    package = {name for name in names if name.startswith("labs_mock/")}
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"labs_mock"}
    shipped = {path.relative_to(ROOT / "scenarios").as_posix() for path in (ROOT / "scenarios").rglob("*.yaml")}
    assert {f"labs_mock/library/{name}" for name in shipped} <= package
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert {name for name in package if name.endswith(".py")} == sources
    assert {
        "labs_mock/py.typed",
        "labs_mock/starter/scenarios/server.yaml",
        "labs_mock/contract/examples.json",
    } <= package
    assert "labs_mock/scenario/files/known-files.txt" in package
    assert {
        f"labs_mock/http/swagger_ui/{name}" for name in ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")
    } <= package
    assert "labs_mock/conformance/templates/report.html" in package
    inspector = [
        path for name in ("templates", "static") for path in (ROOT / "src/labs_mock/http/inspector" / name).iterdir()
    ]
    assert {path.relative_to(ROOT / "src").as_posix() for path in inspector} <= package
    assert "labs_mock/http/swagger-start.js" in package
    scripts = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.lua")}
    assert {name for name in package if name.endswith(".lua")} == scripts
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "labs-mock = labs_mock.cli.main:main" in commands
    assert "labs_mock = labs_mock.pytest_plugin" in commands


def test_the_installed_wheel_serves(wheel: Path, tmp_path: Path) -> None:
    """In a clean environment, away from the checkout, the installed wheel is a working server.

    It needs no extra; with the extra `conformance` it is checked by the suite in the wheel, and by pytest.
    """
    environment = Environment(tmp_path / "venv")
    environment.install(str(wheel))
    command = str(environment.binaries / "labs-mock")
    validated = subprocess.run([command, "validate"], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert validated.stdout.startswith("13 scenarios in 4 collections")
    serve = [command, "serve", "--port", "0", "--json"]
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        try:
            assert process.stdout is not None
            url = json.loads(process.stdout.readline())["url"]
            assert httpx.get(f"{url}/_mock/health").json()["scenarios"] == 13
            assert "SwaggerUIBundle" in httpx.get(f"{url}/docs/swagger-ui-bundle.js").text
            assert "13 in 4 collections" in httpx.get(f"{url}/_mock/ui").text
            assert httpx.get(f"{url}/_mock/ui/static/inspector.css").status_code == 200
            options = ["api-key=lab_local", "max-requests=200", "html=report.html", "allow-incomplete"]
            check = [command, "conformance", url, *(f"--{option}" for option in options)]
            without = subprocess.run(check, check=False, capture_output=True, text=True, cwd=tmp_path)
            assert without.returncode == 2
            assert "is not installed; pip install 'labs-mock[conformance]'" in without.stderr
            environment.install(f"{wheel}[conformance]")
            subprocess.run(check, check=True, capture_output=True, cwd=tmp_path)
            assert "what was checked holds." in (tmp_path / "report.html").read_text(encoding="utf-8")
            run_tests = [str(environment.binaries / "pytest"), "--pyargs", "labs_mock.conformance"]
            run_tests += [f"--labs-mock-conformance-{option}" for option in (f"url={url}", *options)]
            subprocess.run(run_tests, check=True, capture_output=True, cwd=tmp_path)
        finally:
            process.terminate()
