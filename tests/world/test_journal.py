from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.world.journal import MAX_BODY, MAX_BYTES, MAX_RECORDS, Journal, Record

LIMIT = 5
LONG = "x" * 100
EMPTY: dict[str, Any] = {
    "received": 0.0,
    "method": "GET",
    "path": "",
    "query": "",
    "account": None,
    "credentials": (),
    "request_id": "",
    "size": 0,
    "request": b"",
    "status": 200,
    "response": b"",
    "duration_ms": 0,
    "findings": [],
    "faults": [],
    "rewards": [],
    "run": 0,
    "skipped": 0,
    "episode": None,
    "turn": None,
}


def record(**fields: Any) -> Record:
    """A record that is empty but for some fields."""
    return Record(**{**EMPTY, **fields})


def sized(size: int) -> Record:
    """A record whose bodies have so many bytes together."""
    return record(request=b"x" * (size // 2), response=b"y" * (size - size // 2))


def newest(weights: list[int], bound: int) -> list[int]:
    """The numbers of the longest run of newest records within both bounds: the reference."""
    kept: list[int] = []
    for number in range(len(weights), 0, -1):
        if len(kept) == LIMIT or sum(weights[one - 1] for one in (*kept, number)) > bound:
            break
        kept.append(number)
    return kept[::-1]


sizes = st.lists(st.integers(0, 12), max_size=30)


@given(sizes, st.integers(0, 40))
def test_the_newest_records_are_kept(given_sizes: list[int], bound: int) -> None:
    """After each record: the longest run of newest ones within both bounds, in their order, and how many have gone."""
    journal, weights = Journal(LIMIT, bound), list[int]()
    for size in given_sizes:
        added = sized(size)
        journal.append(added)
        weights.append(added.weight)
        kept = newest(weights, bound)
        assert [one.number for one in journal] == kept
        assert (len(journal), journal.dropped) == (len(kept), len(weights) - len(kept))


def test_a_record_larger_than_the_bound_is_not_kept() -> None:
    """It goes with all that came before it, is counted, and leaves room for those that come after it."""
    journal = Journal(LIMIT, 10)
    for size in (4, 4, 11):
        journal.append(sized(size))
    assert (list(journal), len(journal), journal.dropped) == ([], 0, 3)
    for size in (5, 5):
        journal.append(sized(size))
    assert [one.number for one in journal] == [4, 5]
    journal.append(sized(10))
    assert ([one.number for one in journal], journal.dropped) == ([6], 5)


@pytest.mark.parametrize(
    "fields",
    [
        {"path": f"/{LONG}"},
        {"query": LONG},
        {"request": LONG.encode()},
        {"response": LONG.encode()},
        {"findings": [Finding("unknown_field", LONG)]},
        {"findings": [Finding("unknown_field", "a", LONG[:60]), Finding("unknown_field", LONG[:40])]},
    ],
)
def test_everything_that_a_client_can_make_large_counts(fields: dict[str, Any]) -> None:
    """Long paths, queries and names of unknown fields push records out as bodies do, so that memory is bounded."""
    journal = Journal(1_000, 500)
    for _ in range(50):
        journal.append(record(**fields))
    assert 2 <= len(journal) <= 5
    assert journal.dropped == 50 - len(journal)


@given(sizes, sizes)
def test_a_reset_journal_is_like_a_new_one(before: list[int], after: list[int]) -> None:
    """Records, numbers, bytes and what was dropped are forgotten."""
    used, fresh = Journal(LIMIT, 20), Journal(LIMIT, 20)
    for size in before:
        used.append(sized(size))
    used.reset()
    assert (list(used), used.dropped) == ([], 0)
    for size in after:
        used.append(sized(size))
        fresh.append(sized(size))
    assert ([one.number for one in used], used.dropped) == ([one.number for one in fresh], fresh.dropped)


def test_the_bounds_of_a_server_are_those_of_a_long_test_run() -> None:
    """By default 10,000 records of everyday size are kept, and never more than 64 MiB."""
    journal, body = Journal(), b"x" * MAX_BODY
    for _ in range(MAX_RECORDS + 1):
        journal.append(sized(2_000))
    assert (len(journal), journal.dropped) == (10_000, 1)
    for _ in range(2_000):
        journal.append(record(request=body, response=body))
    assert sum(one.weight for one in journal) <= MAX_BYTES
    assert (MAX_BYTES, len(journal)) == (64 * 1024 * 1024, 512)
