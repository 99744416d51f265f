from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import Finding
from labs_mock.state.journal import BODIES, MAX_BODY, MAX_BYTES, MAX_RECORDS, SMALL, Journal, Record

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
    """A record with so many bytes that stay with it as they are."""
    return record(path="x" * size)


def noise(size: int) -> bytes:
    """Bytes that no compression makes fewer."""
    return b"".join(blake2b(b"%d" % number).digest() for number in range(size // 64 + 1))[:size]


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
        weights.append(size)
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


BOUND = 100_000
bodies = st.one_of(
    st.builds(noise, st.integers(0, 2 * SMALL) | st.integers(0, BOUND)),
    st.builds(lambda size: b"x" * size, st.integers(0, 3 * BOUND)),
)


@given(st.lists(st.tuples(bodies, bodies), max_size=12))
def test_bodies_are_whole_or_dropped(pairs: list[tuple[bytes, bytes]]) -> None:
    """Never cut and never more bytes than the bound; small ones stay, and of the large ones the oldest go first."""
    journal = Journal(LIMIT, BOUND)
    for one, other in pairs:
        journal.append(record(request=one, response=other))
        assert sum(kept.weigh() for kept in journal) <= BOUND
        assert all(kept.weight == kept.weigh() for kept in journal)
    for kept in journal:
        for name, body in zip(BODIES, pairs[kept.number - 1], strict=True):
            assert kept.body(name) in (body, None)
            assert kept.body(name) == body or len(body) > SMALL
            assert (name in kept.dropped) == (kept.body(name) is None)
    large = [kept for kept in journal if any(len(body) > SMALL for body in pairs[kept.number - 1])]
    gone = [bool(kept.dropped) for kept in large]
    assert gone == sorted(gone, reverse=True)


def test_bodies_are_compressed_before_any_is_dropped() -> None:
    """Ten times the bound of what compresses well stays whole, and no record is forgotten for the body of another."""
    journal = Journal(100, BOUND)
    for number in range(20):
        journal.append(record(request=b"%d" % number * (BOUND // 2)))
    assert [len(kept.body("request") or b"") for kept in journal] == [BOUND // 2 * len(str(n)) for n in range(20)]
    journal.append(record(request=noise(BOUND // 2)))
    assert (len(journal), journal.dropped) == (21, 0)
    assert not any(kept.dropped for kept in journal)


def test_what_is_small_enough_is_never_touched() -> None:
    """A body of everyday size is kept as the very object that came: nothing is done to it (a hot path)."""
    journal, body = Journal(LIMIT, BOUND), b"x" * 1_500
    journal.append(record(request=body))
    for _ in range(3):
        journal.append(record(request=noise(BOUND)))
    assert next(iter(journal)).request is body


def test_findings_of_dropped_records_are_counted() -> None:
    """By severity, so that whoever looks for warnings knows that there were some (GEN-4)."""
    journal = Journal(1)
    for code in ("unknown_field", "missing_body_id", "duplicate_key", "duplicate_key"):
        journal.append(record(findings=[Finding(code, "x")]))
    assert journal.dropped_findings == {"warning": 2, "info": 1}
    journal.reset()
    assert not journal.dropped_findings


@pytest.mark.parametrize(
    "fields",
    [
        {"path": f"/{LONG}"},
        {"query": LONG},
        {"request": noise(500)},
        {"response": noise(500)},
        {"findings": [Finding("unknown_field", LONG)]},
        {"findings": [Finding("unknown_field", "a", LONG[:60]), Finding("unknown_field", LONG[:40])]},
    ],
)
def test_everything_that_a_client_can_make_large_counts(fields: dict[str, Any]) -> None:
    """Long paths, queries and names of unknown fields push records out as bodies do, so that memory is bounded."""
    size = record(**fields).weigh()
    journal = Journal(1_000, 5 * size)
    for _ in range(50):
        journal.append(record(**fields))
    assert len(journal) == 5
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
    """By default 10,000 records of everyday size are kept, and never more than 64 MiB; a body may have 16 MiB."""
    journal = Journal()
    for _ in range(MAX_RECORDS + 1):
        journal.append(record(request=b"x" * 1_500, response=b"x" * 500))
    assert (len(journal), journal.dropped) == (10_000, 1)
    assert (MAX_BYTES, MAX_BODY) == (64 * 1024 * 1024, 16 * 1024 * 1024)
