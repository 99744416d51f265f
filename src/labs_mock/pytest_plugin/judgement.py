"""The judgement of a test that has passed: what its requests had that fails it all the same; and the report of one that failed."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import pytest

from labs_mock.pytest_plugin.open_world import OPEN_WORLD, OpenWorld


class LabsMockWarning(pytest.PytestWarning):
    """What is found after a test whose option for it is "warn"."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is found after a test: lines of text, and the option (None: always an error) with its effect on the test."""

    option: str | None
    heading: str
    lines: Sequence[str]
    hint: str

    def __str__(self) -> str:
        return "\n".join([self.heading, *self.lines, *[self.hint] * bool(self.hint)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that has passed fails all the same for what its requests had."""
    result = yield
    if OPEN_WORLD in item.stash:
        _judge(item, item.stash[OPEN_WORLD])
    return result


def _judge(item: pytest.Item, test: OpenWorld) -> None:
    errors = []
    for judgement in _judgements(test):
        effect = "error" if judgement.option is None else test.options[judgement.option]
        if effect == "error":
            errors.append(str(judgement))
        elif effect == "warn":
            item.warn(LabsMockWarning(str(judgement)))
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)


def _judgements(test: OpenWorld) -> Iterator[Judgement]:
    """What is found, the causes before their consequences."""
    from labs_mock.testing.request_report import failures_in, warnings_in

    if failures := test.server.result_of(failures_in(test.world)):
        yield Judgement(None, "labs-mock answered 500 where no fault and no dataset asked for it:", failures, "")
    if findings := test.server.result_of(warnings_in(test.world)):
        heading = "labs-mock has findings, which the real service would take silently:"
        yield Judgement(
            "findings", heading, findings, '(findings="warn" or "ignore" in the marker labs_mock lets them pass)'
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a test that failed shows its last requests."""
    report = yield
    if OPEN_WORLD in item.stash and report.failed:
        from labs_mock.testing.request_report import summary

        test = item.stash[OPEN_WORLD]
        report.sections.append(("labs-mock", test.server.result_of(summary(test.world))))
    return report
