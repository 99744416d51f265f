"""`labs-mock conformance` and `pytest --pyargs labs_mock.conformance`: their options, exit codes and results."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
from click.testing import CliRunner, Result

from labs_mock.cli.commands.conformance import command as conformance_command
from labs_mock.cli.main import main
from labs_mock.config.server_file import KeyEntry
from labs_mock.conformance.options import EXTRA, OPTIONS, URL, add_to_pytest, count, name_for_pytest, values_from_pytest
from labs_mock.conformance.report import Report
from labs_mock.conformance.runner import CHECKS
from labs_mock.conformance.test_contract import (
    test_clause,
    test_every_check_could_be_completed,
    test_the_run_is_complete,
)
from labs_mock.conformance.verdicts import UNSEEN, PartVerdict
from labs_mock.conformance.violations import Violation
from labs_mock.contract.clauses import CLAUSES, PARTS
from tests.conformance.mutants import SECOND_KEY
from tests.conformance.served import small_world
from tests.support import KEY, Live, live, world

pytestmark = pytest.mark.slow

TWO_KEYS = [KeyEntry(key=KEY, organisation="a"), KeyEntry(key=SECOND_KEY, organisation="b")]

for of_the_suite in (test_clause, test_every_check_could_be_completed, test_the_run_is_complete):
    vars(of_the_suite)["__test__"] = False  # they are none of this file's


def conformance(*arguments: str | Path, **environment: str) -> Result:
    """What the command did."""
    command = ["conformance", *map(str, arguments)]
    unset = dict.fromkeys(("LABS_API_KEY", "LABS_SECOND_API_KEY", "LABS_URL"))
    return CliRunner().invoke(main, command, env={"COLUMNS": "200", **unset, **environment})


def reverse_results(server: Live) -> None:
    """Break BAT-1."""
    fault = {"path": "/api/v1/batch/evaluate", "reverse_results": True}
    server.client.post("/_mock/faults", json=fault).raise_for_status()


def test_the_command_reports_what_it_found(server: Live, tmp_path: Path) -> None:
    """0 if nothing failed; the table has every clause, and two files are written. The budget was allowed to be too small."""
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "html")}
    options = [part for kind, file in files.items() for part in (f"--{kind}", file)]
    result = conformance(server.url, "--max-requests", "300", "--allow-incomplete", *options, LABS_API_KEY=KEY)
    assert result.exit_code == 0, result.output
    assert all(clause.name in result.stdout for clause in CLAUSES)
    assert "0 failed, 0 differs" in result.stdout
    assert json.loads(files["json"].read_text())["passed"]
    assert "It is incomplete: what was checked holds." in files["html"].read_text()
    assert len(server.records()) <= 300


@pytest.mark.parametrize(("options", "code"), [(["--allow-incomplete"], 0), ([], 1)])
def test_a_reader_that_leaves_changes_nothing(server: Live, tmp_path: Path, options: list[str], code: int) -> None:
    """With `| head` the exit code is that of the verdict, and files are written all the same."""
    report = tmp_path / "report.json"
    command = [sys.executable, "-m", "labs_mock", "conformance", server.url, "--api-key", KEY, "--max-requests", "5"]
    reads, writes = os.pipe()
    with subprocess.Popen(
        [*command, *options, "--json", str(report)], stdout=writes, stderr=subprocess.PIPE
    ) as process:
        os.close(writes)
        os.close(reads)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == code
    assert json.loads(report.read_text())["requests"] == 5


@pytest.mark.parametrize("most", ["1", "5", "300"])
def test_an_incomplete_run_does_not_pass(server: Live, tmp_path: Path, most: str) -> None:
    """1, unless it is allowed; every report says so, and every part that was not reached says why."""
    files = {kind: tmp_path / f"report.{kind}" for kind in ("json", "html")}
    options = [part for kind, file in files.items() for part in (f"--{kind}", file)]
    result = conformance(server.url, "--api-key", KEY, "--max-requests", most, *options)
    assert result.exit_code == 1
    assert result.stdout.endswith("\nIt is incomplete: what was checked holds.\n")
    assert "\nincomplete the budget of requests is spent: " in result.stdout
    report = json.loads(files["json"].read_text())
    assert not report["passed"]
    assert report["incomplete"][0].startswith("the budget of requests is spent: ")
    assert "checks were not finished, " in report["incomplete"][0]
    assert "It is incomplete" in files["html"].read_text()
    reasons = {
        one["reason"] for one in report["clauses"] if one["outcome"] == "skipped" and one["clause"] not in UNSEEN
    }
    assert reasons
    assert "not reached: the budget of requests is spent" in reasons
    assert not any("no check sees it" in one for one in reasons)
    allowed = conformance(server.url, "--api-key", KEY, "--max-requests", most, "--allow-incomplete", "--json", "-")
    assert allowed.exit_code == 0
    assert json.loads(allowed.stdout)["passed"]


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs have the checks with a second key, one that earns a reward, and the state machine: what is complete without the others."""
    few = [one for one in CHECKS if one is CHECKS[0] or one.name.startswith("organisations.")]
    assert len(few) > 5
    monkeypatch.setattr("labs_mock.conformance.runner.CHECKS", few)


@pytest.mark.usefixtures("few_checks")
def test_a_run_without_a_reward_is_incomplete(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no reward was above 0, nothing is known of what rewards depend on (RC-4)."""
    monkeypatch.setattr("labs_mock.conformance.every_response.REWARDS", ())
    result = conformance(server.url, "--api-key", KEY)
    assert result.exit_code == 1
    assert "\nincomplete no reward was above 0" in result.stdout


def test_what_needs_an_option_is_not_checked() -> None:
    """Without a dataset a run of all checks with both keys is complete, and says which option is missing (DS-4, ERR-2)."""
    with live(world(control_token="secret", keys=TWO_KEYS)) as guarded:
        result = conformance(guarded.url, "--api-key", KEY, "--second-api-key", SECOND_KEY, "--json", "-")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["incomplete"]) == (0, [])
    assert not any(key in result.output for key in (KEY, SECOND_KEY))
    reasons = {(one["clause"], one["basis"]): one["reason"] for one in report["clauses"]}
    assert reasons["DS-4", "documented"] == "not checked: a dataset must be named with --dataset"


def verdicts_of(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    """The entries of a report on standard output, by clause and basis."""
    return {(one["clause"], one["basis"]): one for one in json.loads(result.stdout)["clauses"]}


@pytest.mark.usefixtures("few_checks")
@pytest.mark.parametrize("how", ["an option", "the environment", "nothing"])
def test_a_second_key_is_used(how: str) -> None:
    """With one, AUTH-2 is checked; without, it is not, and the run is complete all the same. No report holds a key (ERR-2)."""
    with live(small_world()) as running:
        options = ["--second-api-key", SECOND_KEY] if how == "an option" else []
        environment = {"LABS_SECOND_API_KEY": SECOND_KEY if how == "the environment" else ""}
        result = conformance(running.url, "--api-key", KEY, "--json", "-", *options, **environment)
        used = [one for one in running.records() if one.organisation is not None and one.credentials == (SECOND_KEY,)]
    found = verdicts_of(result)
    assert (result.exit_code, json.loads(result.stdout)["incomplete"]) == (0, [])
    assert {one["outcome"] for one in found.values()} == {"passed", "skipped"}
    assert KEY not in result.output
    assert SECOND_KEY not in result.output
    assert bool(used) == (how != "nothing")
    for basis in ("documented", "inferred"):
        one = found["AUTH-2", basis]
        assert (one["outcome"] == "passed") == (how != "nothing")
        if how == "nothing":
            assert one["reason"] == "not checked: the key of another organisation must be given with --second-api-key"


def test_what_a_second_key_is_for_must_be_finished() -> None:
    """Where the budget was spent before, the run is incomplete for those checks, too (RL-2)."""
    with live(small_world()) as running:
        keys = ("--api-key", KEY, "--second-api-key", SECOND_KEY)
        result = conformance(running.url, *keys, "--max-requests", "5", "--json", "-", "--allow-incomplete")
    assert verdicts_of(result)["AUTH-2", "documented"]["reason"] == "not reached: the budget of requests is spent"


@pytest.mark.usefixtures("few_checks")
@pytest.mark.parametrize("organisation", ["a", "b"])
def test_a_second_key_that_sees_everything(organisation: str) -> None:
    """AUTH-2 is skipped with that reason; one of the same organisation finds the episode, which differs (EP-13)."""
    keys = [KeyEntry(key=KEY, organisation="a"), KeyEntry(key=SECOND_KEY, organisation=organisation)]
    with live(world(keys=keys)) as running:
        result = conformance(running.url, "--api-key", KEY, "--second-api-key", SECOND_KEY, "--json", "-")
    found = verdicts_of(result)
    assert (result.exit_code, json.loads(result.stdout)["incomplete"]) == (0, [])
    reason = "the second key sees every collection that the first one sees"
    assert {found["AUTH-2", basis]["reason"] for basis in ("documented", "inferred")} == {reason}
    differs = [clause for (clause, _), one in found.items() if one["outcome"] not in ("passed", "skipped")]
    assert differs == (["EP-13"] if organisation == "a" else [])


def test_a_second_key_must_be_another_one_that_is_known(server: Live) -> None:
    """The first one again, or one that the server does not know, is a usage error in one line (AUTH-1)."""
    same = conformance(server.url, "--api-key", KEY, "--second-api-key", KEY)
    assert len(server.records()) == 0
    wrong = conformance(server.url, "--api-key", KEY, "--second-api-key", "lab_wrong")
    assert (same.exit_code, wrong.exit_code) == (2, 2)
    assert (
        same.output == "labs-mock: second-api-key: expected the key of another organisation; got the same key twice\n"
    )
    assert wrong.output == f"labs-mock: {server.url} does not know the second key: 401 Invalid or missing API key\n"


def test_a_failure_is_1(server: Live) -> None:
    """A clause that does not hold ends with 1; JSON for standard output leaves the table to the other one (BAT-1)."""
    reverse_results(server)
    result = conformance(server.url, "--api-key", KEY, "--json", "-", "--max-requests", "700")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert "BAT-1" in [one["clause"] for one in report["clauses"] if one["outcome"] == "failed"]
    assert "BAT-1 failed" in result.stderr
    assert KEY not in result.output


def test_only_a_strict_run_fails_for_what_is_inferred(server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server differs from our reading, of the length of ids here, it passes, and with `--strict` not (ID-1)."""
    monkeypatch.setattr("labs_mock.conformance.every_response.ID_LENGTH", 27)
    for strict, code in (((), 0), (("--strict",), 1)):
        result = conformance(server.url, "--api-key", KEY, "--max-requests", "60", "--allow-incomplete", *strict)
        assert result.exit_code == code
        assert "ID-1 differs from our reading" in result.stdout


ADDRESS = "URL: expected http:// or https:// and a host, without /api/v1"


def test_no_server_wrong_usage_and_a_wrong_key_differ(server: Live, tmp_path: Path) -> None:
    """3 if nothing responds; 2 for bad usage and for a wrong key, which is reported in one line (AUTH-1)."""
    assert conformance("http://127.0.0.1:9", "--api-key", KEY).exit_code == 3
    assert conformance(server.url).exit_code == 2
    assert conformance("--api-key", KEY).exit_code == 2
    for wrong in (("--profile", "endless"), ("--max-requests", "0"), ("--html", tmp_path)):
        assert conformance(server.url, "--api-key", KEY, *wrong).exit_code == 2
    for url in ("127.0.0.1:9", "ftp://127.0.0.1", f"{server.url}/api/v1"):
        result = conformance(url, "--api-key", KEY)
        assert (result.exit_code, result.output.partition(";")[0]) == (2, f"labs-mock: {ADDRESS}")
    assert len(server.records()) == 0
    refused = conformance(server.url, "--api-key", "lab_wrong")
    assert refused.exit_code == 2
    assert refused.output == f"labs-mock: {server.url} does not know the key: 401 Invalid or missing API key\n"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        (("--scenario", "back-clam"), "the catalog has no 'back-clam'"),
        (("--scenario", "other/back-claim"), "the catalog has no 'other/back-claim'"),
        (("--collection", "back-claim"), "the catalog has no 'back-claim'"),
        (("--dataset", "mine"), "there is no dataset 'mine': 400 id: expected a UUID, got 'mine'"),
        (("--dataset", "0" * 8 + "-0000-4000-8000-" + "0" * 12), "there is no dataset '0"),
    ],
)
def test_what_is_named_must_be_there(server: Live, named: tuple[str, str], message: str) -> None:
    """A run of nothing would pass; instead it says what the server does not have."""
    result = conformance(server.url, "--api-key", KEY, *named)
    assert result.exit_code == 2
    assert result.output.startswith(f"labs-mock: {message}")


def without_the_extra(script: str) -> subprocess.CompletedProcess[str]:
    """What a script does where none of the suite's libraries can be imported."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({EXTRA})); from labs_mock.cli.main import main"
    command = [sys.executable, "-c", f"{blocked}\n{script}"]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_the_server_needs_nothing_of_the_extra() -> None:
    """It serves, and `labs-mock validate` does its work."""
    result = without_the_extra(
        "from labs_mock.testing import LabsMock\nwith LabsMock() as mock: print(mock.health().status)\nmain(['validate'])"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("ok\n13 scenarios")


def test_a_missing_extra_is_reported() -> None:
    """Without hypothesis and the others the command says what to install; 2."""
    result = without_the_extra("main(['conformance', 'http://127.0.0.1:9', '--api-key', 'k'])")
    assert result.returncode == 2
    assert result.stderr == (
        "labs-mock: httpx is not installed; pip install 'labs-mock[conformance]', or in a checkout '.[conformance]'\n"
    )


def test_pytest_reports_a_missing_extra_first(tmp_path: Path) -> None:
    """In one line, before the server and the key."""
    (tmp_path / "without.py").write_text(
        "import sys\nsys.modules.update(dict.fromkeys(['httpx', 'hypothesis', 'jinja2']))"
    )
    alone = ("-p", "no:hypothesispytest", "-p", "no:schemathesis", "-p", "no:anyio")
    code, output = pytest_form(tmp_path, *alone, "-p", "without", PYTHONPATH=str(tmp_path))
    assert code == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: httpx is not installed; pip install 'labs-mock[conformance]', or in a checkout '.[conformance]'"
        in output
    )
    assert "Traceback" not in output


def test_a_missing_extra_is_reported_first() -> None:
    """Before the URL and the key, but not before help."""
    refused, helped = (without_the_extra(f"main(['conformance', *{options}])") for options in ([], ["--help"]))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "'.[conformance]'" in refused.stderr
    assert (helped.returncode, helped.stderr) == (0, "")


# The table of options


def test_both_commands_have_the_options_of_the_table() -> None:
    """The names are those of the command line, and for pytest with `labs` in front."""
    assert [param.opts[0] for param in conformance_command.params if isinstance(param, click.Option)] == [
        f"--{option.name}" for option in OPTIONS
    ]
    assert name_for_pytest(OPTIONS[0]) == "--labs-mock-conformance-api-key"
    assert len({option.field for option in (URL, *OPTIONS)}) == len(OPTIONS) + 1


def parsed(*arguments: str, **environment: str) -> dict[str, Any]:
    """The values of pytest's options."""
    parser = pytest.Parser(_ispytest=True)
    add_to_pytest(parser)
    found = parser.parse(list(arguments))

    class Config:
        def getoption(self, name: str) -> Any:
            return getattr(found, name)

    return values_from_pytest(Config(), environment)


def test_options_of_pytest_reach_the_run() -> None:
    """Values are of their types, those of the environment count where there is no option, and repeated ones add up."""
    values = parsed(
        "--labs-mock-conformance-url",
        "http://a",
        "--labs-mock-conformance-dataset",
        "x",
        "--labs-mock-conformance-dataset",
        "y",
        "--labs-mock-conformance-max-requests",
        "7",
        LABS_API_KEY="k",
    )
    assert (values["url"], values["api_key"], values["second_api_key"]) == ("http://a", "k", None)
    assert (values["datasets"], values["scenarios"], values["max_requests"]) == (["x", "y"], (), 7)
    assert (values["profile"], values["strict"], values["seed"], values["html"]) == ("quick", False, 0, None)
    server = ("--labs-mock-conformance-url", "http://a", "--labs-mock-conformance-api-key", "k")
    assert parsed(*server, "--labs-mock-conformance-second-api-key", "l")["second_api_key"] == "l"
    assert parsed(*server, LABS_SECOND_API_KEY="l")["second_api_key"] == "l"
    for incomplete in ((), ("--labs-mock-conformance-url", "http://a"), ("--labs-mock-conformance-api-key", "k")):
        with pytest.raises(ValueError, match="is needed"):
            parsed(*incomplete)
    for text in ("0", "-1", "many"):
        with pytest.raises(ValueError, match=text):
            count(text)


# The pytest form


def report_of(
    outcome: str,
    strict: bool = False,
    errors: tuple[str, ...] = (),
    incomplete: tuple[str, ...] = (),
    allow: bool = False,
) -> Report:
    """A run with one verdict, on the first documented or inferred part."""
    part = next(one for one in PARTS if one.inferred == (outcome == "differs"))
    verdict = PartVerdict(part, checked=int(outcome != "skipped"), reason="for a reason")
    if outcome in ("failed", "differs"):
        verdict.violation = Violation(part, "this", "that", ())
    assert verdict.outcome == outcome
    return Report("http://a", "quick", 0, strict, allow, 1, 1.0, 0.0, errors, incomplete, [verdict])


@pytest.mark.parametrize(
    ("outcome", "strict", "ends"),
    [
        ("passed", False, None),
        ("skipped", False, pytest.skip.Exception),
        ("differs", False, pytest.xfail.Exception),
        ("differs", True, pytest.fail.Exception),
        ("failed", False, pytest.fail.Exception),
    ],
)
def test_a_test_ends_as_its_verdict(outcome: str, strict: bool, ends: type[BaseException] | None) -> None:
    """A difference in what is inferred is an expected failure, unless the run is strict."""
    report = report_of(outcome, strict)
    part = report.verdicts[0].part
    if ends is None:
        test_clause(report, part)
        return
    with pytest.raises(ends, match="for a reason" if outcome == "skipped" else "expected: this\nseen: that"):
        test_clause(report, part)


def test_a_check_that_broke_off_fails() -> None:
    """No error of the suite itself is passed over."""
    test_the_run_is_complete(report_of("passed"))
    with pytest.raises(pytest.fail.Exception, match="the budget"):
        test_the_run_is_complete(report_of("passed", incomplete=("the budget",)))
    with pytest.raises(pytest.xfail.Exception, match="the budget"):
        test_the_run_is_complete(report_of("passed", incomplete=("the budget",), allow=True))
    test_every_check_could_be_completed(report_of("passed"))
    with pytest.raises(pytest.fail.Exception, match="general: KeyError"):
        test_every_check_could_be_completed(report_of("passed", errors=("general: KeyError",)))


def pytest_form(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run the suite by pytest in an empty folder; its exit code and what it printed."""
    command = [sys.executable, "-m", "pytest", "-p", "no:asyncio", "-p", "no:cacheprovider", "-rA", "--pyargs"]
    result = subprocess.run(
        [*command, "labs_mock.conformance", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )
    return result.returncode, result.stdout + result.stderr


def test_pytest_has_a_test_for_each_part(server: Live, tmp_path: Path) -> None:
    """One run is behind them; a failure shows the violation and its curl lines, and reports are written (BAT-1)."""
    reverse_results(server)
    report, xml = tmp_path / "report.json", tmp_path / "report.xml"
    code, output = pytest_form(
        tmp_path,
        "--labs-mock-conformance-url",
        server.url,
        "--labs-mock-conformance-api-key",
        KEY,
        "--labs-mock-conformance-json",
        str(report),
        "--labs-mock-conformance-max-requests",
        "700",
        "--junitxml",
        str(xml),
    )
    assert code == 1
    outcomes = {(one["clause"], one["basis"]): one["outcome"] for one in json.loads(report.read_text())["clauses"]}
    words = {"passed": "PASSED", "failed": "FAILED", "skipped": "SKIPPED", "differs": "XFAIL"}
    for (clause, basis), outcome in outcomes.items():
        assert outcome == "skipped" or f"test_clause[{clause}-{basis}]" in output
        assert outcome == "skipped" or f"{words[outcome]} " in output
    assert f"{Counter(outcomes.values())['skipped']} skipped" in output
    assert "BAT-1 failed: " in output
    assert "/api/v1/batch/evaluate --data-binary" in output
    assert KEY not in output
    runs = [record for record in server.records() if record.path == "/_mock/datasets"]
    assert len(runs) <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "report.xml"}
    check_xml(xml, outcomes, server.url)


def check_xml(file: Path, outcomes: dict[tuple[str, str], str], url: str) -> None:
    """JUnit XML, which pytest writes, has a case for each part with its outcome, and says which server it is about."""
    suite = ElementTree.parse(file).getroot()[0]
    found = {(name.get("name"), name.get("value")) for name in suite.iter("property")}
    assert {("url", url), ("profile", "quick"), ("seed", "0")} <= found
    children = {"passed": [], "failed": ["failure"], "skipped": ["skipped"], "differs": ["skipped"]}
    cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    for (clause, basis), outcome in outcomes.items():
        assert cases[f"test_clause[{clause}-{basis}]"] == children[outcome]
    assert len(cases) == len(outcomes) + 2
    assert KEY not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--labs-mock-conformance-url", "http://127.0.0.1:9", "--labs-mock-conformance-api-key", "k"],
            "no response from http://127.0.0.1:9",
        ),
        (
            ["--labs-mock-conformance-url", "http://127.0.0.1:9"],
            "--labs-mock-conformance-api-key or LABS_API_KEY is needed",
        ),
        (["--labs-mock-conformance-seed", "x"], "--labs-mock-conformance-seed"),
    ],
)
def test_pytest_reports_a_mistake_in_a_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    """It ends as for any bad usage, and no test runs."""
    code, output = pytest_form(tmp_path, *arguments)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert message in output
    assert " passed" not in output
    assert " failed" not in output
