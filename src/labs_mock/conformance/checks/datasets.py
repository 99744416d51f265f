"""Training datasets: how far they are, and what an export is (DS-1 to DS-6; the lines are judged by `rows`)."""

from collections.abc import Iterator

import orjson

from labs_mock.conformance.checks import check
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import without
from labs_mock.conformance.target import Json
from labs_mock.conformance.violations import Skip
from labs_mock.contract.dataset_status import DATASET_STATUSES, FINAL
from labs_mock.contract.operations import OPERATIONS

NEVER_READY = tuple(status for status in FINAL if status != "ready")
GETS = [operation.name for operation in OPERATIONS if operation.path.startswith("/training-datasets/")]

POLLS = 6  # of a dataset that is not there yet, before it is taken as it is
ATTEMPTS = 4  # to ask for an export while a dataset stays as it is
MOST_EXPORTS = 3  # the smallest ones that are ready
MOST_ROWS = 2_000  # of an export that is asked for, so as to be polite

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
def a_dataset_says_how_far_it_is(lab: Lab) -> None:
    """Its status is one of seven, and its rows are counted when it is ready."""
    for name in lab.each(lab.datasets()):
        for state in polls(lab, name):
            status, count = state["status"], state["row_count"]
            lab.expect("DS-1", status in DATASET_STATUSES, f"one of {', '.join(DATASET_STATUSES)}", status)
            lab.expect("DS-2", state["message"] != "", "a status that says something", state, inferred=False)
            held = count is not None or status != "ready"
            lab.expect("DS-2", held, "a row_count when ready", state, inferred=True)


@check("DS-3")
def an_export_is_as_far_as_the_status(lab: Lab) -> None:
    """Until a dataset is ready an export tells its status, and so it does when it never will be."""
    for name in lab.each(lab.datasets()):
        state, sent = _export_between(lab, name)
        if state is not None and sent is not None:
            status = state["status"]
            lab.refused(
                sent, DATASET_STATUSES[status].export, "DS-3", inferred=False, why=f"a dataset that is {status}"
            )
            told = sent.json if isinstance(sent.json, dict) else {}
            held = status == "ready" or without(told) == without(state)
            lab.expect("DS-3", held, f"the status, {shown(without(state))}", sent.answer[:300], inferred=False)


@check("DS-2", "DS-4")
def an_export_is_a_file_of_lines(lab: Lab) -> None:
    """Its headers name it and count its rows, and it is one JSON object a line."""
    for name, sent in lab.each(exports(lab)):
        lab.judgements.exchanges.append(sent)  # it was sent before, for all that look at it
        kind = sent.headers.get("content-type", "").partition(";")[0]
        lab.expect("DS-4", kind == "application/x-ndjson", "content-type: application/x-ndjson", kind, inferred=False)
        wanted, seen = (
            f'attachment; filename="training-dataset-{name}.jsonl"',
            sent.headers.get("content-disposition", ""),
        )
        lab.expect("DS-4", seen.lower() == wanted.lower(), wanted, seen or "no content-disposition", inferred=False)
        lines = sent.answer.removesuffix(b"\n").split(b"\n")
        count = sent.headers.get("x-row-count", "no such header")
        lab.expect("DS-4", count == str(len(lines)), f"X-Row-Count: {len(lines)}", count, inferred=False)
        bad = [line[:200] for line in lines if not isinstance(_json(line), dict)]
        lab.expect("DS-4", not bad, "a JSON object in every line", bad[:1], inferred=False)
        lab.expect(
            "DS-4", sent.answer.endswith(b"\n"), "a line feed after the last line", sent.answer[-20:], inferred=True
        )
        told = lab.status(name)["row_count"]
        lab.expect("DS-2", str(told) == count, f"the row_count of X-Row-Count, {count}", told, inferred=True)


@check("DS-5")
def an_id_is_a_uuid(lab: Lab) -> None:
    """UUIDs of all versions in either case, all zeros and all f in lower case are accepted; anything else is a 400."""
    for operation in GETS:
        for name in lab.each(UUIDS):
            sent = lab.ask(operation, id=name)
            lab.expect("DS-5", sent.status != 400, f"anything but a 400 for {name}", sent.status, inferred=False)
        for name in lab.each(NO_UUIDS):
            sent = lab.ask(operation, id=name, limited=False)
            lab.refused(sent, 400, "DS-5", inferred=True, why=f"the id {quoted(name)}")


@check("DS-5")
def an_unknown_dataset_is_not_found(lab: Lab) -> None:
    """Whether its status is asked for or its rows."""
    for operation in GETS:
        for name in lab.each(UUIDS[:3]):
            lab.refused(lab.ask(operation, id=name), 404, "DS-5", inferred=True, why="an unknown dataset")


@check("DS-5")
def upper_case_is_the_same_dataset(lab: Lab) -> None:
    """Its status is the same, and the name of an exported file has the spelling that the dataset was stored with."""
    for name in lab.each(_final(lab, *FINAL)):
        one, other = lab.status(name), lab.ask("dataset_status", id=name.upper())
        lab.refused(other, 200, "DS-5", inferred=True, why=f"{name} in upper case")
        same = without(one) == without(other.json)
        lab.expect("DS-5", same, f"the same status, {shown(without(one))}", other.json, inferred=True)
        if one["status"] == "ready" and _few(one["row_count"]):
            files = [
                lab.ask("export_dataset", id=spelling).headers["content-disposition"]
                for spelling in (name, name.upper())
            ]
            lab.expect("DS-5", files[0] == files[1], f"the same file, {files[0]}", files[1], inferred=True)


@check("DS-6")
def what_is_ready_stays_so(lab: Lab) -> None:
    """Every export has the same bytes, and the status remains."""
    for name, sent in lab.each(exports(lab)):
        states = [without(lab.status(name)) for _ in range(2)]
        again = lab.ask("export_dataset", id=name)
        same = again.answer == sent.answer
        lab.expect("DS-6", same, "the same bytes", "others", exchanges=(sent, again))
        counts = [one.headers.get("x-row-count") for one in (sent, again)]
        lab.expect("DS-6", counts[0] == counts[1], f"X-Row-Count: {counts[0]}", counts[1])
        held = states[0] == states[1] and states[0]["status"] == "ready"
        lab.expect("DS-6", held, f"a status that remains ready, {shown(states[0])}", states[1])


@check("DS-6")
def what_is_cancelled_or_failed_stays_so(lab: Lab) -> None:
    """Its status and its exports say the same again and again."""
    for name in lab.each(_final(lab, *NEVER_READY)):
        one, other = lab.status(name), lab.status(name)
        lab.expect("DS-6", without(one) == without(other), f"the same status, {shown(without(one))}", other)
        sents = [lab.ask("export_dataset", id=name) for _ in range(2)]
        told = [(sent.status, without(sent.json)) for sent in sents]
        lab.expect("DS-6", told[0] == told[1], f"the same export, {shown(told[0])}", told[1])


def polls(lab: Lab, name: str) -> Iterator[Json]:
    """The states of a dataset, asked for until it is final, and not for long."""
    for _ in range(POLLS):
        state = lab.status(name)
        yield state
        if state["status"] in FINAL:
            return


def exports(lab: Lab) -> list[tuple[str, Sent]]:
    """The ids and exports of the smallest datasets that are ready, each asked for once. Raises `Skip` if there is none."""
    if "exports" not in lab.remembered:
        sizes = {name: lab.status(name)["row_count"] for name in _final(lab, "ready")}
        small = sorted((size, name) for name, size in sizes.items() if _few(size))
        asked = [(name, lab.ask("export_dataset", id=name)) for _, name in small[:MOST_EXPORTS]]
        lab.remembered["exports"] = [(name, sent) for name, sent in asked if sent.status == 200]
    found: list[tuple[str, Sent]] = lab.remembered["exports"]
    if not found:
        raise Skip(f"no export of a ready dataset with at most {MOST_ROWS:,} rows")
    return found


def _final(lab: Lab, *statuses: str) -> list[str]:
    """The datasets that end in one of some statuses, if that is soon. Raises `Skip` if there is none."""
    if "final" not in lab.remembered:
        lab.remembered["final"] = {name: [*polls(lab, name)][-1]["status"] for name in lab.datasets()}
    found = [name for name, status in lab.remembered["final"].items() if status in statuses]
    if not found:
        raise Skip(f"no dataset is {' or '.join(statuses)}")
    return found


def _export_between(lab: Lab, name: str) -> tuple[Json | None, Sent | None]:
    """A state, and an export while it lasted; none if it never lasts, or if there are too many rows to ask for."""
    for _ in range(ATTEMPTS):
        before = lab.status(name)
        if before["status"] == "ready" and not _few(before["row_count"]):
            break
        sent = lab.ask("export_dataset", id=name)
        if without(lab.status(name)) == without(before):
            return before, sent
    return None, None


def _few(rows: object) -> bool:
    return isinstance(rows, int) and rows <= MOST_ROWS


def _json(line: bytes) -> object:
    try:
        value: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value
