import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.state.caches import Caches, Export, Recent, joined
from labs_mock.state.spool import CHUNK
from tests.state.samples import READY, dataset
from tests.support import scenario


@given(st.lists(st.integers(1, 50_000), max_size=12))
def test_rows_of_a_file_are_exported_as_they_are(sizes: list[int]) -> None:
    """The chunks of an export are its lines in order, of 64 KiB and less than one line more (DS-4, DS-6)."""
    lines = tuple(b"%d" % (index % 10) * size + b"\n" for index, size in enumerate(sizes))
    chunks = list(joined(lines))
    assert b"".join(chunks) == b"".join(lines)
    assert all(CHUNK <= len(chunk) < CHUNK + max(map(len, lines)) for chunk in chunks[:-1])
    assert len(chunks[-1]) < CHUNK


def test_an_export_of_a_file_leaves_nothing_exhausted() -> None:
    """Its rows passed no filter."""
    export = Export(dataset(READY), None)
    assert (list(export.chunks), export.keep_exhausted) == ([b'{"row":0}\n{"row":1}\n'], 0)


@given(st.lists(st.tuples(st.sampled_from("pg"), st.integers(0, 5)), max_size=40), st.integers(1, 4))
def test_what_was_used_last_is_kept(steps: list[tuple[str, int]], limit: int) -> None:
    """A value that is read or put is the last that goes."""
    recent: Recent[int, str] = Recent(limit)
    kept: dict[int, str] = {}
    for kind, name in steps:
        if kind == "p":
            kept.pop(name, None)
            kept[name] = recent.put(name, f"{name}")
            if len(kept) > limit:
                del kept[next(iter(kept))]
        else:
            assert recent.get(name) == kept.get(name)
            if name in kept:
                kept[name] = kept.pop(name)


@pytest.mark.parametrize("number", [1, 70])
def test_all_scenarios_of_a_library_have_room(number: int) -> None:
    """However many there are, each is compiled once, and each has one player."""
    caches, versions = Caches(0, 0), [scenario(name=f"N {index}") for index in range(number)]
    caches.add(versions)
    assert all(caches.scenario(one.version) is one for one in versions)
    players = [caches.player(one) for one in versions]
    assert all(caches.player_of(one.version) is player for one, player in zip(versions, players, strict=True))
    assert caches.player_of("unknown") is None
