"""The faults that tests share, and that none of them has applied: they fail the end of the run.

A fault of a class, a module, the command line or the ini file is noted by every test that had it. With pytest-xdist the workers
send their notes with the rest of their output, and the controller decides, which sees all tests.
"""

from typing import Any

import pytest

from labs_mock.pytest_plugin.open_world import OpenWorld

OUTPUT = "labs_mock_shared_faults"
"""The name of the notes in the output of a worker."""
SHARED_FAULTS = pytest.StashKey[dict[str, dict[str, Any]]]()
"""For the text of each fault and where it is written: whether a test applied it, and its worst effect in a test that passed."""


def note_shared_faults(config: pytest.Config, test: OpenWorld, passed: bool) -> None:
    """Note which of the faults that a test shares with others it has applied."""
    from labs_mock.testing.unused_faults import fault_text

    if test.origin is None:
        return
    effects = {test.options["unused_faults"]} if passed else set()
    for added in test.store.added_faults[: len(test.options["faults"])]:
        _note(config, f"{fault_text(added)} of {test.origin}", added.applied, effects)


def _note(config: pytest.Config, name: str, applied: bool, effects: set[str]) -> None:
    notes = config.stash.setdefault(SHARED_FAULTS, {})
    before = notes.get(name, {"applied": False, "effects": []})
    notes[name] = {"applied": applied or before["applied"], "effects": sorted({*effects, *before["effects"]})}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended."""
    for name, note in getattr(node, "workeroutput", {}).get(OUTPUT, {}).items():
        _note(node.config, name, note["applied"], set(note["effects"]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that has passed fails all the same for a fault that no test applied."""
    config = session.config
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[OUTPUT] = config.stash.get(SHARED_FAULTS, {})
    elif session.exitstatus == pytest.ExitCode.OK and _unused(config, "error"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config, exitstatus: int) -> None:
    """Name them."""
    if exitstatus != pytest.ExitCode.OK:  # of what failed they may be a consequence
        return
    errors, warnings = _unused(config, "error"), _unused(config, "warn")
    for names, word, colour in ((errors, "error", "red"), (warnings, "warning", "yellow")):
        if names:
            terminalreporter.write_sep("=", f"labs-mock: {word}", **{colour: True})
            terminalreporter.write_line("faults that no test applied:")
            for name in names:
                terminalreporter.write_line(f"  {name}")
            terminalreporter.write_line('(unused_faults="warn" or "ignore" in the marker labs_mock lets them pass)')


def _unused(config: pytest.Config, effect: str) -> list[str]:
    """The faults that no test applied and whose worst effect is this one."""
    return [
        name
        for name, note in sorted(config.stash.get(SHARED_FAULTS, {}).items())
        if not note["applied"] and note["effects"] and _worst(note["effects"]) == effect
    ]


def _worst(effects: list[str]) -> str:
    return min(effects, key=["error", "warn", "ignore"].index)
