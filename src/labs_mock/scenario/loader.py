"""From a folder of files to a library, or to all mistakes of all files at once."""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from labs_mock.errors import MAX_IN_FILE, Problem, Problems, ScenarioError
from labs_mock.redaction import Redactor
from labs_mock.scenario import schema
from labs_mock.scenario.checks import check_dataset, check_scenario
from labs_mock.scenario.datasets import Dataset, check_rows, compile_dataset, line_mistakes
from labs_mock.scenario.document import Document
from labs_mock.scenario.fault_doubts import plan_doubts
from labs_mock.scenario.folder import is_folder, is_regular, read_regular, stays_in
from labs_mock.scenario.mistakes import empty_values, respelt, schema_mistakes
from labs_mock.scenario.patterns import PatternError
from labs_mock.scenario.places import Hint, Mistake, texts
from labs_mock.scenario.rule_checks import check_doubts
from labs_mock.scenario.scenario import Scenario, compile_scenario, scoring_version
from labs_mock.scenario.server_file import ServerBase, ServerFile, check_server, secrets_in

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

    `scoring_version` is what every answer says that has a reward (SV-1).
    `doubts` tells what is allowed and probably not meant.
    """

    collections: dict[str, Collection]
    datasets: dict[str, Dataset] = field(default_factory=dict)
    server: ServerBase = field(default_factory=ServerFile)
    doubts: tuple[Problem, ...] = ()
    scoring_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scoring_version", scoring_version(self.scenarios))

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


def load_library(folder: Path, inspect: Check = lambda _: ()) -> Library:
    """Load a folder. Raises `ScenarioError` with the mistakes in it.

    `inspect` gives more doubts of a scenario's data, such as take too long where a server starts.
    """
    return _Loader(folder, inspect).load()


def parse_scenario(text: str | bytes, *, file: str = "scenario.yaml", collection: str = "local") -> Scenario:
    """One scenario from YAML (or JSON) text; its slug is the file's name. Raises `ScenarioError`."""
    model = _parse(Document(file, text), schema.ScenarioFile, check_scenario)
    return _compile(collection, Path(file).stem, model, file)


def _parse(document: Document, model: type[Model], check: Check, room: int = MAX_IN_FILE) -> Model:
    """The model of a document. Raises `ScenarioError` with up to so many of its mistakes."""
    mistakes = list(empty_values(document.value))
    empty = {mistake.path for mistake in mistakes}
    parsed: Model | None = None
    try:
        parsed = model.model_validate(document.value)
    except ValidationError as error:
        mistakes += [mistake for mistake in schema_mistakes(model, error) if mistake.path not in empty]
    mistakes += check(respelt(document.value, mistakes))
    if parsed is None or mistakes or document.duplicates:
        raise ScenarioError(*document.problems(mistakes, room))
    return parsed


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
    inspect: Check
    problems: Problems = field(default_factory=Problems)
    doubts: Problems = field(default_factory=Problems)
    scenarios: dict[str, Scenario | None] = field(default_factory=dict)

    def load(self) -> Library:
        if not is_folder(self.folder):
            self.note(self.folder, "no such folder", "expected a folder of scenarios")
        elif os.path.lexists(self.folder / COLLECTION):
            self.note(self.folder, "this is one collection", f"expected the folder around it, {self.folder.parent}")
        library = None if self.problems.count else self.library()
        if library is None or self.problems.count:
            raise ScenarioError(self.masked(self.problems), self.problems.more)
        return library

    def library(self) -> Library:
        collections = self.collections()
        datasets = self.datasets()
        server = self.server(datasets)
        if not self.scenarios and not self.problems.count:
            self.note(self.folder, "no scenarios in this folder", "expected <collection>/<scenario>.yaml")
        return Library(collections, datasets, server or ServerFile(), self.masked(self.doubts))

    def masked(self, problems: Problems) -> tuple[Problem, ...]:
        """The problems that are kept, in which no key of this folder can be read."""
        path = self.folder / SERVER
        if not problems.kept or not is_regular(path):
            return tuple(problems.kept)
        redact = Redactor((), secrets_in(path.read_text(encoding="utf-8", errors="replace")))
        return tuple(
            replace(one, message=redact(one.message), expected=redact(one.expected), source=redact(one.source))
            for one in problems.kept
        )

    def collections(self) -> dict[str, Collection]:
        found = {}
        for entry in self.entries(self.folder):
            if is_folder(entry):
                passed_over = entry.name[0] == "." or entry.name in (DATASETS, SERVER)
                collection = None if passed_over else self.collection(entry)
                if collection is not None:
                    found[collection.slug] = collection
            elif entry.suffix in (".yaml", ".yml") and entry.name != SERVER:
                self.note(entry, "no file is expected here", f"expected a folder a collection, and {SERVER}")
        return found

    def entries(self, folder: Path) -> list[Path]:
        """What lies in a folder, sorted; links that lead out of it are noted."""
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.note(folder, f"cannot be read: {error.strerror}", "expected a folder that may be read")
            return []
        inside = []
        for entry in entries:
            read = entry.suffix.lower() in (".yaml", ".yml") or (is_folder(entry) and entry.name[0] != ".")
            if read and entry.is_symlink() and not stays_in(self.folder, entry):
                self.note(
                    entry,
                    "a link that leads out of the folder",
                    "expected the file itself, or a link inside the folder",
                )
            else:
                inside.append(entry)
        return inside

    def files(self, folder: Path) -> list[Path]:
        entries = self.entries(folder)
        for entry in entries:
            if entry.suffix != ".yaml" and entry.suffix.lower() in (".yaml", ".yml"):
                self.note(entry, "the file would be passed over", "expected a name that ends in .yaml")
            elif entry.suffix != ".yaml" and folder.name != DATASETS and is_folder(entry):
                self.note(entry, "the folder would be passed over", "expected scenario files")
        return [entry for entry in entries if entry.suffix == ".yaml"]

    def collection(self, folder: Path) -> Collection | None:
        self.check_slug(folder, folder.name)
        files = self.files(folder)
        scenarios = {}
        for path in files:
            if path.name != COLLECTION:
                self.check_slug(path, path.stem)
                scenario = self.scenario(folder.name, path)
                self.scenarios[f"{folder.name}/{path.stem}"] = scenario
                if scenario is not None:
                    scenarios[path.stem] = scenario
        head = self.read(folder / COLLECTION, schema.CollectionFile)
        return None if head is None else Collection(folder.name, head.name, head.description, scenarios)

    def scenario(self, collection: str, path: Path) -> Scenario | None:
        model = self.read(path, schema.ScenarioFile, check_scenario, self.scenario_doubts)
        try:
            return None if model is None else _compile(collection, path.stem, model, self.name(path))
        except ScenarioError as error:
            self.add(path, error)
            return None

    def scenario_doubts(self, data: dict[str, Any]) -> Iterator[Mistake]:
        yield from check_doubts(data)
        yield from self.inspect(data)

    def datasets(self) -> dict[str, Dataset]:
        folder = self.folder / DATASETS
        found: dict[str, Dataset] = {}
        for path in self.files(folder) if is_folder(folder) and stays_in(self.folder, folder) else []:
            dataset = self.dataset(path)
            if dataset is not None:
                if dataset.id in found:
                    self.note(path, f"the id {dataset.id} is taken by another dataset", "expected ids that differ")
                found[dataset.id] = dataset
        return found

    def dataset(self, path: Path) -> Dataset | None:
        model = self.read(
            path, schema.DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, self.scenarios)]
        )
        if model is None:
            return None
        return compile_dataset(path.stem, model, self.scenarios, self.lines(path, model))

    def lines(self, path: Path, model: schema.DatasetFile) -> list[bytes]:
        """The lines of the rows file that a dataset names; its mistakes are noted with their lines."""
        name = model.rows.file if model.rows else None
        if name is None:
            return []
        file = path.parent / name
        beside = Path(os.path.normpath(file)).is_relative_to(path.parent) and stays_in(self.folder, file)
        if not beside or not is_regular(file):
            self.note(path, f"no rows file '{name}' beside it", "expected the name of a file in the same folder")
            return []
        before = self.problems.count
        try:
            lines = read_regular(file, self.name(file)).splitlines()
        except ScenarioError as error:
            self.add(file, error)
            return []
        mistakes = line_mistakes(lines)
        self.problems.add(
            self.name(file), (self.line_problem(file, *one) for one in islice(mistakes, self.problems.room))
        )
        self.problems.add(self.name(file), (), sum(1 for _ in mistakes))
        return lines if self.problems.count == before else []

    def line_problem(self, file: Path, number: int, mistake: str) -> Problem:
        return Problem(self.name(file), number, 1, f"line {number}: {mistake}")

    def server(self, datasets: dict[str, Dataset]) -> ServerBase | None:
        path, known = self.folder / SERVER, dict.fromkeys(name.partition("/")[0] for name in self.scenarios)

        def check(data: dict[str, Any]) -> Iterator[Mistake]:
            yield from check_server(data)
            for place, name in texts(data, "keys.*.subscriptions.*"):
                if name not in known:
                    yield Mistake(place, f"unknown collection '{name}'", Hint(name, known))

        def doubt(data: dict[str, Any]) -> Iterator[Mistake]:
            named = [name.partition("/") for name in self.scenarios]
            return plan_doubts(data, [(collection, slug) for collection, _, slug in named], datasets)

        return self.read(path, ServerFile, check, doubt) if os.path.lexists(path) else None

    def read(
        self, path: Path, model: type[Model], check: Check = lambda _: (), doubt: Check = lambda _: ()
    ) -> Model | None:
        """The model of a file; None, with its mistakes noted, for a bad one. Only of a good one there may be doubts."""
        if not stays_in(self.folder, path):  # noted where the folder was listed
            return None
        try:
            document = Document.read(path, self.name(path))
            parsed = _parse(document, model, check, self.problems.room)
        except ScenarioError as error:
            self.add(path, error)
            return None
        self.doubts.add(self.name(path), *document.problems(doubt(document.value), self.doubts.room))
        return parsed

    def check_slug(self, path: Path, slug: str) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > 80:
            self.note(path, f"'{slug}' cannot be a slug", "expected lower-case letters, digits and '-'")

    def note(self, path: Path, message: str, expected: str) -> None:
        self.problems.add(self.name(path), [Problem(self.name(path), 1, 1, message, expected)])

    def add(self, path: Path, error: ScenarioError) -> None:
        self.problems.add(self.name(path), error.problems, error.more)

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path != self.folder else str(path)
