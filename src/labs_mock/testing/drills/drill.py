"""`drill`: a function meets every case. What runs a case is imported when it is needed."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from labs_mock.errors import LabsMockError
from labs_mock.testing.drills.drill_report import DrillReport, DrillRow
from labs_mock.testing.drills.drilled_function import DrilledFunction
from labs_mock.text import did_you_mean

if TYPE_CHECKING:
    from labs_mock.testing.drills.cases import DrillCase

AT_ONCE = max(2, min(4, os.cpu_count() or 2))  # cases; more would slow each other down, and time out


def drill(function: Callable[..., Any] | str, *, cases: Iterable[str] | None = None) -> DrillReport:
    """Run a function through all cases that it can meet, or through those that are named.

    It is a function at the top level of a module, or `"module:function"`. `function(conversations)` returns their rewards;
    `play()` plays an episode and returns its last reward. Both may be async, and take `url` and `key`, which are in
    `LABS_URL` and `LABS_API_KEY`, too. Raises `LabsMockError` for anything else, and `StartError` if no server could start.
    """
    drilled = DrilledFunction.find(function)
    return DrillReport(str(drilled), tuple(rows_of(drilled, chosen_cases(drilled, cases))))


def rows_of(drilled: DrilledFunction, cases: "list[DrillCase]") -> Iterator[DrillRow]:
    """Run some cases, a few at a time; the row of each, in their order."""
    from labs_mock.testing.drills.case_run import drill_library, run_case

    loaded = drill_library()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(run_case, case, drilled, loaded) for case in cases]
        try:
            for future in futures:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def chosen_cases(drilled: DrilledFunction, names: Iterable[str] | None) -> "list[DrillCase]":
    """The cases with some names, in the order of the table. Raises `LabsMockError` for one that the function cannot meet."""
    from labs_mock.testing.drills.cases import BY_NAME

    possible = {case.name: case for case in BY_NAME.values() if case.only in (None, drilled.kind)}
    if names is None:
        return [*possible.values()]
    wanted = dict.fromkeys(names)
    for name in wanted:
        if name not in possible:
            if name in BY_NAME:
                other = "play()" if drilled.kind == "rewards" else "function(conversations)"
                raise LabsMockError(f"case {name}: {drilled} cannot meet it; it is one of {other}")
            raise LabsMockError(f"no case {name[:80]!r}; {did_you_mean(name, possible)}")
    return [case for name, case in possible.items() if name in wanted]
