"""These run twice: with the newest version of datasets, and with the oldest that is supported."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs_mock.contract.openapi import row_features
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.scenario.compiled.datasets import read_line
from labs_mock.scenario.files.row_checks import line_mistakes
from tests.pages import ROOT
from tests.trainers.conftest import SHIPPED

datasets = pytest.importorskip("datasets")

pytestmark = pytest.mark.trainers

FEATURES = datasets.Features.from_dict(orjson.loads(row_features()))

ways = pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streaming"])
schemas = pytest.mark.parametrize("features", [None, FEATURES], ids=["inferred", "published"])


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> None:
    datasets.disable_progress_bars()


def load(files: Path | list[Path], cache: Path, **options: Any) -> Any:
    """What `datasets` makes of files, without any preparation."""
    names = [str(file) for file in ([files] if isinstance(files, Path) else files)]
    return datasets.load_dataset("json", data_files=names, split="train", cache_dir=str(cache), **options)


def texts_of(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Loaded rows as JSON. A key that only other messages have is null in datasets, and absent in an export."""
    for row in rows:
        messages = [{key: value for key, value in message.items() if value is not None} for message in row["messages"]]
        yield orjson.dumps({**row, "messages": messages})


def exported(*files: Path) -> Iterator[bytes]:
    """Exported rows in the same way: with the same keys in the same order, and 1.0 is not 1."""
    return (orjson.dumps(orjson.loads(line)) for file in files for line in file.read_bytes().splitlines())


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """A file of rows as an export has them."""
    path.write_bytes(b"".join(read_line(orjson.dumps(row)).line() for row in rows))
    return path


def row(index: int = 0, thinking: str | None = None, ifd: float | None = None, text: str = "Good.") -> dict[str, Any]:
    """A row of two messages."""
    reply = {"role": "assistant", "content": text, **({"thinking": thinking} if thinking else {})}
    scores = {"quality_score": 1, "complexity_score": 0.5, "ifd_score": ifd}
    return {
        "scenario_id": "coaching/weekly-check-ins",
        "agent_template_id": "coach-v1",
        "messages": [{"role": "user", "content": "Hello."}, reply],
        "metadata": {"temperature": 1, "rollout_index": index, "turn_count": 1, **scores},
    }


def test_the_version_is_the_newest_or_the_oldest() -> None:
    """What is installed here is locked: the newest version, or the oldest that is supported."""
    locks = [(ROOT / f"constraints-{name}.txt").read_text().splitlines() for name in ("trainers", "oldest")]
    assert any(f"datasets=={datasets.__version__}" in lock for lock in locks)


@schemas
@ways
@pytest.mark.parametrize("name", SHIPPED)
def test_an_export_loads_as_it_is(
    name: str, streaming: bool, features: Any, exports: dict[str, Path], tmp_path: Path
) -> None:
    """Every row of a shipped dataset comes back with the same keys, texts, numbers and types of numbers (ROW-1, ROW-3)."""
    loaded = load(exports[name], tmp_path, streaming=streaming, features=features)
    for got, expected in zip(texts_of(loaded), exported(exports[name]), strict=True):
        assert got == expected


@ways
def test_the_first_row_is_enough_to_tell_the_types_from(
    streaming: bool, exports: dict[str, Path], tmp_path: Path
) -> None:
    """Generated rows load also when each is a block of its own (ROW-3)."""
    loaded = load(exports["check-ins"], tmp_path, streaming=streaming, chunksize=1)
    assert [*texts_of(loaded)] == [*exported(exports["check-ins"])]


def test_one_of_the_exports_is_read_in_several_blocks(exports: dict[str, Path]) -> None:
    """It is larger than 20 MB, and datasets reads 10 MB at a time."""
    assert exports["pension-talks"].stat().st_size > 20_000_000


@schemas
def test_numbers_keep_their_types(features: Any, exports: dict[str, Path], tmp_path: Path) -> None:
    """Fractional numbers are float64 and counts int64, whichever values come first (ROW-3)."""
    types = load(exports["by-hand"], tmp_path, features=features).features["metadata"]
    assert {name: value.dtype for name, value in types.items()} == {
        "temperature": "float64",
        "rollout_index": "int64",
        "turn_count": "int64",
        "quality_score": "float64",
        "complexity_score": "float64",
        "ifd_score": "float64",
    }


@ways
def test_files_that_differ_load_together_with_the_published_features(
    streaming: bool, exports: dict[str, Path], tmp_path: Path
) -> None:
    """`thinking` and a number for `ifd_score` may come in later files only."""
    plain = write(tmp_path / "plain.jsonl", (row(index) for index in range(30)))
    thoughtful = write(tmp_path / "thoughtful.jsonl", (row(index, thinking="Wait.") for index in range(30)))
    scored = write(tmp_path / "scored.jsonl", (row(index, ifd=0.5) for index in range(30)))
    files = [plain, thoughtful, scored, exports["check-ins"], exports["by-hand"]]
    loaded = load(files, tmp_path, streaming=streaming, features=FEATURES)
    assert [*texts_of(loaded)] == [*exported(*files)]


@pytest.mark.parametrize("later", [row(thinking="Wait."), row(ifd=0.5)], ids=["thinking", "ifd_score"])
def test_files_that_differ_do_not_load_together_without(later: dict[str, Any], tmp_path: Path) -> None:
    """That is what the features are published for: datasets takes the types from the first file."""
    files = [write(tmp_path / "plain.jsonl", [row()]), write(tmp_path / "later.jsonl", [later])]
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        load(files, tmp_path)


texts = st.text(max_size=20)
filled = st.text(min_size=1, max_size=20)


@st.composite
def datasets_of(draw: st.DrawFn, numbers: st.SearchStrategy[float]) -> list[dict[str, Any]]:
    """Rows that labs-mock accepts as a dataset; `numbers` are in [0, 1]."""
    thinks, scored = draw(st.booleans()), draw(st.booleans())

    def one(first: bool) -> dict[str, Any]:
        turns = draw(st.lists(st.tuples(texts, texts, st.none() | filled), min_size=1, max_size=3))
        messages: list[dict[str, str]] = []
        for index, (heard, content, thought) in enumerate(turns):
            turn = {"role": "assistant", "content": content}
            if thinks and (thought or (first and index == 0)):
                turn["thinking"] = thought or "Hm."
            messages += ({"role": "user", "content": heard.replace(NO_RESPONSE, "")}, turn)
        scores = {name: draw(numbers) for name in ("temperature", "quality_score", "complexity_score")}
        counts = {"rollout_index": draw(st.integers(0, 2**63 - 1)), "turn_count": len(turns)}
        metadata = {**scores, **counts, "ifd_score": draw(numbers) if scored else None}
        ids = {"scenario_id": f"c/{draw(filled)}", "agent_template_id": f"v{draw(texts)}"}
        return {**ids, "messages": messages, "metadata": metadata}

    return [one(index == 0) for index in range(draw(st.integers(1, 4)))]


def loads(rows: list[dict[str, Any]], streaming: bool, chunksize: int, features: Any = None) -> None:
    """Load a dataset that labs-mock accepts, so many bytes at a time and on to the end of the row, and compare."""
    with TemporaryDirectory() as name:
        file = write(Path(name) / "rows.jsonl", rows)
        assert not [*line_mistakes(file.read_bytes().splitlines())]
        loaded = load(file, Path(name), streaming=streaming, chunksize=chunksize, features=features)
        assert [*texts_of(loaded)] == [*exported(file)]


LINE_ENDS = [row(text=f"one{end}two") for end in ("\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\v", "\0")]
ONE_THOUGHT = [row(0, "Wait."), *map(row, range(1, 50))]

sizes = st.sampled_from([1, 1 << 20])


@given(datasets_of(st.floats(0, 1)), st.booleans(), sizes)
@example(LINE_ENDS, False, 1)
@example(ONE_THOUGHT, True, 1)
@settings(max_examples=25)
def test_every_dataset_loads_with_the_published_features(
    rows: list[dict[str, Any]], streaming: bool, chunksize: int
) -> None:
    """Whatever labs-mock accepts comes back as it was exported, also when each row is a block of its own (ROW-3, ROW-4)."""
    loads(rows, streaming, chunksize, FEATURES)


@given(datasets_of(st.integers(0, 10**10).map(lambda number: number / 10**10)), st.booleans(), sizes)
@example(LINE_ENDS, False, 1)
@example(ONE_THOUGHT, False, 1)
@example(ONE_THOUGHT, True, 1)
@settings(max_examples=25)
def test_every_dataset_loads_without_them(rows: list[dict[str, Any]], streaming: bool, chunksize: int) -> None:
    """The first row is enough to tell the types from (ROW-3). Newer versions of datasets keep ten places of what they infer."""
    loads(rows, streaming, chunksize)
