"""From a folder of files to a library, or to all mistakes of all files at once."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

import labs_mock
from labs_mock.config.fault_warnings import plan_doubts
from labs_mock.config.server_file import ServerBase, ServerFile, check_server, secrets_in
from labs_mock.errors import MAX_IN_FILE, Problem, Problems, ScenarioError
from labs_mock.redaction import Redactor
from labs_mock.scenario.compiled.datasets import Dataset, check_rows, compile_dataset, line_mistakes
from labs_mock.scenario.compiled.scenario import Scenario, compile_scenario, scoring_version
from labs_mock.scenario.files import schema
from labs_mock.scenario.files.checks import check_dataset, check_scenario
from labs_mock.scenario.files.document import Document
from labs_mock.scenario.files.fields import is_slug
from labs_mock.scenario.files.folder import is_folder, is_regular, read_regular, stays_in
from labs_mock.scenario.files.messages import empty_values, respelt, schema_mistakes
from labs_mock.scenario.files.paths import Hint, Mistake, texts
from labs_mock.scenario.rules.checks import check_doubts
from labs_mock.scenario.rules.patterns import PatternError

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
    `warnings` are about what can be loaded and was hardly meant.
    """

    collections: dict[str, Collection]
    datasets: dict[str, Dataset] = field(default_factory=dict)
    server: ServerBase = field(default_factory=ServerFile)
    warnings: tuple[Problem, ...] = ()
    scoring_version: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scoring_version", scoring_version(self.scenarios))

    @property
    def scenarios(self) -> list[Scenario]:
        """All scenarios of all collections."""
        return [scenario for collection in self.collections.values() for scenario in collection.scenarios.values()]

    def with_scenario(self, scenario: Scenario) -> "Library":
        """The same library with a scenario added or replaced; a collection that is new is named by its slug."""
        slug = scenario.collection
        group = self.collections.get(slug) or Collection(slug, slug, "", {})
        scenarios = dict(sorted({**group.scenarios, scenario.slug: scenario}.items()))
        collections = {**self.collections, slug: replace(group, scenarios=scenarios)}
        return replace(self, collections=dict(sorted(collections.items())))


def shipped_library() -> Path:
    """The folder of the scenarios that come with the package."""
    package = Path(labs_mock.__file__).parent
    installed = package / "library"
    return installed if installed.is_dir() else package.parent.parent / "scenarios"


def load_library(folder: Path) -> Library:
    """Load a folder. Raises `ScenarioError` with the mistakes in it."""
    loader = Loader(folder)
    library = loader.load()
    loader.problems.complain()
    return library


def load_scenarios(folder: Path) -> Library:
    """Load the scenarios of a folder, and neither its datasets nor `server.yaml`. Raises `ScenarioError`."""
    loader = Loader(folder)
    library = Library(loader.collections()) if loader.is_library() else Library({})
    loader.mask()
    loader.problems.complain()
    return library


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
        raise ScenarioError(*document.problems(mistakes, room, document.duplicates))
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
class Loader:
    """Reads the files of a folder, and notes what is wrong with them and what was hardly meant.

    `scenarios` has every scenario file by `<collection>/<slug>`, with None for one that has mistakes. They are known whole
    unless the folder is no library, but only where a single file lies. `look_closely` gives more warnings of a scenario's data,
    such as take too long where a server starts.
    """

    folder: Path
    look_closely: Check = lambda _: ()
    whole: bool = True
    problems: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)
    scenarios: dict[str, Scenario | None] = field(default_factory=dict)

    def load(self) -> Library:
        """All of the folder that has no mistakes."""
        if not self.is_library():
            return Library({})
        collections = self.collections()
        datasets = self.datasets()
        server = self.server(datasets)
        if not self.scenarios and not self.problems.count:
            self.note(self.folder, "no scenarios in this folder", "expected <collection>/<scenario>.yaml")
        self.mask()
        return Library(collections, datasets, server or ServerFile(), tuple(self.warnings.kept))

    def mask(self) -> None:
        """Make every key of this folder unreadable in its problems and warnings."""
        path = self.folder / SERVER
        if not (self.problems.kept or self.warnings.kept) or not is_regular(path):
            return
        try:
            text = read_regular(path, SERVER).decode("utf-8", "replace")
        except ScenarioError:  # which is noted, and then nothing of it can be shown
            return
        redact = Redactor((), secrets_in(text))
        for found in (self.problems, self.warnings):
            found.kept = [
                replace(one, message=redact(one.message), expected=redact(one.expected), source=redact(one.source))
                for one in found.kept
            ]

    def is_library(self) -> bool:
        """Whether the folder can be one of collections; if not, that is noted."""
        around = f"expected the folder around it, {self.folder.resolve().parent if self.folder.name in ('', '..') else self.folder.parent}"
        if not is_folder(self.folder):
            self.note(self.folder, "no such folder", "expected a folder of scenarios")
        elif os.path.lexists(self.folder / COLLECTION):
            self.note(self.folder, "this is one collection", around)
        elif self.folder.name == DATASETS and not any(is_folder(entry) for entry in self.entries(self.folder)):
            self.note(self.folder, "these are the datasets of a folder", around)
        return not self.problems.count

    def collections(self) -> dict[str, Collection]:
        """The collections by slug, with their scenarios."""
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
        """What lies in a folder, sorted."""
        try:
            return sorted(folder.iterdir())
        except OSError as error:
            self.note(folder, f"cannot be read: {error.strerror}", "expected a folder that may be read")
            return []

    def files(self, folder: Path) -> list[Path]:
        """The files of a collection, or of the datasets; those that would be passed over are noted."""
        if not self.stays(folder):
            return []
        entries = self.entries(folder)
        for entry in entries:
            if entry.suffix != ".yaml" and entry.suffix.lower() in (".yaml", ".yml"):
                self.note(entry, "the file would be passed over", "expected a name that ends in .yaml")
            elif entry.suffix != ".yaml" and folder.name != DATASETS and is_folder(entry):
                self.note(entry, "the folder would be passed over", "expected scenario files")
        return [entry for entry in entries if entry.suffix == ".yaml"]

    def collection(self, folder: Path) -> Collection | None:
        """A collection with its good scenarios; None without a good `collection.yaml`."""
        self.check_slug(folder, folder.name)
        before = self.problems.count
        files = [path for path in self.files(folder) if path.name != COLLECTION]
        if before < self.problems.count and not files:  # what is wrong with the folder is said
            return None
        scenarios = {path.stem: self.scenario(path) for path in files}
        head = self.head(folder / COLLECTION)
        good = {slug: scenario for slug, scenario in scenarios.items() if scenario is not None}
        return None if head is None else Collection(folder.name, head.name, head.description, good)

    def head(self, path: Path) -> schema.CollectionFile | None:
        """A `collection.yaml`."""
        return self.read(path, schema.CollectionFile)

    def scenario(self, path: Path) -> Scenario | None:
        """A scenario file."""
        self.check_slug(path, path.stem)
        model = self.read(
            path, schema.ScenarioFile, check_scenario, lambda data: [*check_doubts(data), *self.look_closely(data)]
        )
        compiled = None
        try:
            compiled = None if model is None else _compile(path.parent.name, path.stem, model, self.name(path))
        except ScenarioError as error:
            self.add(path, error)
        self.scenarios[f"{path.parent.name}/{path.stem}"] = compiled
        return compiled

    def datasets(self, but: Path | None = None) -> dict[str, Dataset]:
        """The datasets by id, perhaps but for one of the files."""
        folder = self.folder / DATASETS
        found: dict[str, Dataset] = {}
        for path in self.files(folder) if is_folder(folder) else []:
            if path != but:
                self.dataset(path, found)
        return found

    def dataset(self, path: Path, found: dict[str, Dataset]) -> None:
        """A dataset file, and the rows file that it names; a dataset without mistakes is added to those found."""
        known = self.scenarios if self.whole else None
        model = self.read(path, schema.DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, known)])
        if model is None:
            return
        if model.id in found:
            self.note(path, f"the id {model.id} is taken by another dataset", "expected ids that differ")
        before = self.problems.count
        lines = self.lines(path, model)
        generate = model.rows.generate if model.rows else None
        if before == self.problems.count and (generate is None or self.scenarios.get(generate.scenario)):
            found[model.id] = compile_dataset(path.stem, model, self.scenarios, lines)

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
        try:
            lines = read_regular(file, self.name(file)).splitlines()
        except ScenarioError as error:
            self.add(file, error)
            return []
        name, mistakes = self.name(file), line_mistakes(lines)
        kept = [
            Problem(name, number, 1, f"line {number}: {mistake}")
            for number, mistake in islice(mistakes, self.problems.room)
        ]
        self.problems.add(name, kept, sum(1 for _ in mistakes))
        return lines

    def server(self, datasets: Mapping[str, Dataset]) -> ServerBase | None:
        """`server.yaml`, if there is one."""
        path, known = self.folder / SERVER, dict.fromkeys(name.partition("/")[0] for name in self.scenarios)

        def check(data: dict[str, Any]) -> Iterator[Mistake]:
            yield from check_server(data)
            for place, name in texts(data, "keys.*.subscriptions.*") if self.whole else ():
                if name not in known:
                    yield Mistake(place, f"unknown collection '{name}'", Hint(name, known))

        def warn(data: dict[str, Any]) -> Iterator[Mistake]:
            named = [name.partition("/") for name in self.scenarios]
            scenarios = [(collection, slug) for collection, _, slug in named]
            return plan_doubts(data, scenarios, datasets) if self.whole else iter(())

        return self.read(path, ServerFile, check, warn) if os.path.lexists(path) else None

    def read(
        self, path: Path, model: type[Model], check: Check = lambda _: (), warn: Check = lambda _: ()
    ) -> Model | None:
        """The model of a file; None, with its mistakes noted, for a bad one. Only of a good one there may be warnings."""
        if not self.stays(path):
            return None
        try:
            document = Document.read(path, self.name(path))
            parsed = _parse(document, model, check, self.problems.room)
        except ScenarioError as error:
            self.add(path, error)
            return None
        self.warnings.add(self.name(path), *document.problems(warn(document.value), self.warnings.room, document.cut))
        return parsed

    def stays(self, path: Path) -> bool:
        """Whether a path lies in the folder, all links followed; one that does not is noted, and never read."""
        if not stays_in(self.folder, path):
            self.note(
                path, "a link that leads out of the folder", "expected the file itself, or a link inside the folder"
            )
            return False
        return True

    def check_slug(self, path: Path, slug: str) -> None:
        """Note a name that cannot be a slug."""
        if not is_slug(slug):
            self.note(path, f"'{slug}' cannot be a slug", "expected lower-case letters, digits and '-'")

    def note(self, path: Path, message: str, expected: str) -> None:
        """Note what is wrong with a path."""
        self.problems.add(self.name(path), [Problem(self.name(path), 1, 1, message, expected)])

    def add(self, path: Path, error: ScenarioError) -> None:
        """Note the mistakes in a file."""
        self.problems.add(self.name(path), error.problems, error.more)

    def name(self, path: Path) -> str:
        """How problems name a path: by its place in the folder."""
        return path.relative_to(self.folder).as_posix() if path != self.folder else str(path)
