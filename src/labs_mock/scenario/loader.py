"""From a folder of files to a library, or to all mistakes of all files at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario import schema
from labs_mock.scenario.checks import check_dataset, check_scenario
from labs_mock.scenario.document import Document
from labs_mock.scenario.mistakes import respelt, schema_mistakes
from labs_mock.scenario.places import Mistake
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
    """Everything that a folder of files defines. Collections and scenarios are sorted by slug."""

    collections: dict[str, Collection]
    datasets: dict[str, schema.DatasetFile] = field(default_factory=dict)
    server: ServerBase = field(default_factory=ServerFile)

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
    mistakes: list[Mistake] = []
    try:
        parsed = model.model_validate(document.value)
    except ValidationError as error:
        mistakes += schema_mistakes(model, error)
    mistakes += check(respelt(document.value, mistakes))
    found = [
        *document.duplicates,
        *(document.problem(item.path, item.message, item.expected, at_key=item.at_key) for item in mistakes),
    ]
    problems += found
    return None if found else parsed


def _compile(collection: str, slug: str, model: schema.ScenarioFile, file: str) -> Scenario:
    try:
        return compile_scenario(collection, slug, model)
    except RuntimeError as error:
        problem = Problem(
            file, 1, 1, f"the patterns of this scenario take too much memory: {error}", "expected fewer or simpler ones"
        )
        raise ScenarioError([problem]) from None


@dataclass(slots=True)
class _Loader:
    folder: Path
    problems: list[Problem] = field(default_factory=list)

    def load(self) -> Library:
        if not self.folder.is_dir():
            raise ScenarioError([Problem(str(self.folder), 1, 1, "no such folder", "expected a folder of scenarios")])
        collections = {folder.name: self.collection(folder) for folder in self.folders() if folder.name != DATASETS}
        found = {slug: collection for slug, collection in collections.items() if collection is not None}
        datasets = self.datasets(found)
        server = self.server()
        if not any(collection.scenarios for collection in found.values()) and not self.problems:
            self.note(self.folder, "no scenarios in this folder", "expected <collection>/<scenario>.yaml")
        if self.problems:
            raise ScenarioError(self.problems)
        return Library(found, datasets, server or ServerFile())

    def folders(self) -> list[Path]:
        entries = sorted(self.folder.iterdir())
        for entry in entries:
            if entry.suffix in (".yaml", ".yml") and entry.name != SERVER:
                self.note(entry, "no file is expected here", f"expected a folder a collection, and {SERVER}")
        return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]

    def files(self, folder: Path) -> list[Path]:
        entries = sorted(folder.iterdir())
        for entry in entries:
            if entry.suffix == ".yml":
                self.note(entry, "the file would be passed over", "expected a name that ends in .yaml")
        return [entry for entry in entries if entry.suffix == ".yaml"]

    def collection(self, folder: Path) -> Collection | None:
        head = self.read(folder / COLLECTION, schema.CollectionFile, lambda _: ())
        self.check_slug(folder, folder.name)
        scenarios = {}
        for path in self.files(folder):
            if path.name == COLLECTION:
                continue
            self.check_slug(path, path.stem)
            model = self.read(path, schema.ScenarioFile, check_scenario)
            if model is not None:
                try:
                    scenarios[path.stem] = _compile(folder.name, path.stem, model, self.name(path))
                except ScenarioError as error:
                    self.problems += error.problems
        return None if head is None else Collection(folder.name, head.name, head.description, scenarios)

    def datasets(self, collections: dict[str, Collection]) -> dict[str, schema.DatasetFile]:
        folder, datasets = self.folder / DATASETS, {}
        for path in self.files(folder) if folder.is_dir() else []:
            model = self.read(
                path, schema.DatasetFile, lambda data: [*check_dataset(data), *check_rows(data, collections)]
            )
            if model is None:
                continue
            if model.id in datasets:
                self.note(path, f"the id {model.id} is taken by another dataset", "expected ids that differ")
            datasets[model.id] = model
        return datasets

    def server(self) -> ServerBase | None:
        path = self.folder / SERVER
        return self.read(path, ServerFile, check_server) if path.exists() else None

    def read(
        self, path: Path, model: type[Model], check: Callable[[dict[str, Any]], Iterable[Mistake]]
    ) -> Model | None:
        try:
            return _parse(Document.read(path, self.name(path)), model, check, self.problems)
        except ScenarioError as error:
            self.problems += error.problems
            return None

    def check_slug(self, path: Path, slug: str) -> None:
        if not slug.isascii() or not slug.replace("-", "").isalnum() or slug != slug.lower():
            self.note(path, f"'{slug}' cannot be a slug", "expected lower-case letters, digits and '-'")

    def note(self, path: Path, message: str, expected: str) -> None:
        self.problems.append(Problem(self.name(path), 1, 1, message, expected))

    def name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix() if path != self.folder else str(path)


def check_rows(data: dict[str, Any], collections: dict[str, Collection]) -> list[Mistake]:
    """What is wrong with `generate`: its references, and a choice space that is too small."""
    rows = data.get("rows")
    generate = rows.get("generate") if isinstance(rows, dict) else None
    if not isinstance(generate, dict) or not isinstance(generate.get("scenario"), str):
        return []
    path = ("rows", "generate")
    scenarios = {
        f"{one.collection}/{one.slug}": one for group in collections.values() for one in group.scenarios.values()
    }
    scenario = scenarios.get(generate["scenario"])
    if scenario is None:
        name = generate["scenario"]
        return [Mistake((*path, "scenario"), f"unknown scenario '{name}'", did_you_mean(name, scenarios))]
    names = [name for name in generate.get("operators", ()) if isinstance(name, str)]
    known = scenario.file.operators
    unknown = [(index, name) for index, name in enumerate(names) if name not in known]
    if unknown:
        return [
            Mistake((*path, "operators", index), f"unknown operator '{name}'", did_you_mean(name, known))
            for index, name in unknown
        ]
    temperatures = generate.get("temperatures", [1.0])
    size = len(temperatures) * sum(choice_space(known[name]) for name in names)
    count = generate.get("count")
    if isinstance(count, int) and size < ATTEMPTS * count:
        return [
            Mistake(
                (*path, "count"),
                f"{count} rows need {ATTEMPTS * count:,} choices, and the operators have {size:,}",
                "expected more alternatives in the operators' texts, more temperatures, or fewer rows",
            )
        ]
    return []


def choice_space(operator: schema.Operator) -> int:
    """In how many ways a simulated operator can put its turns."""
    return prod(len(texts) for turn in operator.says for part in turn.parts for texts in [part_texts(part)] if texts)


def part_texts(part: Any) -> list[str]:
    """The texts that a part of a turn chooses from; none for a call or silence."""
    said = part.say if isinstance(part, schema.Choice) else part
    return [said] if isinstance(said, str) else said if isinstance(said, list) else []
