"""From the files of a folder to its collections and datasets, or to all mistakes of all of them at once."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from labs_mock.errors import MAX_IN_FILE, Problem, Problems, ScenarioError
from labs_mock.scenario.compiled.datasets import Dataset, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario, compile_scenario
from labs_mock.scenario.files import schema
from labs_mock.scenario.files.dataset_checks import check_dataset
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.scenario.files.fields import is_slug
from labs_mock.scenario.files.folder import MAX_BYTES, is_folder, is_regular, read_regular, stays_in
from labs_mock.scenario.files.known_files import KnownFiles
from labs_mock.scenario.files.paths import Mistake
from labs_mock.scenario.files.row_checks import check_rows, line_mistakes
from labs_mock.scenario.files.scenario_checks import check_scenario
from labs_mock.scenario.files.scenario_warnings import scenario_warnings
from labs_mock.scenario.files.schema_mistakes import empty_values, schema_mistakes, with_known_keys
from labs_mock.scenario.rules.patterns import PatternError

if TYPE_CHECKING:
    from labs_mock.scenario.files.yaml_document import YamlDocument

Model = TypeVar("Model", bound=BaseModel)
Check = Callable[[dict[str, Any]], Iterable[Mistake]]

DATASETS, SERVER, COLLECTION = "datasets", "server.yaml", "collection.yaml"
CACHE = "__pycache__"  # what Python leaves where tests stand beside the files


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection and its scenarios by slug, sorted."""

    slug: str
    name: str
    description: str
    scenarios: dict[str, Scenario]


def parse_scenario(text: str | bytes, *, file: str = "scenario.yaml", collection: str = "local") -> Scenario:
    """One scenario from YAML (or JSON) text; its slug is the file's name. Raises `ScenarioError`."""
    from labs_mock.scenario.files.yaml_document import YamlDocument

    model = _parse(YamlDocument(file, text), schema.ScenarioFile, check_scenario)
    return _compile(collection, Path(file).stem, model, file)


def _parse(document: "YamlDocument", model: type[Model], check: Check, room: int = MAX_IN_FILE) -> Model:
    """The model of a document. Raises `ScenarioError` with up to so many of its mistakes."""
    mistakes = list(empty_values(document.value))
    empty = {mistake.path for mistake in mistakes}
    parsed: Model | None = None
    try:
        parsed = model.model_validate(document.value)
    except ValidationError as error:
        mistakes += [mistake for mistake in schema_mistakes(model, error) if mistake.path not in empty]
    mistakes += check(with_known_keys(document.value, mistakes))
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
    """Reads the files of a folder, and collects what is wrong with them (`problems`) and what was hardly meant (`warnings`).

    `scenarios` has every scenario file that was read by `<collection>/<slug>`, with None for one that has mistakes. Where the
    folder is not a `complete` one, since only single files lie in it, names that refer to others are not checked.
    `extra_warnings` gives more warnings about a scenario's data: those that take too long where a server starts.
    Files that are `known` need not be parsed and checked, since they were.
    """

    folder: Path
    extra_warnings: Check = lambda _: ()
    complete: bool = True
    known: KnownFiles | None = None
    problems: Problems = field(default_factory=Problems)
    warnings: Problems = field(default_factory=Problems)
    scenarios: dict[str, Scenario | None] = field(default_factory=dict)

    def check_is_library(self) -> bool:
        """Whether the folder can be one of collections; if not, that is a problem."""
        around = f"expected the folder around it, {self.folder.resolve().parent if self.folder.name in ('', '..') else self.folder.parent}"
        if not is_folder(self.folder):
            self.add_problem(self.folder, "no such folder", "expected a folder of scenarios")
        elif os.path.lexists(self.folder / COLLECTION):
            self.add_problem(self.folder, "this is one collection", around)
        elif self.folder.name == DATASETS and not any(is_folder(entry) for entry in self.list_entries(self.folder)):
            self.add_problem(self.folder, "these are the datasets of a folder", around)
        return not self.problems.count

    def read_collections(self) -> dict[str, Collection]:
        """The collections by slug, with their scenarios."""
        found = {}
        for entry in self.list_entries(self.folder):
            if is_folder(entry):
                passed_over = entry.name[0] == "." or entry.name in (DATASETS, SERVER)
                collection = None if passed_over else self.read_collection(entry)
                if collection is not None:
                    found[collection.slug] = collection
            elif entry.suffix in (".yaml", ".yml") and entry.name != SERVER:
                self.add_problem(entry, "no file is expected here", f"expected a folder a collection, and {SERVER}")
        return found

    def list_entries(self, folder: Path) -> list[Path]:
        """The paths in a folder, sorted, without Python's cache."""
        try:
            return sorted(entry for entry in folder.iterdir() if entry.name != CACHE)
        except OSError as error:
            self.add_problem(folder, f"cannot be read: {error.strerror}", "expected a folder that may be read")
            return []

    def list_files(self, folder: Path) -> list[Path]:
        """The files of a collection, or of the datasets; names that would be passed over are problems."""
        if not self.check_inside(folder):
            return []
        entries = self.list_entries(folder)
        for entry in entries:
            if entry.suffix != ".yaml" and entry.suffix.lower() in (".yaml", ".yml"):
                self.add_problem(entry, "the file would be passed over", "expected a name that ends in .yaml")
            elif entry.suffix != ".yaml" and folder.name != DATASETS and is_folder(entry):
                self.add_problem(entry, "the folder would be passed over", "expected scenario files")
        return [entry for entry in entries if entry.suffix == ".yaml"]

    def read_collection(self, folder: Path) -> Collection | None:
        """A collection with its good scenarios; None without a good `collection.yaml`."""
        self.check_slug(folder, folder.name)
        before = self.problems.count
        files = [path for path in self.list_files(folder) if path.name != COLLECTION]
        if before < self.problems.count and not files:  # what is wrong with the folder is among the problems
            return None
        scenarios = {path.stem: self.read_scenario(path) for path in files}
        head = self.read_head(folder / COLLECTION)
        good = {slug: scenario for slug, scenario in scenarios.items() if scenario is not None}
        return None if head is None else Collection(folder.name, head.name, head.description, good)

    def read_head(self, path: Path) -> schema.CollectionFile | None:
        """A `collection.yaml`."""
        return self.read_model(path, schema.CollectionFile)

    def read_scenario(self, path: Path) -> Scenario | None:
        """A scenario file."""
        self.check_slug(path, path.stem)
        scenario = self.known_scenario(path) or self.check_scenario(path)
        self.scenarios[f"{path.parent.name}/{path.stem}"] = scenario
        return scenario

    def known_scenario(self, path: Path) -> Scenario | None:
        """The scenario of a file that is known."""
        text = self.read_text(path)
        return None if text is None or self.known is None else self.known.scenario(self.name(path), text)

    def known_value(self, path: Path) -> dict[str, Any] | None:
        """The data of another file that is known."""
        text = self.read_text(path)
        return None if text is None or self.known is None else self.known.value(self.name(path), text)

    def read_text(self, path: Path) -> bytes | None:
        """The text of a file that may be known; what is wrong with the path is reported where the file is checked."""
        if self.known is None or not stays_in(self.folder, path):
            return None
        try:
            return read_regular(path, self.name(path), MAX_BYTES + 1)
        except ScenarioError:
            return None

    def check_scenario(self, path: Path) -> Scenario | None:
        """The scenario of a file, compiled; None for one with mistakes, which are problems."""
        model = self.read_model(
            path,
            schema.ScenarioFile,
            check_scenario,
            lambda data: [*scenario_warnings(data), *self.extra_warnings(data)],
        )
        try:
            return None if model is None else _compile(path.parent.name, path.stem, model, self.name(path))
        except ScenarioError as error:
            self.add_problems(path, error)
            return None

    def read_datasets(self, but: Path | None = None) -> dict[str, Dataset]:
        """The datasets by id, perhaps but for one of the files."""
        folder = self.folder / DATASETS
        found: dict[str, Dataset] = {}
        for path in self.list_files(folder) if is_folder(folder) else []:
            if path != but:
                self.read_dataset(path, found)
        return found

    def read_dataset(self, path: Path, found: dict[str, Dataset]) -> None:
        """A dataset file, and the rows file that it names; a dataset without mistakes is added to those found."""
        known = self.scenarios if self.complete else None
        model = self.read_model(path, DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, known)])
        if model is None:
            return
        if model.id in found:
            self.add_problem(path, f"the id {model.id} is taken by another dataset", "expected ids that differ")
        before = self.problems.count
        lines = self.read_lines(path, model)
        generate = model.rows.generate if model.rows else None
        if before == self.problems.count and (generate is None or self.scenarios.get(generate.scenario)):
            found[model.id] = compile_dataset(path.stem, model, self.scenarios, lines)

    def read_lines(self, path: Path, model: DatasetFile) -> list[bytes]:
        """The lines of the rows file that a dataset names; its mistakes are problems at their lines."""
        name = model.rows.file if model.rows else None
        if name is None:
            return []
        file = path.parent / name
        beside = Path(os.path.normpath(file)).is_relative_to(path.parent) and stays_in(self.folder, file)
        if not beside or not is_regular(file):
            self.add_problem(path, f"no rows file '{name}' beside it", "expected the name of a file in the same folder")
            return []
        try:
            lines = read_regular(file, self.name(file)).splitlines()
        except ScenarioError as error:
            self.add_problems(file, error)
            return []
        name, mistakes = self.name(file), line_mistakes(lines)
        kept = [
            Problem(name, number, 1, f"line {number}: {mistake}")
            for number, mistake in islice(mistakes, self.problems.room)
        ]
        self.problems.add(name, kept, sum(1 for _ in mistakes))
        return lines

    def read_model(
        self, path: Path, model: type[Model], check: Check = lambda _: (), warn: Check = lambda _: ()
    ) -> Model | None:
        """The model of a file; None for one with mistakes, which are problems. Only files without mistakes have warnings."""
        value = self.known_value(path)
        if value is not None and not [*check(value)]:
            return model.model_validate(value)
        from labs_mock.scenario.files.yaml_document import YamlDocument

        if not self.check_inside(path):
            return None
        try:
            document = YamlDocument.read(path, self.name(path))
            parsed = _parse(document, model, check, self.problems.room)
        except ScenarioError as error:
            self.add_problems(path, error)
            return None
        self.warnings.add(
            self.name(path), *document.problems(warn(document.value), self.warnings.room, document.cut_texts)
        )
        return parsed

    def check_inside(self, path: Path) -> bool:
        """Whether a path lies in the folder, all links followed; one that does not is a problem, and never read."""
        if not stays_in(self.folder, path):
            self.add_problem(
                path, "a link that leads out of the folder", "expected the file itself, or a link inside the folder"
            )
            return False
        return True

    def check_slug(self, path: Path, slug: str) -> None:
        """Add a problem if a name cannot be a slug."""
        if not is_slug(slug):
            self.add_problem(path, f"'{slug}' cannot be a slug", "expected lower-case letters, digits and '-'")

    def add_problem(self, path: Path, message: str, expected: str) -> None:
        """Add a problem of a path itself."""
        self.problems.add(self.name(path), [Problem(self.name(path), 1, 1, message, expected)])

    def add_problems(self, path: Path, error: ScenarioError) -> None:
        """Add the problems of a file."""
        self.problems.add(self.name(path), error.problems, error.more)

    def name(self, path: Path) -> str:
        """How problems name a path: by its place in the folder."""
        return path.relative_to(self.folder).as_posix() if path != self.folder else str(path)
