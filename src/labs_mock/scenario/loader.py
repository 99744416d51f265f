"""From a folder of files to a library, or to all mistakes of all files at once."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario import schema
from labs_mock.scenario.checks import check_dataset, check_scenario
from labs_mock.scenario.document import Document
from labs_mock.scenario.mistakes import empty_values, respelt, schema_mistakes
from labs_mock.scenario.patterns import PatternError
from labs_mock.scenario.places import Mistake, find, texts
from labs_mock.scenario.rule_checks import check_doubts
from labs_mock.scenario.scenario import Scenario, compile_scenario
from labs_mock.scenario.server_file import ServerBase, ServerFile, check_server
from labs_mock.text import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

DATASETS, SERVER, COLLECTION = "datasets", "server.yaml", "collection.yaml"
ATTEMPTS = 32  # of a generated row, so a choice space must be so many times larger than the row count


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and its scenarios by slug, sorted."""

    slug: str
    name: str
    description: str
    scenarios: dict[str, Scenario]


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that a folder of files defines. Collections and scenarios are sorted by slug.

    `doubts` tells what is allowed and probably not meant.
    """

    collections: dict[str, Collection]
    datasets: dict[str, schema.DatasetFile] = field(default_factory=dict)
    server: ServerBase = field(default_factory=ServerFile)
    doubts: tuple[Problem, ...] = ()

    @property
    def scenarios(self) -> list[Scenario]:
        """All scenarios of all collections."""
        return [scenario for collection in self.collections.values() for scenario in collection.scenarios.values()]


def shipped_library() -> Path:
    """The folder of the scenarios that come with the package."""
    package = Path(__file__).parent.parent
    installed = package / "library"
    return installed if installed.is_dir() else package.parent.parent / "scenarios"


def load_library(folder: Path) -> Library:
    """Load a folder. Raises `ScenarioError` with every mistake in it."""
    return _Loader(folder).load()


def parse_scenario(text: str | bytes, *, file: str = "scenario.yaml", collection: str = "local") -> Scenario:
    """One scenario from YAML (or JSON) text; its slug is the file's name. Raises `ScenarioError`."""
    problems: list[Problem] = []
    model = _parse(Document(file, text), schema.ScenarioFile, check_scenario, problems)
    if model is None:
        raise ScenarioError(problems)
    return _compile(collection, Path(file).stem, model, file)


def _parse(
    document: Document,
    model: type[Model],
    check: Callable[[dict[str, Any]], Iterable[Mistake]],
    problems: list[Problem],
) -> Model | None:
    """The model of a document; None if anything is wrong with it, which is then among the problems."""
    parsed: Model | None = None
    mistakes = list(empty_values(document.value))
    empty = {mistake.path for mistake in mistakes}
    try:
        parsed = model.model_validate(document.value)
    except ValidationError as error:
        mistakes += [mistake for mistake in schema_mistakes(model, error) if mistake.path not in empty]
    mistakes += check(respelt(document.value, mistakes))
    found = [document.problem(one.path, one.message, one.expected, at_key=one.at_key) for one in mistakes]
    # The arms of a union say the same of one value, each for itself.
    told = {(problem.line, problem.column, problem.message): problem for problem in reversed(found)}
    problems += [*document.duplicates, *told.values()]
    return None if found or document.duplicates else parsed


def _compile(collection: str, slug: str, model: schema.ScenarioFile, file: str) -> Scenario:
    try:
        return compile_scenario(collection, slug, model)
    except PatternError as error:
        problem = Problem(
            file, 1, 1, f"the patterns of this scenario take too much memory: {error}", "expected fewer or simpler ones"
        )
        raise ScenarioError([problem]) from None


@dataclass(slots=True)
class _Loader:
    """`scenarios` has every scenario file by `<collection>/<slug>`, with None for one that has mistakes."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    scenarios: dict[str, Scenario | None] = field(default_factory=dict)

    def load(self) -> Library:
        if not self.folder.is_dir():
            raise ScenarioError([Problem(str(self.folder), 1, 1, "no such folder", "expected a folder of scenarios")])
        try:
            return self.library()
        except OSError as error:
            raise ScenarioError([Problem(str(error.filename), 1, 1, f"cannot be read: {error.strerror}")]) from None

    def library(self) -> Library:
        found = [self.collection(folder) for folder in self.folders() if folder.name != DATASETS]
        collections = {collection.slug: collection for collection in found if collection is not None}
        datasets = self.datasets()
        server = self.server()
        if not self.scenarios and not self.problems:
            self.note(self.folder, "no scenarios in this folder", "expected <collection>/<scenario>.yaml")
        if self.problems:
            raise ScenarioError(self.problems)
        return Library(collections, datasets, server or ServerFile(), tuple(self.doubts))

    def folders(self) -> list[Path]:
        entries = sorted(self.folder.iterdir())
        for entry in entries:
            if entry.suffix in (".yaml", ".yml") and entry.name != SERVER and entry.is_file():
                self.note(entry, "no file is expected here", f"expected a folder a collection, and {SERVER}")
        return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]

    def files(self, folder: Path) -> list[Path]:
        entries = sorted(folder.iterdir())
        for entry in entries:
            if entry.suffix != ".yaml" and entry.suffix.lower() in (".yaml", ".yml"):
                self.note(entry, "the file would be passed over", "expected a name that ends in .yaml")
            elif entry.is_dir() and folder.name != DATASETS and entry.suffix != ".yaml":
                self.note(entry, "the folder would be passed over", "expected scenario files")
        return [entry for entry in entries if entry.suffix == ".yaml"]

    def collection(self, folder: Path) -> Collection | None:
        head = self.read(folder / COLLECTION, schema.CollectionFile, lambda _: ())
        self.check_slug(folder, folder.name)
        scenarios = {}
        for path in self.files(folder):
            if path.name == COLLECTION:
                continue
            self.check_slug(path, path.stem)
            scenario = self.scenario(folder.name, path)
            self.scenarios[f"{folder.name}/{path.stem}"] = scenario
            if scenario is not None:
                scenarios[path.stem] = scenario
        return None if head is None else Collection(folder.name, head.name, head.description, scenarios)

    def scenario(self, collection: str, path: Path) -> Scenario | None:
        model = self.read(path, schema.ScenarioFile, check_scenario)
        try:
            return None if model is None else _compile(collection, path.stem, model, self.name(path))
        except ScenarioError as error:
            self.problems += error.problems
            return None

    def datasets(self) -> dict[str, schema.DatasetFile]:
        folder, datasets = self.folder / DATASETS, {}
        for path in self.files(folder) if folder.is_dir() else []:
            model = self.read(
                path, schema.DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, self.scenarios)]
            )
            if model is None:
                continue
            if model.id in datasets:
                self.note(path, f"the id {model.id} is taken by another dataset", "expected ids that differ")
            datasets[model.id] = model
        return datasets

    def server(self) -> ServerBase | None:
        path, known = self.folder / SERVER, dict.fromkeys(name.partition("/")[0] for name in self.scenarios)

        def check(data: dict[str, Any]) -> Iterator[Mistake]:
            yield from check_server(data)
            for place, name in texts(data, "keys.*.subscriptions.*"):
                if name not in known:
                    yield Mistake(place, f"unknown collection '{name}'", did_you_mean(name, known))

        return self.read(path, ServerFile, check) if path.exists() else None

    def read(
        self, path: Path, model: type[Model], check: Callable[[dict[str, Any]], Iterable[Mistake]]
    ) -> Model | None:
        try:
            document = Document.read(path, self.name(path))
            if model is schema.ScenarioFile:
                self.doubts += [
                    document.problem(one.path, one.message, one.expected) for one in check_doubts(document.value)
                ]
            return _parse(document, model, check, self.problems)
        except ScenarioError as error:
            self.problems += error.problems
            return None

    def check_slug(self, path: Path, slug: str) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > 80:
            self.note(path, f"'{slug}' cannot be a slug", "expected lower-case letters, digits and '-'")

    def note(self, path: Path, message: str, expected: str) -> None:
        self.problems.append(Problem(self.name(path), 1, 1, message, expected))

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path != self.folder else str(path)


def check_rows(data: dict[str, Any], scenarios: Mapping[str, Scenario | None]) -> Iterator[Mistake]:
    """What is wrong with `generate`: its references, and a choice space that is too small."""
    for path, name in texts(data, "rows.generate.scenario"):
        if name not in scenarios:
            yield Mistake(path, f"unknown scenario '{name}'", did_you_mean(name, scenarios))
        scenario = scenarios.get(name)
        if scenario is not None:
            yield from _check_operators(data, scenario.file.operators)


def _check_operators(data: dict[str, Any], known: dict[str, schema.Operator]) -> Iterator[Mistake]:
    names = texts(data, "rows.generate.operators.*")
    for path, name in names:
        if name not in known:
            yield Mistake(path, f"unknown operator '{name}'", did_you_mean(name, known))
    if not names or any(name not in known for _, name in names):
        return
    given = data["rows"]["generate"].get("temperatures", [1.0])
    temperatures = {number for number in given if isinstance(number, int | float)} if isinstance(given, list) else ()
    size = len(temperatures) * sum(choice_space(known[name]) for name in {name for _, name in names})
    for path, count in find(data, "rows.generate.count"):
        if isinstance(count, int) and 0 < size < ATTEMPTS * count:
            yield Mistake(
                path,
                f"a count of {count} needs {ATTEMPTS * count:,} choices, and the operators have {size:,}",
                "expected more alternatives in the operators' texts, more temperatures, or fewer rows",
            )


def choice_space(operator: schema.Operator) -> int:
    """In how many ways a simulated operator can put its turns."""
    return prod(len({*texts}) for turn in operator.says for part in turn.parts for texts in [part_texts(part)] if texts)


def part_texts(part: Any) -> list[str]:
    """The texts that a part of a turn chooses from; none for a call or silence."""
    said = part.say if isinstance(part, schema.Choice) else part
    return [said] if isinstance(said, str) else said if isinstance(said, list) else []
