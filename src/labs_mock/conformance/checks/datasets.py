"""Training datasets: their status, and what an export is (DS-1 to DS-6; the lines are checked by `rows`)."""

from collections.abc import Iterator

import orjson

from labs_mock.conformance.checks import check
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json
from labs_mock.conformance.strategies import comparable
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.conformance.violations import Skip
from labs_mock.contract.dataset_status import DATASET_STATUSES, FINAL
from labs_mock.contract.operations import OPERATIONS

NEVER_READY = tuple(status for status in FINAL if status != "ready")
GETS = [operation.name for operation in OPERATIONS if operation.path.startswith("/training-datasets/")]

POLLS = 6  # of a dataset that is not there yet, before it is taken as it is
ATTEMPTS = 4  # to export a dataset while it stays as it is
MOST_EXPORTS = 3  # the smallest ones that are ready
MOST_ROWS = 2_000  # of an export that is requested, so as to be polite

UUIDS = (
    *(f"c0ffee00-5ca1-{version}ab1-9e57-0123456789ab" for version in range(1, 9)),
    *(f"c0ffee00-5ca1-4ab1-{variant}e57-0123456789ab" for variant in "8ab"),
    "C0FFEE00-5CA1-4AB1-BE57-0123456789AB",
    "c0ffee00-5ca1-7AB1-9e57-0123456789aB",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
)
NO_UUIDS = (
    "c0ffee00-5ca1-0ab1-9e57-0123456789ab",  # version 0
    "c0ffee00-5ca1-9ab1-9e57-0123456789ab",
    "c0ffee00-5ca1-fab1-9e57-0123456789ab",
    "c0ffee00-5ca1-4ab1-7e57-0123456789ab",  # another variant
    "c0ffee00-5ca1-4ab1-ce57-0123456789ab",
    "c0ffee005ca14ab19e570123456789ab",
    "{c0ffee00-5ca1-4ab1-9e57-0123456789ab}",
    "urn:uuid:c0ffee00-5ca1-4ab1-9e57-0123456789ab",
    "c0ffee00-5ca1-4ab1-9e57-0123456789ab\n",
    " c0ffee00-5ca1-4ab1-9e57-0123456789ab",
    "c0ffee00-5ca1-4ab1-9e57-0123456789a",
    "c0ffee00-5ca1-4ab1-9e57-0123456789abc",
    "c0ffee00-5ca1-4ab1-9e57-0123456789ag",
    "00000000-0000-0000-0000-000000000001",  # version 0, and not nil
    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
    "fffffff0-ffff-ffff-ffff-ffffffffffff",
    "my-dataset",
    "1",
)


@check("DS-1", "DS-2")
def a_dataset_reports_its_status(target: Target) -> None:
    """Its status is one of seven, and its rows are counted when it is ready."""
    for name in target.each(target.datasets()):
        for state in polls(target, name):
            status, count = state["status"], state["row_count"]
            target.expect("DS-1", status in DATASET_STATUSES, f"one of {', '.join(DATASET_STATUSES)}", status)
            target.expect("DS-2", state["message"] != "", "a message that is not empty", state, inferred=False)
            holds = count is not None or status != "ready"
            target.expect("DS-2", holds, "a row_count when ready", state, inferred=True)


@check("DS-3")
def an_export_is_as_far_as_the_status(target: Target) -> None:
    """Until a dataset is ready the response is its status, and so it is when it never will be."""
    for name in target.each(target.datasets()):
        state, response = _export_between(target, name)
        if state is not None and response is not None:
            status = state["status"]
            target.expect_status(
                response, DATASET_STATUSES[status].export, "DS-3", inferred=False, why=f"a dataset that is {status}"
            )
            body = response.json if isinstance(response.json, dict) else {}
            holds = status == "ready" or comparable(body) == comparable(state)
            target.expect(
                "DS-3", holds, f"the status, {shown(comparable(state))}", response.content[:300], inferred=False
            )


@check("DS-2", "DS-4")
def an_export_is_a_file_of_lines(target: Target) -> None:
    """Its headers name it and count its rows, and it is one JSON object a line."""
    for name, response in target.each(exports(target)):
        target.verdicts.responses.append(response)  # it was requested before, for all checks of exports
        kind = response.headers.get("content-type", "").partition(";")[0]
        target.expect(
            "DS-4", kind == "application/x-ndjson", "content-type: application/x-ndjson", kind, inferred=False
        )
        wanted, seen = (
            f'attachment; filename="training-dataset-{name}.jsonl"',
            response.headers.get("content-disposition", ""),
        )
        target.expect("DS-4", seen.lower() == wanted.lower(), wanted, seen or "no content-disposition", inferred=False)
        lines = response.content.removesuffix(b"\n").split(b"\n")
        count = response.headers.get("x-row-count", "no such header")
        target.expect("DS-4", count == str(len(lines)), f"X-Row-Count: {len(lines)}", count, inferred=False)
        bad = [line[:200] for line in lines if not isinstance(_json(line), dict)]
        target.expect("DS-4", not bad, "a JSON object in every line", bad[:1], inferred=False)
        target.expect(
            "DS-4",
            response.content.endswith(b"\n"),
            "a line feed after the last line",
            response.content[-20:],
            inferred=True,
        )
        row_count = target.status(name)["row_count"]
        target.expect(
            "DS-2", str(row_count) == count, f"the row_count of X-Row-Count, {count}", row_count, inferred=True
        )


@check("DS-5")
def an_id_is_a_uuid(target: Target) -> None:
    """UUIDs of all versions in either case, all zeros and all f in lower case are accepted; anything else is a 400."""
    for operation in GETS:
        for name in target.each(UUIDS):
            response = target.request(operation, id=name)
            target.expect(
                "DS-5", response.status != 400, f"anything but a 400 for {name}", response.status, inferred=False
            )
        for name in target.each(NO_UUIDS):
            response = target.request(operation, id=name, limited=False)
            target.expect_status(response, 400, "DS-5", inferred=True, why=f"the id {quoted(name)}")


@check("DS-5")
def an_unknown_dataset_is_not_found(target: Target) -> None:
    """Neither its status nor its rows."""
    for operation in GETS:
        for name in target.each(UUIDS[:3]):
            target.expect_status(
                target.request(operation, id=name), 404, "DS-5", inferred=True, why="an unknown dataset"
            )


@check("DS-5")
def upper_case_is_the_same_dataset(target: Target) -> None:
    """Its status is the same, and the name of an exported file has the spelling that the dataset was stored with."""
    for name in target.each(_final(target, *FINAL)):
        one, other = target.status(name), target.request("dataset_status", id=name.upper())
        target.expect_status(other, 200, "DS-5", inferred=True, why=f"{name} in upper case")
        same = comparable(one) == comparable(other.json)
        target.expect("DS-5", same, f"the same status, {shown(comparable(one))}", other.json, inferred=True)
        if one["status"] == "ready" and _few(one["row_count"]):
            files = [
                target.request("export_dataset", id=spelling).headers["content-disposition"]
                for spelling in (name, name.upper())
            ]
            target.expect("DS-5", files[0] == files[1], f"the same file, {files[0]}", files[1], inferred=True)


@check("DS-6")
def what_is_ready_stays_so(target: Target) -> None:
    """Every export has the same bytes, and the status remains."""
    for name, response in target.each(exports(target)):
        states = [comparable(target.status(name)) for _ in range(2)]
        again = target.request("export_dataset", id=name)
        same = again.content == response.content
        target.expect("DS-6", same, "the same bytes", "others", responses=(response, again))
        counts = [one.headers.get("x-row-count") for one in (response, again)]
        target.expect("DS-6", counts[0] == counts[1], f"X-Row-Count: {counts[0]}", counts[1])
        holds = states[0] == states[1] and states[0]["status"] == "ready"
        target.expect("DS-6", holds, f"a status that remains ready, {shown(states[0])}", states[1])


@check("DS-6")
def what_is_cancelled_or_failed_stays_so(target: Target) -> None:
    """Its status and its exports are the same again and again."""
    for name in target.each(_final(target, *NEVER_READY)):
        one, other = target.status(name), target.status(name)
        target.expect("DS-6", comparable(one) == comparable(other), f"the same status, {shown(comparable(one))}", other)
        responses = [target.request("export_dataset", id=name) for _ in range(2)]
        bodies = [(response.status, comparable(response.json)) for response in responses]
        target.expect("DS-6", bodies[0] == bodies[1], f"the same export, {shown(bodies[0])}", bodies[1])


def polls(target: Target, name: str) -> Iterator[Json]:
    """The states of a dataset, polled until it is final, and not for long."""
    for _ in range(POLLS):
        state = target.status(name)
        yield state
        if state["status"] in FINAL:
            return


def exports(target: Target) -> list[tuple[str, Response]]:
    """The ids and exports of the smallest datasets that are ready, each requested once. Raises `Skip` if there is none."""
    if "exports" not in target.remembered:
        sizes = {name: target.status(name)["row_count"] for name in _final(target, "ready")}
        small = sorted((size, name) for name, size in sizes.items() if _few(size))
        exported = [(name, target.request("export_dataset", id=name)) for _, name in small[:MOST_EXPORTS]]
        target.remembered["exports"] = [(name, response) for name, response in exported if response.status == 200]
    found: list[tuple[str, Response]] = target.remembered["exports"]
    if not found:
        raise Skip(f"no export of a ready dataset with at most {MOST_ROWS:,} rows")
    return found


def _final(target: Target, *statuses: str) -> list[str]:
    """The datasets that end in one of some statuses, if that is soon. Raises `Skip` if there is none."""
    if "final" not in target.remembered:
        target.remembered["final"] = {name: [*polls(target, name)][-1]["status"] for name in target.datasets()}
    found = [name for name, status in target.remembered["final"].items() if status in statuses]
    if not found:
        raise Skip(f"no dataset is {' or '.join(statuses)}")
    return found


def _export_between(target: Target, name: str) -> tuple[Json | None, Response | None]:
    """A state, and an export while it lasted; none if it never lasts, or if there are too many rows."""
    for _ in range(ATTEMPTS):
        before = target.status(name)
        if before["status"] == "ready" and not _few(before["row_count"]):
            break
        response = target.request("export_dataset", id=name)
        if comparable(target.status(name)) == comparable(before):
            return before, response
    return None, None


def _few(rows: object) -> bool:
    return isinstance(rows, int) and rows <= MOST_ROWS


def _json(line: bytes) -> object:
    try:
        value: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value
