from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.errors import NotFound
from labs_mock.scenario.compiled.datasets import Dataset, Stage
from labs_mock.state.datasets import Datasets, Held, Lifecycle
from labs_mock.state.spool import CHUNK, Budget

ID = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
READY = Stage("ready", "Ready to export", row_count=2)
FINAL = "final"
Event = tuple[str, float]

quarters = st.integers(0, 40).map(lambda number: number / 4)  # exact in binary, so that moments can coincide
middle = st.builds(Stage, st.just("running"), st.just(""), polls=st.integers(1, 4)) | st.builds(
    Stage, st.just("running"), st.just(""), seconds=quarters.map(lambda number: number + 0.25)
)
histories = st.lists(st.tuples(st.sampled_from(["poll", "poll", "look"]), quarters), max_size=30)


def numbered(stages: list[Stage]) -> tuple[Stage, ...]:
    """Stages whose messages tell them apart, with a final one behind them."""
    named = [Stage("running", f"{index}", stage.polls, stage.seconds) for index, stage in enumerate(stages)]
    return (*named, Stage("ready", FINAL))


def stage_by_history(stages: tuple[Stage, ...], start: float, polls: list[float], now: float) -> Stage:
    """The stage at a moment, told anew from the moments of all polls before: the reference."""
    left, begun = list(polls), start
    for stage in stages:
        if stage.polls is not None and len(left) >= stage.polls:
            begun, left = left[stage.polls - 1], left[stage.polls :]
        elif stage.seconds is not None and now >= begun + stage.seconds:
            begun += stage.seconds
            left = [moment for moment in left if moment >= begun]
        else:
            return stage
    raise AssertionError("the final stage does not end")


def moments(start: float, history: list[Event]) -> Iterator[Event]:
    """What happens, each with its moment, from how long after the one before it happens."""
    now = start
    for kind, later in history:
        now += later
        yield kind, now


@given(st.lists(middle, max_size=5).map(numbered), quarters, histories)
def test_a_stage_follows_from_the_moments_of_all_polls(
    stages: tuple[Stage, ...], start: float, history: list[Event]
) -> None:
    """A stage ends with its n-th poll or so many seconds after it began; to look at it is no poll (DS-7)."""
    lifecycle, polls = Lifecycle(stages, start), list[float]()
    for kind, now in moments(start, history):
        expected = stage_by_history(stages, start, polls, now)
        if kind == "poll":
            assert lifecycle.poll(now) == expected
            polls.append(now)
        else:
            assert lifecycle.stage(now) == expected


@pytest.mark.parametrize(
    ("now", "message"), [(0, "0"), (4.75, "0"), (5, "1"), (14.75, "1"), (15, "2"), (45, FINAL), (1e9, FINAL)]
)
def test_stages_of_seconds_pass_several_at_once(now: float, message: str) -> None:
    """Nobody need ask in between: each stage begins when the one before it was over, not when somebody asks (DS-7)."""
    stages = numbered([Stage("", "", seconds=5), Stage("", "", seconds=10), Stage("", "", seconds=30)])
    assert Lifecycle(stages, 0).poll(now).message == message


def test_a_timed_stage_begins_at_the_poll_that_ends_the_one_before() -> None:
    """Its seconds count from the moment of the n-th poll, however long that was in coming (DS-7)."""
    lifecycle = Lifecycle(numbered([Stage("", "", polls=2), Stage("", "", seconds=30)]), 0)
    assert [lifecycle.poll(now).message for now in (100, 200)] == ["0", "0"]
    assert [lifecycle.stage(now).message for now in (200, 229.75, 230)] == ["1", "1", FINAL]


def test_polls_of_a_timed_stage_do_not_count_for_the_next() -> None:
    """A stage of polls after one of seconds begins with none (DS-7)."""
    lifecycle = Lifecycle(numbered([Stage("", "", seconds=10), Stage("", "", polls=2)]), 0)
    assert [lifecycle.poll(now).message for now in (1, 2, 3, 11, 12, 13)] == ["0", "0", "0", "1", "1", FINAL]


@given(st.lists(middle, max_size=4).map(numbered), histories, histories)
def test_a_forced_stage_stays(stages: tuple[Stage, ...], before: list[Event], after: list[Event]) -> None:
    """Whatever happened before and happens then, a dataset stays in the stage that it was forced into (DS-3)."""
    lifecycle, now = Lifecycle(stages, 0), 0.0
    for _, now in moments(0, before):
        lifecycle.poll(now)
    forced = Stage("cancelled", "Cancelled")
    lifecycle.force(forced)
    assert lifecycle.stage(now) == forced
    assert {lifecycle.poll(later) for _, later in moments(now, after)} <= {forced}


def held(*stages: Stage) -> Held:
    """A dataset of two lines in some stages, or ready."""
    lines = (b'{"row":0}\n', b'{"row":1}\n')
    dataset = Dataset(id=ID, slug="check-ins", name="Check-ins", stages=stages or (READY,), lines=lines)
    return Held(dataset, Lifecycle(dataset.stages, 0), 0, Budget(0), {})


@given(st.lists(quarters | st.just(0.0625), min_size=1, max_size=40))
def test_an_eleventh_poll_in_a_second_is_one_too_many(pauses: list[float]) -> None:
    """More than ten in any second are too many, however they are spread (`polled_too_often`)."""
    polled = held(Stage("running", "", polls=3), READY)
    times = [now for _, now in moments(0, [("poll", pause) for pause in pauses])]
    expected = [sum(now - other < 1 for other in times[: index + 1]) > 10 for index, now in enumerate(times)]
    assert [polled.poll(now)[1] for now in times] == expected


def test_a_dataset_is_found_by_its_id_in_either_case() -> None:
    """Ids are compared in lower case, and an unknown one is not found (DS-5)."""
    datasets = Datasets([held().dataset], 0, 0, 0, {})
    assert datasets.get(ID).dataset.id == datasets.get(ID.upper()).dataset.id == ID
    with pytest.raises(NotFound, match="Training dataset not found"):
        datasets.get(ID.replace("3", "4"))


def test_a_reset_begins_all_lifecycles_anew() -> None:
    """Polls, seconds, what was forced and the moment of the last poll are forgotten (DS-7)."""
    datasets = Datasets(
        [held(Stage("pending", "", polls=1), Stage("running", "", seconds=10), READY).dataset], 0, 0, 0, {}
    )
    (one,) = datasets

    def seen(start: float) -> list[tuple[str, bool]]:
        return [(stage.status, soon) for stage, soon in (one.poll(start + later) for later in (0, 0.5, 10.5))]

    first = seen(100)
    assert first == [("pending", False), ("running", False), ("ready", False)]
    datasets.reset(110.75)
    assert seen(110.75) == first
    one.lifecycle.force(Stage("failed", "", error="no"))
    datasets.reset(300)
    assert seen(300) == first


@given(st.lists(st.integers(1, 50_000), max_size=12))
def test_rows_that_were_given_are_exported_as_they_are(sizes: list[int]) -> None:
    """The chunks of an export are its lines in order, and hold 64 KiB and less than one line more (DS-4, DS-6)."""
    lines = tuple(b"%d" % (index % 10) * size + b"\n" for index, size in enumerate(sizes))
    given_rows = Held(Dataset(ID, "rows", "Rows", (READY,), lines), Lifecycle((READY,), 0), 0, Budget(0), {})
    chunks = list(given_rows.export())
    assert b"".join(chunks) == b"".join(lines)
    assert all(CHUNK <= len(chunk) < CHUNK + max(map(len, lines)) for chunk in chunks[:-1])
    assert len(chunks[-1]) < CHUNK
