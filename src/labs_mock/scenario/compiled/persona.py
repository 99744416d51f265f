"""The persona of a scenario, compiled: what it may reveal and say, and when."""

from dataclasses import dataclass

from labs_mock.scenario.files import schema
from labs_mock.scenario.rules.algebra import Rule
from labs_mock.scenario.rules.operators import RuleCompiler
from labs_mock.scenario.rules.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class StateItem:
    """A known or hidden fact; `atom` is seen in the turn in which it is revealed."""

    id: str
    atom: int
    hidden: bool
    reveal: str | None
    rule: Rule | None
    reply: str
    deflect: str | None
    weight: float


@dataclass(frozen=True, slots=True)
class Variant:
    """A text that the persona says if the rule matches; without a rule it always may."""

    rule: Rule | None
    text: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a journey; `turns` is its longest length."""

    after_days: int
    reach_out: tuple[Variant, ...]
    turns: int | None
    rule: Rule | None


@dataclass(frozen=True, slots=True)
class Persona:
    """What there is to reveal, what builds rapport, which replies there are; a decision task has only hidden items.

    `rules` has all of its rules, which are evaluated at every turn.
    """

    items: tuple[StateItem, ...]
    rapport: Rule | None
    rapport_needed: int
    replies: tuple[Variant, ...]
    fallback: tuple[str, ...]
    sessions: tuple[Session, ...]
    closing: str
    rules: Rulebook


def compile_persona(file: schema.ScenarioFile, rules: RuleCompiler) -> Persona:
    """Compile the persona of a checked file; its rules are the persona's."""
    items = tuple(_item(item, rules) for item in file.state)
    rapport = rules.compile_optional(file.rapport.when if file.rapport else None)
    canned = file.persona.replies if file.persona else []
    replies = tuple(Variant(rules.compile(reply.when), reply.reply) for reply in canned)
    sessions = tuple(_session(session, rules) for session in file.sessions)
    variants = [variant for session in sessions for variant in session.reach_out]
    every = [rapport, *(part.rule for group in (items, replies, sessions, variants) for part in group)]
    return Persona(
        items=items,
        rapport=rapport,
        rapport_needed=file.rapport.needed if file.rapport else 0,
        replies=replies,
        fallback=tuple(file.persona.fallback if file.persona else ()),
        sessions=sessions,
        closing=file.closing or "",
        rules=Rulebook(rule for rule in every if rule is not None),
    )


def first_observation(file: schema.ScenarioFile) -> str:
    """The opening, or the briefing and documents of a decision task."""
    if file.persona is not None:
        return file.persona.opening
    documents = [f"{document.title}\n{document.text}" for document in file.documents]
    return "\n\n".join([file.briefing or "", *documents])


def _item(item: schema.StateItemFile, rules: RuleCompiler) -> StateItem:
    return StateItem(
        id=item.id,
        atom=rules.vocabulary.items[item.id],
        hidden=item.kind == "hidden",
        reveal=item.reveal,
        rule=rules.compile_optional(item.when),
        reply=item.reply,
        deflect=item.deflect,
        weight=item.weight,
    )


def _session(session: schema.SessionFile, rules: RuleCompiler) -> Session:
    ends = session.ends or schema.Ends()
    return Session(
        after_days=session.after_days,
        reach_out=tuple(Variant(rules.compile_optional(variant.when), variant.say) for variant in session.reach_out),
        turns=ends.turns,
        rule=rules.compile_optional(ends.when),
    )
