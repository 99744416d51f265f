"""The shipped library with what is made for the benchmarks: a long scenario, two with many patterns, and datasets."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.templates import SENTENCES

SHIPPED = Path(__file__).parents[1] / "scenarios"
LONG_CLAIM = {"collection_slug": "measured", "scenario_slug": "long-claim"}
FEW, MANY = 50, 1_000

DATASET = "b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a{:02x}"
DATASET_FILE = """\
id: {id}
name: To be measured
lifecycle: [{{status: ready}}]
rows:
  generate: {{scenario: finance/retirement-worries, operators: [expert, middling], count: {rows}, temperatures: [0.7, 1.0]}}
"""
PATTERNS_FILE = """\
name: Many patterns
description: A scenario with {patterns} patterns.
shape: conversation
difficulty: easy
persona:
  identity: {{name: Dana Reyes}}
  opening: Hello, I'm calling about my claim.
  fallback: ["Sorry, what do you mean?", "Could you ask me that another way?"]
criteria:
  success_metrics:
{metrics}
"""
METRIC = "    - {{id: metric_{number}, text: 'Number {number}', when: {rule}}}"


@contextmanager
def library(datasets: Mapping[int, int] | None = None) -> Iterator[str]:
    """A folder of scenarios, and of datasets under numbers below 256, each with so many rows."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for collection in SHIPPED.iterdir():
            if collection.is_dir() and collection.name != "datasets":
                shutil.copytree(collection, folder / collection.name)  # a link that leads out of a folder is refused
        files = {"measured/collection.yaml": "name: Measured\ndescription: For the benchmarks.\n"}
        files["measured/long-claim.yaml"] = _long_claim()
        files |= {f"measured/patterns-{patterns}.yaml": _patterns(patterns) for patterns in (FEW, MANY)}
        for number, rows in (datasets or {}).items():
            files[f"datasets/{number}.yaml"] = DATASET_FILE.format(id=DATASET.format(number), rows=rows)
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        yield name


def many_patterns(patterns: int) -> dict[str, str]:
    """The names of the scenario with so many patterns, for the body of a request."""
    return {"collection_slug": "measured", "scenario_slug": f"patterns-{patterns}"}


def _long_claim() -> str:
    """The shipped claim, with as many turns as there may be."""
    text = (SHIPPED / "case-management" / "lower-back-claim.yaml").read_text(encoding="utf-8")
    assert "max_turns: 12" in text
    return text.replace("max_turns: 12", "max_turns: 50")


def _patterns(patterns: int) -> str:
    """A scenario with phrases, and an expression among ten patterns; seven of the phrases are in our messages."""
    words = [" ".join(sentence.split()[2:5]).strip(",.?") for sentence in SENTENCES]
    words += [f"the matter of number {number}" for number in range(patterns)]
    rules = (
        f"{{matches: 'order {number}\\d{{4,8}}'}}" if number % 10 == 9 else f"{{says: ['{words[number]}']}}"
        for number in range(patterns)
    )
    metrics = "\n".join(METRIC.format(number=number, rule=rule) for number, rule in enumerate(rules))
    return PATTERNS_FILE.format(patterns=patterns, metrics=metrics)
