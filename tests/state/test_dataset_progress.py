from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.scenario.compiled.datasets import Stage
from labs_mock.scenario.files.dataset_schema import Generate
from labs_mock.state.dataset_progress import Poll, Progress
from labs_mock.state.store import Store
from tests.state.samples import ID, LIBRARY, READY, START, Make, arrived, dataset, initial, run

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
    """The stage at a moment, found anew from the moments of all polls before: the reference."""
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


def polled(progress: Progress, now: float) -> tuple[Stage, Progress]:
    """The stage that a poll sees, and the progress behind it."""
    present = progress.at(now)
    return present.stage, present.after_poll(now)


@given(st.lists(middle, max_size=5).map(numbered), quarters, histories)
def test_a_stage_follows_from_the_moments_of_all_polls(
    stages: tuple[Stage, ...], start: float, history: list[Event]
) -> None:
    """A stage ends with its n-th poll or so many seconds after it began; to look at it is no poll (DS-7)."""
    progress, polls = Progress(stages, start), list[float]()
    for kind, now in moments(start, history):
        expected = stage_by_history(stages, start, polls, now)
        if kind == "poll":
            stage, progress = polled(progress, now)
            assert stage == expected
            polls.append(now)
        else:
            assert progress.at(now).stage == expected


@pytest.mark.parametrize(
    ("now", "message"), [(0, "0"), (4.75, "0"), (5, "1"), (14.75, "1"), (15, "2"), (45, FINAL), (1e9, FINAL)]
)
def test_stages_of_seconds_pass_several_at_once(now: float, message: str) -> None:
    """Nobody need poll in between: each stage begins when the one before it was over, not when somebody polls (DS-7)."""
    stages = numbered([Stage("", "", seconds=5), Stage("", "", seconds=10), Stage("", "", seconds=30)])
    assert Progress(stages, 0).at(now).stage.message == message


def test_a_timed_stage_begins_at_the_poll_that_ends_the_one_before() -> None:
    """Its seconds count from the moment of the n-th poll, however long that was in coming (DS-7)."""
    progress = Progress(numbered([Stage("", "", polls=2), Stage("", "", seconds=30)]), 0)
    for now in (100, 200):
        stage, progress = polled(progress, now)
        assert stage.message == "0"
    assert [progress.at(now).stage.message for now in (200, 229.75, 230)] == ["1", "1", FINAL]


def test_polls_of_a_timed_stage_do_not_count_for_the_next() -> None:
    """A stage of polls after one of seconds begins with none (DS-7)."""
    progress = Progress(numbered([Stage("", "", seconds=10), Stage("", "", polls=2)]), 0)
    seen = []
    for now in (1, 2, 3, 11, 12, 13):
        stage, progress = polled(progress, now)
        seen.append(stage.message)
    assert seen == ["0", "0", "0", "1", "1", FINAL]


@given(st.lists(middle, max_size=4).map(numbered), histories, histories)
def test_a_forced_stage_stays(stages: tuple[Stage, ...], before: list[Event], after: list[Event]) -> None:
    """Whatever happened before and happens then, a dataset stays in the stage that it was forced into (DS-3)."""
    progress, now = Progress(stages, 0), 0.0
    for _, now in moments(0, before):
        _, progress = polled(progress, now)
    forced = Stage("cancelled", "Cancelled")
    progress = progress.forced(forced)
    assert progress.at(now).stage == forced
    for _, later in moments(now, after):
        stage, progress = polled(progress, later)
        assert stage == forced


@given(st.lists(quarters | st.just(0.0625), min_size=1, max_size=40))
def test_an_eleventh_poll_in_a_second_is_one_too_many(pauses: list[float]) -> None:
    """More than ten in any second are too many, however they are spread (`polled_too_often`)."""
    progress = Progress((Stage("running", "", polls=3), READY), 0)
    times = [now for _, now in moments(0, [("poll", pause) for pause in pauses])]
    for index, now in enumerate(times):
        assert progress.too_often(now) == (sum(now - other < 1 for other in times[: index + 1]) > 10)
        _, progress = polled(progress, now)


async def poll(store: Store, now: float = START, name: str = ID) -> Poll | None:
    """A poll at a moment."""
    return await store.poll_dataset((await arrived(store)).epoch, name, now)


def test_a_dataset_is_found_by_its_id_in_either_case(make: Make) -> None:
    """Ids are compared in lower case, and an unknown one is not found (DS-5)."""

    async def check() -> None:
        store = make(initial(library=LIBRARY._replace(datasets=(dataset(),))))
        found = [await poll(store, name=name) for name in (ID, ID.upper(), ID.replace("3", "4"))]
        assert found == [Poll(dataset(), READY, False)] * 2 + [None]
        assert await store.force_dataset(ID.upper(), READY) is not None
        assert await store.force_dataset(ID.replace("3", "4"), READY) is None

    run(check())


@pytest.mark.parametrize("parts", [(), ("datasets",), ("clock",)])
def test_a_reset_begins_all_datasets_anew(make: Make, parts: tuple[str, ...]) -> None:
    """Polls, seconds, what was forced, what was added and the moments of the last polls are forgotten (DS-7)."""

    async def check() -> None:
        stages = Stage("pending", "", polls=1), Stage("running", "", seconds=10), READY
        store = make(initial(library=LIBRARY._replace(datasets=(dataset(*stages),))))

        async def seen() -> list[tuple[str, bool]]:
            now = (await store.clock()).now()
            found = [await poll(store, now + later) for later in (0, 0.5, 10.5)]
            return [(one.stage.status, one.too_often) for one in found if one is not None]

        first = await seen()
        assert first == [("pending", False), ("running", False), ("ready", False)]
        await store.advance_clock(10.75)
        await store.add_dataset(dataset(name="added"))
        await store.reset(parts)
        assert await seen() == first
        await store.force_dataset(ID, Stage("failed", "", error="no"))
        await store.reset(parts)
        assert await seen() == first
        assert [state.dataset.id for state in await store.datasets()] == [ID]

    run(check())


def test_an_id_that_is_taken_is_not_added(make: Make) -> None:
    """A new dataset stands behind the others, as it is at that moment."""

    async def check() -> None:
        store = make(initial(library=LIBRARY._replace(datasets=(dataset(),))))
        assert await store.add_dataset(dataset(Stage("failed", "", error="no"))) is None
        added = await store.add_dataset(dataset(name="a"))
        assert added is not None
        assert added.stage == READY
        assert [state.dataset.id for state in await store.datasets()] == [ID, "a"]

    run(check())


def test_a_library_leaves_unchanged_datasets_as_they_are(make: Make) -> None:
    """Polls, a forced stage and exports of what has not changed stay; changed and new ones begin, others go (DS-6)."""

    async def check() -> None:
        stages = Stage("pending", "", polls=2), READY
        same, changed = dataset(*stages, name="a"), dataset(*stages, name="b")
        store = make(initial(library=LIBRARY._replace(datasets=(same, changed, dataset(name="c")))))
        for name in ("a", "b"):
            await poll(store, name=name)
        await store.add_dataset(dataset(name="d"))
        changed = replace(changed, lines=(b"{}\n",))
        await store.publish(LIBRARY._replace(datasets=(changed, same, dataset(*stages, name="e"))))
        for name, after in (("a", "ready"), ("b", "pending"), ("e", "pending")):
            await poll(store, name=name)
            found = await poll(store, name=name)
            assert found is not None
            assert (name, found.stage.status) == (name, after)
        assert [state.dataset.id for state in await store.datasets()] == ["b", "a", "e"]

    run(check())


def test_what_an_export_leaves_is_known_until_a_reset(make: Make) -> None:
    """How many generated rows passed the keep-filter in no attempt; rows of a file have none (section 5)."""

    async def check() -> None:
        generate = Generate.model_validate({"scenario": "coaching/weekly", "operators": ["a"], "count": 2})
        generated = replace(dataset(name="a"), lines=(), generate=generate)
        store = make(initial(library=LIBRARY._replace(datasets=(generated, dataset()))))
        epoch = (await arrived(store)).epoch

        async def exhausted() -> list[int | None]:
            return [state.keep_exhausted for state in await store.datasets()]

        assert await exhausted() == [None, 0]
        await store.finish_export(epoch, "A", 7)
        await store.finish_export(epoch, "gone", 7)
        assert await exhausted() == [7, 0]
        await store.reset()
        await store.finish_export(epoch, "a", 7)
        assert await exhausted() == [None, 0]

    run(check())
