"""From a folder of files to a library, or to all mistakes of all files at once."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario import schema
from labs_mock.scenario.checks import check_dataset, check_scenario
from labs_mock.scenario.datasets import Dataset, check_rows, compile_dataset, line_mistakes
from labs_mock.scenario.document import Document
from labs_mock.scenario.fault_doubts import plan_doubts
from labs_mock.scenario.mistakes import empty_values, respelt, schema_mistakes
from labs_mock.scenario.patterns import PatternError
from labs_mock.scenario.places import Mistake, texts
from labs_mock.scenario.rule_checks import check_doubts
from labs_mock.scenario.scenario import Scenario, compile_scenario
from labs_mock.scenario.server_file import ServerBase, ServerFile, check_server
from labs_mock.text import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Check = Callable[[dict[str, Any]], Iterable[Mistake]]

DATASETS, SERVER, COLLECTION = "datasets", "server.yaml", "collection.yaml"


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
    datasets: dict[str, Dataset] = field(default_factory=dict)
    server: ServerBase = field(default_factory=ServerFile)
    doubts: tuple[Problem, ...] = ()

    @property
    def scenarios(self) -> list[Scenario]:
        """All scenarios of all collections."""
        return [scenario for collection in self.collections.values() for scenario in collection.scenarios.values()]

    def having(self, scenario: Scenario) -> "Library":
        """The same library with a scenario added or replaced; a collection that is new is named by its slug."""
        slug = scenario.collection
        group = self.collections.get(slug) or Collection(slug, slug, "", {})
        scenarios = dict(sorted({**group.scenarios, scenario.slug: scenario}.items()))
        collections = {**self.collections, slug: replace(group, scenarios=scenarios)}
        return replace(self, collections=dict(sorted(collections.items())))


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
    check: Check,
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
        server = self.server(datasets)
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
        head = self.read(folder / COLLECTION, schema.CollectionFile)
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
        model = self.read(path, schema.ScenarioFile, check_scenario, check_doubts)
        try:
            return None if model is None else _compile(collection, path.stem, model, self.name(path))
        except ScenarioError as error:
            self.problems += error.problems
            return None

    def datasets(self) -> dict[str, Dataset]:
        folder, found = self.folder / DATASETS, {}
        for path in self.files(folder) if folder.is_dir() else []:
            model = self.read(
                path, schema.DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, self.scenarios)]
            )
            if model is None:
                continue
            if model.id in found:
                self.note(path, f"the id {model.id} is taken by another dataset", "expected ids that differ")
            found[model.id] = compile_dataset(path.stem, model, self.scenarios, self.lines(path, model))
        return found

    def lines(self, path: Path, model: schema.DatasetFile) -> list[bytes]:
        """The lines of the rows file that a dataset names; its mistakes are noted with their lines."""
        name = model.rows.file if model.rows else None
        if name is None:
            return []
        file = path.parent / name
        if not file.is_file() or path.parent.resolve() not in file.resolve().parents:
            self.note(path, f"no rows file '{name}' beside it", "expected the name of a file in the same folder")
            return []
        lines = file.read_bytes().splitlines()
        found = [
            Problem(self.name(file), number, 1, f"line {number}: {mistake}") for number, mistake in line_mistakes(lines)
        ]
        self.problems += found
        return [] if found else lines

    def server(self, datasets: dict[str, Dataset]) -> ServerBase | None:
        path, known = self.folder / SERVER, dict.fromkeys(name.partition("/")[0] for name in self.scenarios)

        def check(data: dict[str, Any]) -> Iterator[Mistake]:
            yield from check_server(data)
            for place, name in texts(data, "keys.*.subscriptions.*"):
                if name not in known:
                    yield Mistake(place, f"unknown collection '{name}'", did_you_mean(name, known))

        def doubt(data: dict[str, Any]) -> Iterator[Mistake]:
            named = [name.partition("/") for name in self.scenarios]
            return plan_doubts(data, [(collection, slug) for collection, _, slug in named], datasets)

        return self.read(path, ServerFile, check, doubt) if path.exists() else None

    def read(
        self, path: Path, model: type[Model], check: Check = lambda _: (), doubt: Check = lambda _: ()
    ) -> Model | None:
        try:
            document = Document.read(path, self.name(path))
            self.doubts += [document.problem(one.path, one.message, one.expected) for one in doubt(document.value)]
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
