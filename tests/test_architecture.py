import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import labs_mock
from labs_mock.config.starter import FOLDER

SOURCE = Path(labs_mock.__file__).parent

# Bottom to top. A module imports from rooms before its own, or in its own room from files listed before it.
ROOMS = (
    ("escapes", "extras", "errors", "clock", "text", "redaction", "ids"),
    (
        "contract.limits",
        "contract.tokens",
        "contract.dimensions",
        "contract.wording",
        "contract.findings",
        "contract.clauses",
        "contract.dataset_status",
        "contract.windows",
        "contract.requests",
        "contract.responses",
        "contract.rows",
        "contract.operations",
        "contract.parsing",
        "contract.unknown_fields",
        "contract.control",
        "contract.openapi",
    ),
    (
        "scenario.files.paths",
        "scenario.files.folder",
        "scenario.files.fields",
        "scenario.rules.algebra",
        "scenario.rules.rulebook",
        "scenario.rules.patterns",
        "scenario.rules.inputs",
        "scenario.rules.satisfiable",
        "scenario.rules.vocabulary",
        "scenario.rules.operators",
        "scenario.rules.nesting",
        "scenario.rules.rule_checks",
        "scenario.files.operator_schema",
        "scenario.files.schema",
        "scenario.files.dataset_schema",
        "scenario.files.yaml_syntax",
        "scenario.files.yaml_scalars",
        "scenario.files.source",
        "scenario.files.yaml_nodes",
        "scenario.files.yaml_document",
        "scenario.files.schema_mistakes",
        "scenario.compiled.tools",
        "scenario.compiled.persona",
        "scenario.compiled.criteria",
        "scenario.compiled.scenario",
        "scenario.compiled.summary",
        "scenario.compiled.choices",
        "scenario.compiled.datasets",
        "scenario.files.known_files",
        "scenario.files.tool_checks",
        "scenario.files.scenario_checks",
        "scenario.files.scenario_warnings",
        "scenario.files.yaml_text",
        "scenario.files.public_texts",
        "scenario.files.feasibility",
        "scenario.files.dataset_checks",
        "scenario.files.row_checks",
        "scenario.files.loader",
    ),
    (
        "config.settings",
        "config.fault_entry",
        "config.server_file",
        "config.fault_warnings",
        "config.library",
        "config.single_file",
        "config.printing",
        "config.starter",
    ),
    (
        "engine.transcript",
        "engine.play",
        "engine.assessment",
        "engine.evidence",
        "engine.scorers",
        "engine.gate",
        "engine.reward",
        "engine.caches",
        "engine.observation",
        "engine.player",
        "engine.requires_check",
        "engine.extra_warnings",
        "engine.attribution",
        "engine.detectors",
        "engine.conversation_hash",
        "engine.canary",
        "engine.replay",
        "engine.evaluation",
        "engine.rollout",
        "engine.choice_space",
        "engine.rollout_tree",
        "engine.generated_rows",
        "engine.explanation",
        "engine.turn_results",
    ),
    (
        "state.account",
        "state.quota",
        "state.planned_fault",
        "state.arrival",
        "state.episode",
        "state.fault_target",
        "state.fault_matching",
        "state.dataset_progress",
        "state.posted_verdict",
        "state.record",
        "state.sums",
        "state.library_source",
        "state.commit",
        "state.bounds",
        "state.store",
        "state.memory.attempts",
        "state.memory.commit_tokens",
        "state.memory.quotas",
        "state.memory.accounts",
        "state.memory.episodes",
        "state.memory.normalisation",
        "state.memory.datasets",
        "state.memory.libraries",
        "state.memory.fault_plan",
        "state.memory.rewards",
        "state.memory.journal",
        "state.memory.store",
        "state.redis.connection",
        "state.redis.connection_failures",
        "state.redis.scripts",
        "state.redis.namespace",
        "state.redis.lease",
        "state.redis.control_document",
        "state.redis.shelf",
        "state.redis.packing",
        "state.redis.script_words",
        "state.redis.control_plane",
        "state.redis.fault_rules",
        "state.redis.fault_plan",
        "state.redis.arrivals",
        "state.redis.stored_library",
        "state.redis.journal",
        "state.redis.store",
        "state.redis.namespaces",
        "state.spool",
        "state.caches",
        "state.world",
        "state",
    ),
    (
        "http.bearer",
        "http.bodies",
        "http.delivery",
        "http.sending",
        "http.request",
        "http.exchange",
        "http.faults.results",
        "http.faults.response",
        "http.faults.lines",
        "http.faults.changes",
        "http.faults.kinds",
        "http.faults.applying",
        "http.faults.faulty_sending",
        "http.catalog",
        "http.evaluation",
        "http.episodes",
        "http.datasets",
        "http.keys",
        "http.endpoints",
        "http.routes",
        "http.order",
        "http.deferred",
        "http.page_headers",
        "http.control.resources",
        "http.control.session_cookie",
        "http.control.guard",
        "http.control.clock",
        "http.control.reset",
        "http.control.keys",
        "http.control.journal",
        "http.control.datasets",
        "http.control.dataset_rows",
        "http.control.quotas",
        "http.session.saved_fields",
        "http.session.saved_library",
        "http.session.saved_talk",
        "http.session.session_lines",
        "http.session.saved_store",
        "http.session.saved_world",
        "http.session.session_saving",
        "http.session.session_reading",
        "http.control.verification",
        "http.control.run_records",
        "http.control.run_findings",
        "http.control.findings",
        "http.control.rewards",
        "http.control.verdict_list",
        "http.control.episode_list",
        "http.control.failed_requests",
        "http.control.expecting",
        "http.control.episodes",
        "http.control.explaining",
        "http.control.scenarios",
        "http.control.faults",
        "http.control.settings",
        "http.control.session",
        "http.control.events",
        "http.control.operations",
        "http.control.openapi",
        "http.control.handlers",
        "http.control",
        "http.inspector.charts",
        "http.inspector.rendering",
        "http.inspector.endings",
        "http.inspector.chat_lines",
        "http.inspector.conversation",
        "http.inspector.replay_code",
        "http.inspector.overview_page",
        "http.inspector.episode_page",
        "http.inspector.evaluation_page",
        "http.inspector.dataset_page",
        "http.inspector.verdict_page",
        "http.inspector.request_page",
        "http.inspector.login_page",
        "http.inspector.fault_form",
        "http.inspector.fault_page",
        "http.inspector.scenario_page",
        "http.inspector.play_page",
        "http.inspector.pages",
        "http.inspector",
        "http.documentation",
        "http.app",
        "http.request_log",
        "http",
    ),
    (
        "serving.sockets",
        "serving.outbox",
        "serving.protocol",
        "serving.server",
        "serving.reload",
        "serving.application",
        "serving.shared_store",
        "serving.worker",
        "serving.supervisor",
        "serving.shared_server",
        "serving.own_namespace",
        "serving.worlds",
        "serving.process",
        "serving.thread",
        "testing.backends",
        "testing.own_connections",
        "testing.recorded",
        "testing.finding_lines",
        "testing.assertions",
        "testing.control_client",
        "testing.verdicts.float_values",
        "testing.verdicts.expected_rewards",
        "testing.verdicts.groups",
        "testing.verdicts.reward_comparison",
        "testing.verdicts.reward_places",
        "testing.verdicts.reward_lists",
        "testing.verdicts.reward_labels",
        "testing.verdicts.verdict",
        "testing.verdicts.advantage_formula",
        "testing.verdicts.advantage_mistakes",
        "testing.verdicts.advantages",
        "testing.verdicts.trained_rollout",
        "testing.verdicts.trained_texts",
        "testing.expectations",
        "testing.handle",
        "testing.asked_for",
        "testing.watched_store",
        "testing.refusals",
        "testing.unused_faults",
        "testing.request_report",
        "testing.saved_sessions",
        "testing.source_line",
        "testing.replaced_sleep",
        "testing.followed_time",
        "testing.drills.fast_time",
        "testing.drills.client_main",
        "testing.drills.drill_report",
        "testing.drills.drilled_function",
        "testing.drills.client_process",
        "testing.drills.happened",
        "testing.drills.retries",
        "testing.drills.judge",
        "testing.drills.conversations",
        "testing.drills.preparation",
        "testing.drills.cases",
        "testing.drills.case_run",
        "testing.drills.drill",
        "testing",
        "cli.collector",
        "cli.exits",
        "cli.completion",
        "cli.options",
        "cli.tables",
        "cli.scenario_tables",
        "cli.validation",
        "cli.validation_formats",
        "cli.commands.serve",
        "cli.commands.validate",
        "cli.commands.scenarios",
        "cli.commands.schema",
        "cli.new_files",
        "cli.commands.init",
        "cli.commands.score",
        "cli.played_conversation",
        "cli.play_commands",
        "cli.commands.play",
        "cli.junit",
        "cli.finding_formats",
        "cli.commands.findings",
        "cli.command_process",
        "cli.commands.run",
        "cli.commands.state",
        "cli.doctor_call",
        "cli.diagnoses",
        "cli.doctor_steps",
        "cli.commands.doctor",
        "cli.drill_formats",
        "cli.commands.drill",
        "cli.commands.export",
        "cli.commands.inspect",
        "cli.commands.conformance",
        "cli.main",
        "__main__",
        "pytest_plugin.options",
        "pytest_plugin.open_world",
        "pytest_plugin.fixtures",
        "pytest_plugin.shared_faults",
        "pytest_plugin.judgement",
        "pytest_plugin.drill_fixture",
        "pytest_plugin",
    ),
)
# A side room: it imports from the two lowest floors alone. The command line imports from it, and the plugin its options.
CONFORMANCE = tuple(
    f"conformance.{name}"
    for name in (
        "options",
        "http_response",
        "violations",
        "verdicts",
        "report",
        "client",
        "every_response",
        "offered",
        "target",
        "strategies",
        "earning",
        "discovery",
        "played_episode",
        "worked_histories",
        "checks",
        "checks.body_fields",
        "checks.general",
        "checks.evaluation",
        "checks.batch",
        "checks.keys",
        "checks.organisations",
        "checks.weights",
        "checks.requirements",
        "checks.catalog",
        "checks.episodes",
        "checks.histories",
        "checks.calls",
        "checks.silence",
        "checks.normalisation",
        "checks.comparison",
        "checks.units",
        "checks.datasets",
        "checks.rows",
        "profiles",
        "machine",
        "execution",
        "runner",
        "reports.as_json",
        "reports.terminal",
        "reports.page",
        "reports.writing",
        "conftest",
        "test_contract",
    )
)
ORDER = [module for room in ROOMS for module in room]
FACES = (
    "contract",
    "scenario",
    "scenario.files",
    "scenario.rules",
    "scenario.compiled",
    "config",
    "engine",
    "state.memory",
    "state.redis",
    "http.faults",
    "http.session",
    "serving",
    "testing.drills",
    "testing.verdicts",
    "cli",
    "cli.commands",
    "conformance",
    "conformance.reports",
    "",
)  # packages that only say what they are


@cache
def modules() -> dict[str, Path]:
    """All modules of the package by name, without the package's own name in front."""
    found = {}
    for path in [path for path in SOURCE.rglob("*.py") if not path.is_relative_to(FOLDER)]:
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        found[name.removesuffix("__init__").rstrip(".")] = path
    return found


def imports(path: Path) -> set[str]:
    """The modules of this package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    inside = {name.removeprefix("labs_mock.") for name in found if name.startswith("labs_mock.")}
    return inside & set(modules())


def test_every_module_has_a_floor() -> None:
    """The list above names every module, and none that does not exist."""
    assert {*ORDER, *CONFORMANCE} == set(modules()) - set(FACES)


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_downwards(module: str) -> None:
    """A module imports only what stands before it in the list, inside functions and for types too."""
    beside = {"cli.commands.conformance": CONFORMANCE, "pytest_plugin.options": ("conformance.options",)}.get(
        module, ()
    )
    below = {*ORDER[: ORDER.index(module)], *FACES, *beside}
    assert imports(modules()[module]) <= below


@pytest.mark.parametrize("module", CONFORMANCE)
def test_the_conformance_suite_stands_apart(module: str) -> None:
    """It imports from the two lowest floors and from itself, never from the server, so that it can judge any."""
    below = {*ROOMS[0], *ROOMS[1], *CONFORMANCE[: CONFORMANCE.index(module)], *FACES}
    assert imports(modules()[module]) <= below


@pytest.mark.parametrize("module", FACES)
def test_faces_import_nothing(module: str) -> None:
    """The packages that only say what they are stay so."""
    assert imports(modules()[module]) == set()


def test_only_the_clock_knows_the_time_and_nobody_draws() -> None:
    """Only `clock`, the client that waits for other servers, and what gives tests and drilled processes another time know
    `time`; nothing imports `random` or `uuid`.
    """
    of_time = (
        "clock",
        "conformance.client",
        "testing.replaced_sleep",
        "testing.followed_time",
        "testing.drills.fast_time",
    )
    for name, path in modules().items():
        imported = {
            alias.name.partition(".")[0] if isinstance(node, ast.Import) else (node.module or "").partition(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert not imported & {"random", "uuid"}, name
        assert name in of_time or not imported & {"time", "datetime"}, name


def test_the_plugin_imports_nothing_heavy() -> None:
    """The packages import nothing when pytest loads them, the plugin what is light, and so does the table of its options."""
    standard = {"os", "collections.abc", "dataclasses", "functools", "importlib.util", "pathlib", "typing"}
    plugin = {
        "pytest",
        "labs_mock.errors",
        "labs_mock.extras",
        "labs_mock.contract.limits",
        "labs_mock.conformance.options",
    }
    plugin |= {f"labs_mock.{name}" for name in ORDER if name.startswith("pytest_plugin")}
    allowed = {
        "": set(),
        **{name: {*standard, *plugin} for name in ORDER if name.startswith("pytest_plugin")},
        "contract": set(),
        "contract.limits": {"typing"},
        "conformance": set(),
        "extras": set(),
        "conformance.options": {*standard, "labs_mock.extras"},
    }
    for name, light in allowed.items():
        body = ast.parse(modules()[name].read_text()).body
        found = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
        found |= {str(node.module) for node in body if isinstance(node, ast.ImportFrom)}
        assert found <= light, name


def test_no_function_is_longer_than_a_screen() -> None:
    """Functions fit a screen: at most 60 lines with their docstrings."""
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{name}.{node.name}"


ALIKE = {
    *(
        "caches",
        "catalog",
        "clock",
        "datasets",
        "drill",
        "episodes",
        "evaluation",
        "fault_plan",
        "findings",
        "journal",
        "keys",
        "normalisation",
        "openapi",
    ),
    *("operations", "play", "options", "quotas", "rewards", "rows", "scenarios", "schema", "settings", "store"),
}
"""Names of modules in several rooms, each time for the same thing."""


def test_no_name_stands_for_two_things() -> None:
    """No class has the name of another, and no module that of one with another meaning."""
    classes = Counter(
        node.name
        for path in modules().values()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, times in classes.items() if times > 1] == []
    names = Counter(path.stem for path in modules().values() if path.stem != "__init__")
    assert {name for name, times in names.items() if times > 1} == ALIKE
