import asyncio
import time
from datetime import UTC, datetime, tzinfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.clock import END, Clock, instant_text, parse_instant, sleep
from labs_mock.errors import SettingsError

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def _some_time_passes() -> float:
    """The first reading of the real clock that differs from the present one."""
    before = time.time()
    while (now := time.time()) == before:
        pass
    return now - before


@pytest.mark.parametrize(
    ("specification", "instant"),
    [
        ("frozen", NEW_YEAR),
        ("frozen:2026-01-01T00:00:00Z", NEW_YEAR),
        ("frozen:2026-01-01", NEW_YEAR),
        ("frozen:2026-01-01T02:30:00+02:30", NEW_YEAR),
        ("frozen:2025-12-31T23:59:59.250", NEW_YEAR - 0.75),
        ("frozen:1970-01-01T00:00:10Z", 10),
    ],
)
def test_a_frozen_clock_stands_where_it_was_set(specification: str, instant: float) -> None:
    """`frozen` is the start of 2026, `frozen:<ISO time>` another instant, and neither moves by itself."""
    clock = Clock.parse(specification)
    assert clock.now() == instant
    _some_time_passes()
    assert clock.now() == instant
    assert clock.mode == "frozen"


def test_a_real_clock_shows_the_time_of_day() -> None:
    """`real`, the default, reads unix seconds."""
    before = time.time()
    read = [Clock.parse().now(), Clock.parse("real").now()]
    assert all(before - 1e-3 <= now <= time.time() + 1e-3 for now in read)
    assert Clock.parse().mode == "real"


@pytest.mark.parametrize(("specification", "rate"), [("x60", 60), ("x0.5", 0.5), ("x999999", 999_999)])
def test_a_multiplied_clock_runs_at_its_rate(specification: str, rate: float) -> None:
    """`x60` starts at the time of day and lets sixty seconds pass in one."""
    earliest = time.time()
    clock = Clock.parse(specification)
    latest = time.time()
    passed = _some_time_passes()
    now = clock.now()
    assert clock.mode == specification
    assert now >= earliest + passed * rate - 1e-3
    assert now <= latest + (time.time() - earliest) * rate + 1e-3


@given(st.lists(st.floats(0, 1e6), max_size=5))
def test_a_frozen_clock_moves_by_what_it_is_advanced(steps: list[float]) -> None:
    """Advances add up."""
    clock = Clock.parse("frozen")
    for step in steps:
        clock = clock.advanced(step)
    assert clock.now() == pytest.approx(NEW_YEAR + sum(steps), abs=1e-3)


@pytest.mark.parametrize("specification", ["real", "x60"])
def test_a_running_clock_can_be_advanced(specification: str) -> None:
    """A clock that runs goes on from where it was advanced to; seconds are its own, not multiplied."""
    clock = Clock.parse(specification)
    before = clock.now()
    clock = clock.advanced(3600)
    assert 3600 <= clock.now() - before < 7200


@pytest.mark.parametrize("specification", ["real", "x999999", "frozen", "frozen:9999-12-31T23:59:59.999999Z"])
def test_no_clock_goes_beyond_the_year_9999(specification: str) -> None:
    """However far it is advanced, and however fast it runs: at the last instant that has a name it stands still."""
    clock = Clock.parse(specification)
    for seconds in (1e10, 1e11, 1e12, 0.0):
        clock = clock.advanced(seconds)
        instant_text(clock.now())
    assert clock.now() == END
    assert instant_text(END).startswith("9999-12-31T23:59:59.99")

    async def read() -> Clock:
        return clock

    asyncio.run(asyncio.wait_for(sleep(read, 1e6), 5))
    assert clock.running("frozen").now() == END
    assert clock.restarted().now() < END or "9999" in specification


@given(st.floats(0, 1e12), st.sampled_from(["frozen", "real", "x999999"]))
def test_every_time_of_a_clock_can_be_shown(seconds: float, specification: str) -> None:
    """Whatever it is advanced by, its time is text that is read as that time again."""
    clock = Clock.parse(specification)
    clock = clock.advanced(seconds)
    now = clock.now()
    assert parse_instant(instant_text(now)) == pytest.approx(now, abs=1e-4)


@pytest.mark.parametrize(
    "specification",
    [
        "",
        "Real",
        "real ",
        "real:2026-01-01",
        "frozen:",
        "frozen:yesterday",
        "frozen:2026-13-01",
        "frozen:10000-01-01",
        "frozen:9999-12-31T23:59:59-01:00",
        "x",
        "x0",
        "x0.0",
        "x-1",
        "x1e3",
        "x inf",
        "x1.",
        "x٣",
        "60",
    ],
)
def test_what_is_no_clock_is_refused(specification: str) -> None:
    """Anything else is a `SettingsError` that names the setting and says what to give."""
    with pytest.raises(SettingsError, match=r"^clock: .*give real, frozen, frozen:<ISO time> or x<number>$"):
        Clock.parse(specification)


@given(st.text() | st.from_regex(r"\A(x[0-9.]*|frozen:[0-9TZ:+-]*)\Z"))
@example("frozen:0001-01-01T00:00:00+23:59")
@example("frozen:9999-12-31T23:59:59-23:59")
def test_any_text_is_a_clock_or_a_settings_error(specification: str) -> None:
    """No specification raises anything else, and a clock keeps the one that it was made from."""
    try:
        clock = Clock.parse(specification)
    except SettingsError:
        return
    assert clock.specification == specification
    assert isinstance(clock.now(), float)


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)), st.timezones() | st.none())  # noqa: DTZ001
def test_an_instant_without_an_offset_is_utc(naive: datetime, zone: tzinfo | None) -> None:
    """ISO times are read with their offset, and as UTC where they have none."""
    given_time = naive.replace(tzinfo=zone)
    expected = given_time if zone else naive.replace(tzinfo=UTC)
    assert parse_instant(given_time.isoformat()) == expected.timestamp()


@pytest.mark.parametrize("text", ["", "now", "2026-02-30", "2026-01-01T25:00:00Z"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    """`parse_instant` raises `ValueError` for what is no ISO 8601 time."""
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)
