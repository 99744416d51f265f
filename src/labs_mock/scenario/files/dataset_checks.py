"""What is wrong with a dataset beyond its schema: the order of its stages, and where its rows come from."""

from collections.abc import Iterator
from typing import Any

from labs_mock.contract.dataset_status import FINAL, WITH_ERROR
from labs_mock.scenario.files.paths import Mistake, Steps, mappings

Data = dict[str, Any]


def check_dataset(data: Data) -> Iterator[Mistake]:
    """All mistakes of a dataset file that its schema cannot see, but for its references to scenarios."""
    stages = mappings(data, "lifecycle.*")
    for index, (path, stage) in enumerate(stages):
        yield from _check_stage(path, stage, index == len(stages) - 1)
    yield from _check_row_sources(data, stages[-1][1].get("status") if stages else None)


def _check_row_sources(data: Data, final: Any) -> Iterator[Mistake]:
    rows = data.get("rows")
    sources = [key for key in ("generate", "file", "inline") if isinstance(rows, dict) and key in rows]
    if rows is not None and len(sources) != 1:
        yield Mistake(("rows",), "rows with several sources, or with none", "expected one of: generate, file, inline")
    if final == "ready" and rows is None:
        yield Mistake(("lifecycle",), "a dataset that gets ready needs rows", "expected 'rows' in this file", True)


def _check_stage(path: Steps, stage: Data, last: bool) -> Iterator[Mistake]:
    status, ends = stage.get("status"), [key for key in ("polls", "seconds") if key in stage]
    if not last and status in FINAL:
        yield Mistake(path, f"a stage after '{status}'", f"expected '{status}' to be the last one")
    if last and isinstance(status, str) and status not in FINAL:
        yield Mistake(path, f"the lifecycle ends with '{status}'", f"expected one of: {', '.join(FINAL)}")
    if last and ends:
        yield Mistake((*path, ends[0]), "the final stage does not end", "remove it", True)
    if not last and len(ends) != 1:
        yield Mistake(path, "a stage without an end, or with two", "expected either 'polls' or 'seconds'")
    if ("error" in stage) != (status in WITH_ERROR):
        yield Mistake(
            path, "'error' belongs to the status failed, and to it alone", "expected the reason of the failure"
        )
