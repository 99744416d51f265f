"""A scenario as the engine uses it: every rule compiled, every pattern in one matcher, nothing to look up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from labs_mock.contract.dimensions import DEFINED_BY, Dimension, default_name
from labs_mock.contract.wording import quote
from labs_mock.ids import digest
from labs_mock.scenario.compiled.criteria import Criteria, compile_criteria
from labs_mock.scenario.compiled.persona import Persona, compile_persona, first_observation
from labs_mock.scenario.compiled.tools import Tool
from labs_mock.scenario.files import schema
from labs_mock.scenario.files.operator_schema import Choice, Operator
from labs_mock.scenario.files.paths import find
from labs_mock.scenario.rules.algebra import Rule
from labs_mock.scenario.rules.operators import RuleCompiler
from labs_mock.scenario.rules.patterns import Patterns
from labs_mock.scenario.rules.vocabulary import Vocabulary
from labs_mock.text import did_you_mean, normalise

SCORER_VERSION = "1"

OperatorRules = tuple[tuple[Rule | None, ...], ...]
"""For each turn of a simulated operator, the rules of its parts; None where a part has none."""


class ScenarioName(NamedTuple):
    """Which scenario, and which version of it; unlike the scenario itself it is plain data."""

    collection: str
    slug: str
    version: str


_COMPILING = RLock()


@dataclass(frozen=True, slots=True)
class Scenario:
    """A compiled scenario. Compare by `full_name`; everything else follows from `content`, the JSON of the file.

    A file that was just read is compiled at once. Of content that is known to have no mistakes, `file` is made with its first
    use, and so are all other parts with the first use of one of them.

    `operator_patterns` finds atoms in the operator's messages, `observation_patterns` in observations; that is None where
    no rule has `heard`.
    """

    collection: str
    slug: str
    version: str
    content: bytes = field(repr=False)
    file: schema.ScenarioFile = field(init=False, repr=False, compare=False)
    first_observation: str = field(init=False, repr=False, compare=False)
    opening: str = field(init=False, repr=False, compare=False)
    tools: dict[str, Tool] = field(init=False, repr=False, compare=False)
    wire_tools: tuple[dict[str, Any], ...] = field(init=False, repr=False, compare=False)

    persona: Persona = field(init=False, repr=False, compare=False)
    criteria: Criteria = field(init=False, repr=False, compare=False)
    dimensions: tuple[Dimension, ...] = field(init=False, repr=False, compare=False)
    names: dict[Dimension, str] = field(init=False, repr=False, compare=False)
    weights: dict[Dimension, float] = field(init=False, repr=False, compare=False)
    operator_rules: dict[str, OperatorRules] = field(init=False, repr=False, compare=False)

    vocabulary: Vocabulary = field(init=False, repr=False, compare=False)
    operator_patterns: Patterns = field(init=False, repr=False, compare=False)
    observation_patterns: Patterns | None = field(init=False, repr=False, compare=False)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """A part that is not there yet; from then on it is an attribute like any other, and costs no more."""
            if name not in self.__slots__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            with _COMPILING:  # one thread alone, since rules are told apart by their identity
                try:
                    return object.__getattribute__(self, name)
                except AttributeError:
                    made = self._read() if name == "file" else compile_parts(self.file, orjson.loads(self.content))
                for part, value in made.items():
                    object.__setattr__(self, part, value)
            return made[name]

    def _read(self) -> dict[str, Any]:
        return {"file": schema.ScenarioFile.model_validate_json(self.content)}

    @property
    def full_name(self) -> ScenarioName:
        """Its slugs and its version."""
        return ScenarioName(self.collection, self.slug, self.version)

    def call_problem(self, name: str, kind: str, value: Any) -> tuple[str, str] | None:
        """Where a tool call is invalid, as a path within it, and why; None for a valid one (EP-12)."""
        tool = self.tools.get(name)
        if tool is None:
            return "name", f"unknown tool {quote(name)}; {did_you_mean(name, self.tools)}"
        return tool.problem(kind, value)


def compile_scenario(collection: str, slug: str, file: schema.ScenarioFile) -> Scenario:
    """Compile a scenario file that has passed its checks. Raises `PatternError`."""
    data = file.model_dump(mode="json", by_alias=True)
    version = digest(orjson.dumps([collection, slug, data], option=orjson.OPT_SORT_KEYS))
    scenario = Scenario(collection, slug, version, orjson.dumps(data))
    for part, value in {"file": file, **compile_parts(file, data)}.items():
        object.__setattr__(scenario, part, value)
    return scenario


def compile_parts(file: schema.ScenarioFile, data: dict[str, Any]) -> dict[str, Any]:
    """What a scenario has beside its content and its file, which is also there as data. Raises `PatternError`."""
    vocabulary = Vocabulary(item.id for item in file.state)
    rules = RuleCompiler(vocabulary)
    persona = compile_persona(file, RuleCompiler(vocabulary, of_persona=True))
    criteria = compile_criteria(file, rules)
    operators = {name: _operator_rules(operator, rules) for name, operator in file.operators.items()}
    tools = {tool.id: Tool.from_file(tool) for tool in file.tools}
    dimensions = _defined_dimensions(data)
    return {
        "first_observation": first_observation(file),
        "opening": normalise(first_observation(file)),
        "tools": tools,
        "wire_tools": tuple(tool.wire for tool in tools.values()),
        "persona": persona,
        "criteria": criteria,
        "dimensions": dimensions,
        "names": {dimension: file.scoring.names.get(dimension, default_name(dimension)) for dimension in dimensions},
        "weights": _weights(file, dimensions),
        "operator_rules": operators,
        "vocabulary": vocabulary,
        "operator_patterns": Patterns(vocabulary.operator_phrases, vocabulary.expressions),
        "observation_patterns": Patterns(vocabulary.observation_phrases, ())
        if vocabulary.observation_phrases
        else None,
    }


def scoring_version(scenarios: Iterable[Scenario]) -> str:
    """The scorer's own version and a digest of all scenarios, in whatever order (SV-1)."""
    return f"{SCORER_VERSION}-{digest('-'.join(sorted(one.version for one in scenarios)).encode())}"


def scenario_from_content(collection: str, slug: str, content: bytes) -> Scenario:
    """The scenario of the JSON of a file, as `Scenario.content` has it."""
    return compile_scenario(collection, slug, schema.ScenarioFile.model_validate_json(content))


def _defined_dimensions(data: dict[str, Any]) -> tuple[Dimension, ...]:
    """The dimensions that a file defines, in their order (RC-5); in the data of a checked file null is the same as absence."""
    return tuple(
        dimension
        for dimension, pattern in DEFINED_BY.items()
        if any(value is not None for _, value in find(data, pattern))
    )


def _weights(file: schema.ScenarioFile, dimensions: tuple[Dimension, ...]) -> dict[Dimension, float]:
    weights = file.scoring.weights
    if weights is None:
        return dict.fromkeys(dimensions, 1.0)
    return {dimension: weight for dimension in dimensions if (weight := weights.get(dimension, 0.0))}


def _operator_rules(operator: Operator, rules: RuleCompiler) -> OperatorRules:
    return tuple(
        tuple(rules.compile(part.when) if isinstance(part, Choice) else None for part in turn.parts)
        for turn in operator.says
    )
