"""The operators of rules. Each is one field of `RuleFile`: the type of its operand, what it matches, and a `RuleOperator`.

To add one is to add such a field and the function that compiles it; schema, checks, warnings and compiler read the fields.
Rules within an operand are found by its type, so they are checked and compiled like any other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, StringConstraints, Tag

from labs_mock.contract.limits import MAX_TURNS
from labs_mock.scenario.files.fields import FileModel, Id, Phrases, TurnNumber
from labs_mock.scenario.files.paths import Mistake, Steps, Suggestion, texts
from labs_mock.scenario.rules import algebra
from labs_mock.scenario.rules.algebra import Rule
from labs_mock.scenario.rules.patterns import expression_error, has_wide_gap, remedy
from labs_mock.scenario.rules.satisfiable import misfit
from labs_mock.scenario.rules.vocabulary import SILENT, Vocabulary
from labs_mock.text import normalise


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What a rule can refer to where it stands; `tools` has the options of each tool, or None for one without."""

    items: dict[str, None]
    tools: dict[str, dict[str, None] | None]
    has_persona: bool
    of_persona: bool


Check = Callable[[RuleContext, Steps, Any], Iterable[Mistake]]


@dataclass(frozen=True, slots=True)
class RuleOperator:
    """How an operator is compiled and checked, beside the rules within its operand.

    `compile` makes the node of a valid operand. The others get an operand at a path. `check` finds what its schema cannot see, in
    data that may be wrong in any way; `warn` what is allowed and slow; `impossible` what no valid tool call can have, by the
    JSON Schemas of the tools' inputs. `negative` says whether the rule is one of nothing but `not`, from which of the rules
    within are. `phrases`: the operand is a list of phrases.
    """

    compile: Callable[["RuleCompiler", Any], Rule]
    check: Check = lambda *_: ()
    warn: Callable[[Steps, Any], Iterable[Mistake]] = lambda *_: ()
    impossible: Callable[[Mapping[str, Any], Steps, Any], Iterable[Mistake]] = lambda *_: ()
    negative: Callable[[list[bool]], bool] = lambda _: False
    phrases: bool = False


# Checks of operands


def check_phrases(path: Steps, phrases: Any) -> Iterator[Mistake]:
    """Phrases without a word."""
    for index, phrase in enumerate(phrases if isinstance(phrases, list) else ()):
        if isinstance(phrase, str) and phrase and not normalise(phrase):
            yield Mistake((*path, index), "a phrase of nothing but white space", "expected a word")


def _check_heard(context: RuleContext, path: Steps, _: Any) -> Iterator[Mistake]:
    if context.of_persona or not context.has_persona:
        why = "a persona rule cannot depend on the answer" if context.has_persona else "a decision task has no persona"
        yield Mistake(path, f"'heard' is not possible here: {why}", "expected a rule on what the operator does", True)


def _check_expression(_: RuleContext, path: Steps, expression: Any) -> Iterator[Mistake]:
    if isinstance(expression, str) and (error := expression_error(expression)):
        yield Mistake(path, f"not an RE2 expression: {error}", remedy(error))


def _warn_of_wide_gap(path: Steps, expression: Any) -> Iterator[Mistake]:
    if isinstance(expression, str) and has_wide_gap(expression):
        yield Mistake(path, "a wide gap makes every message slower to read", "narrow it, or use phrases")


def _check_item(context: RuleContext, path: Steps, item: Any) -> Iterator[Mistake]:
    if isinstance(item, str) and item not in context.items:
        yield Mistake(path, f"unknown state item '{item}'", Suggestion(item, context.items))


def _check_call(context: RuleContext, path: Steps, call: Any) -> Iterator[Mistake]:
    for step, tool in [((), call)] if isinstance(call, str) else texts(call, "tool"):
        if tool not in context.tools:
            yield Mistake((*path, *step), f"unknown tool '{tool}'", Suggestion(tool, context.tools))


def _impossible_call(inputs: Mapping[str, Any], path: Steps, call: Any) -> Iterator[Mistake]:
    found = misfit(inputs[call["tool"]], call["input"]) if isinstance(call, dict) and "input" in call else None
    if found is not None:
        where, reason = found
        message = f"no valid call of '{call['tool']}' has this: {reason}"
        yield Mistake((*path, "input", *where), message, "the rule never matches a turn", True)


def _check_decision(context: RuleContext, path: Steps, decision: Any) -> Iterator[Mistake]:
    for tool, option in decision.items() if isinstance(decision, dict) else ():
        options = context.tools.get(tool)
        if tool not in context.tools:
            yield Mistake((*path, tool), f"unknown tool '{tool}'", Suggestion(tool, context.tools))
        elif options is None:
            yield Mistake((*path, tool), f"the tool '{tool}' has no options", "expected a tool whose mode is options")
        elif isinstance(option, str) and option not in options:
            yield Mistake((*path, tool), f"'{tool}' has no option '{option}'", Suggestion(option, options))


# Operands, and functions that compile them


class TurnRange(FileModel):
    """A range of turns, both ends included."""

    at_least: TurnNumber | None = None
    at_most: TurnNumber | None = None


class CallPattern(FileModel):
    """A tool, and what the input of its call contains."""

    tool: Id
    input: dict[str, Any] | None = None


def _long_form(call: Any) -> Any:
    return {"tool": call} if isinstance(call, str) else call


CallOperand = Annotated[CallPattern, BeforeValidator(_long_form, json_schema_input_type=Id | CallPattern)]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Decision = Annotated[dict[Id, str], Field(min_length=1, max_length=1)]
OneOrMore = Annotated[list["RuleFile"], Field(min_length=1)]
TwoOrMore = Annotated[list["RuleFile"], Field(min_length=2)]


class CountFile(FileModel):
    """At least n turns that a rule matches; `of: discovered` counts revealed state items."""

    of: Annotated[
        Annotated[Literal["discovered"], Tag("(word)")] | Annotated["RuleFile", Tag("(rule)")],
        Discriminator(lambda value: "(word)" if isinstance(value, str) else "(rule)"),
    ]
    at_least: Annotated[int, Field(ge=1, le=1_000)]


def _operator_phrases(rules: "RuleCompiler", phrases: list[str]) -> Rule:
    return algebra.Seen(rules.vocabulary.add_operator_phrases(phrases))


def _each_phrase(rules: "RuleCompiler", phrases: list[str]) -> Rule:
    return algebra.AllSeen(tuple(rules.vocabulary.add_operator_phrases([phrase]) for phrase in phrases))


def _observation_phrases(rules: "RuleCompiler", phrases: list[str]) -> Rule:
    return algebra.Seen(rules.vocabulary.add_observation_phrases(phrases))


def _expression(rules: "RuleCompiler", expression: str) -> Rule:
    return algebra.Seen(rules.vocabulary.add_expression(expression))


def _call(rules: "RuleCompiler", call: CallPattern) -> Rule:
    return algebra.Seen(rules.vocabulary.add_call(call.tool, call.input))


def _decision(rules: "RuleCompiler", decision: dict[str, str]) -> Rule:
    ((tool, option),) = decision.items()
    return algebra.Seen(rules.vocabulary.add_decision(tool, option))


def _discovered(rules: "RuleCompiler", item: str) -> Rule:
    return (algebra.SeenBefore if rules.of_persona else algebra.Seen)(rules.vocabulary.items[item])


def _silent(_: "RuleCompiler", __: bool) -> Rule:
    return algebra.Seen(SILENT)


def _any(rules: "RuleCompiler", children: list["RuleFile"]) -> Rule:
    return algebra.AnyOf.from_rules(rules.compile_each(children))


def _all(rules: "RuleCompiler", children: list["RuleFile"]) -> Rule:
    return algebra.AllOf.from_rules(rules.compile_each(children))


def _not(rules: "RuleCompiler", child: "RuleFile") -> Rule:
    return algebra.Not(rules.compile(child))


def _then(rules: "RuleCompiler", children: list["RuleFile"]) -> Rule:
    return algebra.Then(rules.compile_each(children))


def _count(rules: "RuleCompiler", count: CountFile) -> Rule:
    if isinstance(count.of, RuleFile):
        return algebra.Count(rules.compile(count.of), count.at_least)
    node = algebra.CountSeenBefore if rules.of_persona else algebra.CountSeen
    return node(tuple(rules.vocabulary.items.values()), count.at_least)


def _if_all_are(nested: list[bool]) -> bool:
    return bool(nested) and all(nested)


class RuleFile(FileModel):
    """One rule: exactly one of the keys, and perhaps `turns` beside it."""

    says: Annotated[Phrases | None, RuleOperator(_operator_phrases, phrases=True)] = Field(
        None, description="Turns in which an operator message has one of the phrases."
    )
    says_all: Annotated[Phrases | None, RuleOperator(_each_phrase, phrases=True)] = Field(
        None, description="Turns in which the operator's messages have all phrases."
    )
    matches: Annotated[
        Expression | None, RuleOperator(_expression, check=_check_expression, warn=_warn_of_wide_gap)
    ] = Field(None, description="Turns in which an operator message, normalised, matches this RE2 expression.")
    calls: Annotated[CallOperand | None, RuleOperator(_call, check=_check_call, impossible=_impossible_call)] = Field(
        None, description="Turns with a valid call of the tool, whose input contains `input`."
    )
    decides: Annotated[Decision | None, RuleOperator(_decision, check=_check_decision)] = Field(
        None, description="Turns in which the decision is taken so."
    )
    discovered: Annotated[Id | None, RuleOperator(_discovered, check=_check_item)] = Field(
        None, description="Turns in which the state item is revealed."
    )
    silent: Annotated[Literal[True] | None, RuleOperator(_silent)] = Field(
        None, description="Turns whose content is <no_response/>."
    )
    heard: Annotated[Phrases | None, RuleOperator(_observation_phrases, check=_check_heard, phrases=True)] = Field(
        None, description="Turns whose answer has one of the phrases; the opening is turn 0."
    )
    any: Annotated[OneOrMore | None, RuleOperator(_any, negative=_if_all_are)] = None
    all: Annotated[OneOrMore | None, RuleOperator(_all, negative=_if_all_are)] = None
    not_: Annotated["RuleFile | None", RuleOperator(_not, negative=lambda _: True)] = Field(None, alias="not")
    then: Annotated[TwoOrMore | None, RuleOperator(_then)] = None
    count: Annotated[CountFile | None, RuleOperator(_count)] = None
    turns: TurnRange | None = Field(None, description="Only the turns in this range, of the rule beside it.")


def _operator_of(name: str) -> RuleOperator:
    (operator,) = (one for one in RuleFile.model_fields[name].metadata if isinstance(one, RuleOperator))
    return operator


_BY_FIELD = {name: _operator_of(name) for name in RuleFile.model_fields if name != "turns"}
OPERATORS = {RuleFile.model_fields[name].alias or name: operator for name, operator in _BY_FIELD.items()}
"""Every operator by its key in a file, in the order of the schema."""


@dataclass(frozen=True, slots=True)
class RuleCompiler:
    """Compiles checked rules, and adds what they look for to a vocabulary.

    Rules of the persona see what was revealed in earlier turns; all others see this turn too, and observations.
    """

    vocabulary: Vocabulary
    of_persona: bool = False

    def compile(self, rule: RuleFile) -> Rule:
        """The node of a rule."""
        name, operand = next((name, value) for name, value in rule if value is not None and name != "turns")
        node = _BY_FIELD[name].compile(self, operand)
        if rule.turns is None:
            return node
        first, final = rule.turns.at_least or 0, rule.turns.at_most or MAX_TURNS
        return algebra.InTurns(node, sum(1 << turn for turn in range(first, final + 1)))

    def compile_optional(self, rule: RuleFile | None) -> Rule | None:
        """The node of a rule, where there is one."""
        return None if rule is None else self.compile(rule)

    def compile_each(self, rules: Iterable[RuleFile]) -> tuple[Rule, ...]:
        """The nodes of some rules."""
        return tuple(self.compile(rule) for rule in rules)
