"""The judgement of a test that has passed: what its requests had that fails it all the same; and the report of one that failed."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import pytest

from labs_mock.errors import LabsMockError
from labs_mock.pytest_plugin.open_world import OPEN_WORLD, OpenWorld, result_or_fail
from labs_mock.pytest_plugin.options import save_folder
from labs_mock.pytest_plugin.shared_faults import note_shared_faults


class LabsMockWarning(pytest.PytestWarning):
    """What was found after a test, where the option for it is `warn`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is found after a test: lines of text, and the option with its effect on the test."""

    option: str
    heading: str
    lines: Sequence[str]

    def __str__(self) -> str:
        hint = f'({self.option}="warn" or "ignore" in the marker labs_mock lets them pass)'
        return "\n".join([self.heading, *self.lines, hint])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that has passed fails all the same for what its requests had."""
    passed = False
    try:
        result = yield
        passed = True
    finally:
        if OPEN_WORLD in item.stash:
            note_shared_faults(item.config, item.stash[OPEN_WORLD], passed)
    if OPEN_WORLD in item.stash:
        _judge(item, item.stash[OPEN_WORLD])
    return result


def _judge(item: pytest.Item, test: OpenWorld) -> None:
    errors = test.failures[:1]
    for judgement in result_or_fail(lambda: list(_judgements(test))):
        effect = test.options[judgement.option]
        if judgement.lines and effect == "error":
            errors.append(str(judgement))
        elif judgement.lines and effect == "warn":
            item.warn(LabsMockWarning(str(judgement)))
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)


def _judgements(test: OpenWorld) -> Iterator[Judgement]:
    """What is looked for, the causes before their consequences."""
    from labs_mock.testing.refusals import refusals_in
    from labs_mock.testing.request_report import warnings_in
    from labs_mock.testing.unused_faults import unused_faults_in

    refusals = test.server.result_of(refusals_in(test.world, test.store, test.mock._expectations))
    yield Judgement("refusals", "labs-mock refused requests, which the test did not expect:", refusals)
    shared = 0 if test.origin is None else len(test.options["faults"])
    own_faults = test.server.result_of(unused_faults_in(test.store, shared))
    yield Judgement("unused_faults", "labs-mock never applied a fault of this test:", own_faults)
    findings = test.server.result_of(warnings_in(test.world))
    yield Judgement("findings", "labs-mock has findings, which the real service would accept silently:", findings)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed shows its last requests, and where its session was saved, if it was."""
    report = yield
    if OPEN_WORLD in item.stash and report.failed:
        from labs_mock.testing.request_report import summary

        test = item.stash[OPEN_WORLD]
        try:
            text = test.server.result_of(summary(test.world))
        except LabsMockError as error:  # as of a store that does not answer
            text = str(error)
        folder = save_folder(item.config)
        if folder is not None:
            from labs_mock.testing.saved_sessions import save_test

            text += f"\n{save_test(test.server, test.world, folder, item.nodeid)}"
        report.sections.append(("labs-mock", text))
    return report
