import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import groupby
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import RUN_KINDS, Finding
from labs_mock.http.control.run_findings import FUNCTIONS, all_findings, findings_over_run
from labs_mock.state.record import Record
from tests.state.samples import record

EVALUATE, OUTSIDE = "/api/v1/evaluate", "/evaluate"
EXPORTS = [f"/api/v1/training-datasets/{name}/export" for name in ("a", "A", "b")]
BROKEN = ("cut after 3 bytes",), ("closed",)
DELAYED = ("head delayed by 3 s",)
LOST = [*BROKEN, ("client left before the head",), ("garbage",)]
DELIVERIES = [(), (), DELAYED, *LOST]
EPISODES, TEXTS = ("ep_1", "ep_2"), ("Hello.", "I see.", "Go on.", "Bye.", "Well.")
FINGERPRINTS, CREDENTIALS = (b"a", b"a", b"b"), (("one",), ("one",), ("one",), ("two",))
PEERS = (*[("127.0.0.1", 1)] * 3, ("127.0.0.1", 2), *[None] * 3)


class Choices:
    """Decisions, each by a byte."""

    def __init__(self, decisions: bytes) -> None:
        self._rest = iter(decisions)

    def one_of(self, options: Sequence[Any]) -> Any:
        """Raises `StopIteration` when no decision is left."""
        return options[next(self._rest) % len(options)]


Request = Callable[[Choices], Record]


def for_retries(choices: Choices) -> Record:
    """Few different requests, and all kinds of answers."""
    return record(
        path=choices.one_of([EVALUATE] * 7 + [OUTSIDE]),
        fingerprint=choices.one_of(FINGERPRINTS),
        credentials=choices.one_of(CREDENTIALS),
        status=choices.one_of([400, 404, 404, 429, 503, 200]),
        delivery=choices.one_of(DELIVERIES),
    )


def for_limits(choices: Choices) -> Record:
    """Mostly 429s, of two windows, over two connections or none."""
    return record(
        path=EVALUATE,
        fingerprint=choices.one_of(FINGERPRINTS),
        credentials=choices.one_of(CREDENTIALS),
        status=choices.one_of([429] * 11 + [200]),
        window_end=choices.one_of([60] * 11 + [120, None]),
        peer=choices.one_of(PEERS),
    )


def for_exports(choices: Choices) -> Record:
    """Exports of three datasets, two of which are one, whole and cut."""
    return record(
        method=choices.one_of(["GET", "GET", "GET", "HEAD"]),
        path=choices.one_of([*EXPORTS, f"{EXPORTS[0]}/more"]),
        organisation=choices.one_of(["acme", "acme", "other"]),
        status=choices.one_of([200, 200, 202]),
        delivery=choices.one_of(DELIVERIES),
    )


def for_episodes(choices: Choices) -> Record:
    """A request that begins one of two episodes or takes a turn, or is refused; its answer may have been dropped."""
    taken = choices.one_of([True, True, True, False])
    roles = [choices.one_of(["user", "assistant", "assistant", "system"]) for _ in range(choices.one_of(range(4)))]
    messages = [{"role": role, "content": choices.one_of(TEXTS)} for role in roles]
    observed = {"role": "assistant", "content": choices.one_of(TEXTS)}
    complete = choices.one_of([True] + [False] * 9)
    response = {"observation": observed, "episode_complete": complete} if taken else {"initial_observation": observed}
    return record(
        status=choices.one_of([200] * 5 + [400]),
        organisation=choices.one_of(["acme"] * 9 + ["other"]),
        episode=choices.one_of([*EPISODES, *EPISODES, None]),
        turn=choices.one_of(range(1, 9)) if taken else None,
        request=orjson.dumps({"messages": messages} if taken else {}),
        response=choices.one_of([orjson.dumps(response)] * 15 + [None]),
        fingerprint=choices.one_of(FINGERPRINTS),
        delivery=choices.one_of(DELIVERIES),
        findings=choices.one_of([()] * 4 + [(Finding("duplicate_turn", "messages"),)]),
    )


def run_of(request: Request, decisions: bytes) -> list[Record]:
    """The records of a run: requests arrive, are recorded in any order, and some break off later; with the moments of a store."""
    choices, now, arrivals = Choices(decisions), 0.0, 0
    pending: list[Record] = []
    done: list[Record] = []
    with suppress(StopIteration):
        while True:
            now += choices.one_of([0.0, 0.0, 0.4, 2.0])
            if not pending or choices.one_of([True, False, False]):
                arrivals += 1
                pending.append(request(choices)._replace(order=arrivals, received=now))
            elif done and choices.one_of([True] + [False] * 9):
                index = choices.one_of(range(len(done)))
                done[index] = done[index]._replace(answered=arrivals, amended=now)
            else:
                one = pending.pop(choices.one_of(range(len(pending))))
                duration = int((now - one.received) * 1_000)
                done.append(one._replace(number=len(done) + 1, duration_ms=duration, answered=arrivals))
    return done


def runs(request: Request) -> st.SearchStrategy[list[Record]]:
    """Runs of such requests, of which several may be in progress at a time."""
    return st.binary(min_size=100, max_size=400).map(lambda decisions: run_of(request, decisions))


# The reference: each definition word by word, however long it takes


def former(run: list[Record], one: Record) -> Record | None:
    """The newest request like this one that was answered when it arrived."""
    before = [
        other
        for other in run
        if other.path.startswith("/api/v1")
        and (other.fingerprint, other.credentials) == (one.fingerprint, one.credentials)
        and other.answered < one.order
        and not (other.delivery == DELAYED and other.amended is None)
    ]
    return max(before, key=lambda other: (other.answered, other.number), default=None)


def chains(run: list[Record], counts: Callable[[Record, Record], bool], least: int) -> set[tuple[int, ...]]:
    """Retries in a row that count, with the request before them."""
    found = set()
    names = {(one.fingerprint, one.credentials) for one in run}
    for name in names:
        like = [one for one in run if (one.fingerprint, one.credentials) == name and one.path.startswith("/api/v1")]
        like.sort(key=lambda one: one.order)

        def retried(one: Record) -> bool:
            before = former(run, one)
            return before is not None and counts(before, one)

        for counted, row in groupby(like, key=retried):
            retries = list(row)
            first = former(run, retries[0])
            if counted and first is not None and len(retries) >= least:
                found.add((first.number, *(one.number for one in retries)))
    return found


def retried_on_400(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """Two or more retries in a row of what was answered 400, 401, 403 or 404."""
    return chains(run, lambda before, _: before.status in {400, 401, 403, 404}, 2)


def broken(one: Record) -> bool:
    """Whether the server broke its response off."""
    return one.delivery in BROKEN


def retried_too_fast(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """Retries within a second after a 429, a 5xx or a cut answer, where the clock has moved."""
    failed = {429, 500, 503}
    return chains(
        run, lambda old, new: (old.status in failed or broken(old)) and 0 < new.received - old.answered_at < 1, 1
    )


def ignored_rate_limit(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """429s in a row of a key and a window that were asked for by a client that knew."""
    found = set()
    for key in {one.credentials for one in run}:
        limited = [one for one in run if one.credentials == key and one.window_end is not None]
        for (status, _window), rows in groupby(limited, key=lambda one: (one.status, one.window_end)):
            row = list(rows)
            if status != 429:
                continue
            if len(row) > 3 and len({one.peer for one in row}) == 1 and row[0].peer is not None:
                found.add(tuple(one.number for one in row))
                continue
            more = {
                name: len([one for one in row if one.fingerprint == name])
                - max(1, len([one for one in limited if one.fingerprint == name and one.number > row[-1].number]))
                for name in {one.fingerprint for one in row}
            }
            if sum(max(0, number) for number in more.values()) >= 3:
                found.add(tuple(one.number for one in row if more[one.fingerprint] > 0))
    return found


def partial_export_accepted(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """An export that broke off in its body, and no request for it in that organisation arrived after that."""
    exports = [one for one in run if one.path in EXPORTS and one.method == "GET"]
    return {
        (one.number,)
        for one in exports
        if one.delivery == BROKEN[0]
        and one.status == 200
        and not any(
            other.order > one.answered
            for other in exports
            if (other.path.lower(), other.organisation) == (one.path.lower(), one.organisation)
        )
    }


def accepted(run: list[Record], episode: str) -> list[Record]:
    """What began an episode, and its turns."""
    return [one for one in run if one.status == 200 and one.episode == episode]


def duplicate_turn(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """A turn behind an equal one of which the client did not get the answer, unless it has the finding already."""
    found = set()
    for episode in EPISODES:
        row: list[int] = []
        before: Record | None = None
        for one in accepted(run, episode):
            same = before is not None and before.fingerprint == one.fingerprint and before.delivery in LOST
            if one.turn is not None and before is not None and before.turn is not None and same and not one.findings:
                row.append(one.number)
            else:
                found.add(tuple(row))
                row = [one.number]
            before = one
        found.add(tuple(row))
    return {row for row in found if len(row) > 1}


def observation(one: Record) -> str | None:
    """What the persona said in a response."""
    body = orjson.loads(one.response or b"{}")
    said = body.get("observation", body.get("initial_observation"))
    return None if said is None else said["content"].lower()


def sent(one: Record) -> list[tuple[str, str]]:
    """Role and text of each message in a request."""
    messages = orjson.loads(one.request or b"{}").get("messages", [])
    return [(message["role"], message["content"].lower()) for message in messages]


def stale_episode(run: list[Record], _: Sequence[str]) -> set[tuple[int, ...]]:
    """Turns with a line that was not heard in the episode, which is known from its beginning, and that another one gave."""
    found: dict[str, list[int]] = {}
    for one in (one for episode in EPISODES for one in accepted(run, episode) if one.turn is not None):
        before = [other for other in accepted(run, one.episode or "") if other.number < one.number]
        begun = [other for other in before if other.turn is None]
        since = [other for other in before if begun and other.number >= begun[-1].number]
        if not since or any(observation(other) is None for other in since):
            continue
        heard = {observation(other) for other in since}
        heard |= {text for other in since for role, text in sent(other) if role == "assistant"}
        last = max((index for index, (role, _) in enumerate(sent(one)) if role == "assistant"), default=None)
        for index, (role, text) in enumerate(sent(one)):
            gave = [
                other.number
                for other in run
                if other.status == 200 and other.episode and other.number < one.number
                if other.organisation == one.organisation and observation(other) == text
            ]
            if role != "system" and index != last and text not in heard and gave:
                found.setdefault(one.episode or "", [gave[-1]]).append(one.number)
                break
    return {tuple(numbers) for numbers in found.values()}


def episode_unfinished(run: list[Record], ended: Sequence[str]) -> set[tuple[int, ...]]:
    """An episode that began, of which no later turn was the last, with its newest turn."""
    found = set()
    for episode in EPISODES:
        begun = [one.number for one in accepted(run, episode) if one.turn is None]
        since = [one for one in accepted(run, episode) if begun and one.number >= begun[-1]]
        complete = any(orjson.loads(one.response or b"{}").get("episode_complete") for one in since)
        if since and not complete and episode not in ended:
            found.add(tuple(dict.fromkeys((since[0].number, since[-1].number))))
    return found


def check(code: str, run: list[Record], ended: Sequence[str] = ()) -> None:
    """The function of a code finds what its reference finds."""
    found = [finding for finding in findings_over_run(run, ended) if finding.code == code]
    expected = globals()[code](run, ended)
    assert sorted(finding.requests for finding in found) == sorted(expected)
    assert all(finding.severity == RUN_KINDS[code].severity for finding in found)


@pytest.mark.parametrize("code", ["retried_on_400", "retried_too_fast"])
@given(run=runs(for_retries))
def test_retries_are_those_of_the_definition(code: str, run: list[Record]) -> None:
    """Of any requests in progress at a time, a retry is one that arrived after the newest answer to an equal one."""
    check(code, run)


@given(run=runs(for_limits))
def test_ignored_rate_limits_are_those_of_the_definition(run: list[Record]) -> None:
    """For any keys, windows and connections (RL-2)."""
    check("ignored_rate_limit", run)


@given(run=runs(for_exports))
def test_accepted_parts_of_exports_are_those_of_the_definition(run: list[Record]) -> None:
    """For any exports of any organisations (DS-4)."""
    check("partial_export_accepted", run)


@pytest.mark.parametrize("code", ["duplicate_turn", "stale_episode", "episode_unfinished"])
@given(run=runs(for_episodes), ended=st.sampled_from([(), EPISODES[:1]]))
def test_findings_on_episodes_are_those_of_the_definition(code: str, run: list[Record], ended: Sequence[str]) -> None:
    """For any turns, also with responses that the journal has dropped (EP-7, EP-11)."""
    check(code, run, ended)


def test_generated_runs_have_findings_of_every_code() -> None:
    """So that the references above are compared with something."""
    found: Counter[str] = Counter()
    for request in (for_retries, for_limits, for_exports, for_episodes):
        for number in range(30):
            decisions = b"".join(blake2b(b"%d %d" % (number, block)).digest() for block in range(5))
            found.update({finding.code for finding in findings_over_run(run_of(request, decisions), EPISODES[:1])})
    assert all(found[code] >= 8 for code in FUNCTIONS), found


def test_every_code_has_a_function() -> None:
    """Those of the second table of section 7, in its order."""
    assert [*FUNCTIONS] == [*RUN_KINDS]


def test_findings_of_single_requests_stand_between_them() -> None:
    """All findings by the first request of each."""
    odd = Finding("unknown_field", "mesages", "did you mean 'messages'?")
    refused: dict[str, Any] = {"path": EVALUATE, "status": 400}
    run = [record(number=number, order=number, answered=number, **refused) for number in (1, 2, 3, 4)]
    run[2] = run[2]._replace(findings=(odd,))
    assert [(one.code, one.severity, one.requests) for one in all_findings(run)] == [
        ("retried_on_400", "warning", (1, 2, 3, 4)),
        ("unknown_field", "warning", (3,)),
    ]


def worst(size: int) -> list[Record]:
    """A long run of equal requests, turns and exports, in which everything that is remembered grows."""
    opening = {"initial_observation": {"role": "assistant", "content": "Hello."}}
    run = []
    for number in range(1, size + 1):
        kind, at = number % 4, {"number": number, "order": number, "answered": number, "received": number * 0.5}
        if kind == 0:
            run.append(record(path=EVALUATE, status=(429, 503, 404)[number % 3], window_end=60, **at))
        elif kind == 1:
            run.append(record(path=EXPORTS[0], method="GET", delivery=BROKEN[0], **at))
        elif kind == 2:
            run.append(record(episode=f"ep_{number}", response=orjson.dumps(opening), **at))
        else:
            body = {"messages": [{"role": "user", "content": f"Line {number}"}]}
            answer = {"observation": {"content": f"Line {number}"}, "episode_complete": False}
            texts = {"request": orjson.dumps(body), "response": orjson.dumps(answer)}
            run.append(record(episode="ep_2", turn=number, delivery=("garbage",), **texts, **at))
    return run


def calls(run: list[Record]) -> int:
    """How many functions are called to find what a run shows."""
    number = 0

    def count(*_: object) -> None:
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        findings_over_run(run)
    finally:
        sys.setprofile(None)
    return number


def test_twice_as_many_records_take_twice_as_long() -> None:
    """Counted in calls of functions, whatever the records have in common."""
    one, two = calls(worst(1_000)), calls(worst(2_000))
    assert one > 1_000
    assert two < 2.1 * one
