"""The persona of a scenario, compiled: what it may reveal and say, and when."""

from dataclasses import dataclass

from labs_mock.scenario.files import schema
from labs_mock.scenario.rules.algebra import Rule, Rulebook
from labs_mock.scenario.rules.vocabulary import Vocabulary


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
    """Something the persona may say, and the rule that asks for it; without a rule it always may."""

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
    """What there is to reveal, what builds rapport, what is answered; a decision task has only hidden items.

    `rules` has all rules that are asked at every turn.
    """

    items: tuple[StateItem, ...]
    rapport: Rule | None
    rapport_needed: int
    replies: tuple[Variant, ...]
    fallback: tuple[str, ...]
    sessions: tuple[Session, ...]
    closing: str
    rules: Rulebook


def compile_persona(file: schema.ScenarioFile, words: Vocabulary) -> Persona:
    """Compile the persona of a checked file."""
    items = tuple(_item(item, words) for item in file.state)
    rapport = words.optional(file.rapport.when if file.rapport else None, persona=True)
    said = file.persona.replies if file.persona else []
    replies = tuple(Variant(words.compile(reply.when, persona=True), reply.reply) for reply in said)
    sessions = tuple(_session(session, words) for session in file.sessions)
    variants = [variant for session in sessions for variant in session.reach_out]
    rules = [rapport, *(part.rule for group in (items, replies, sessions, variants) for part in group)]
    return Persona(
        items=items,
        rapport=rapport,
        rapport_needed=file.rapport.needed if file.rapport else 0,
        replies=replies,
        fallback=tuple(file.persona.fallback if file.persona else ()),
        sessions=sessions,
        closing=file.closing or "",
        rules=Rulebook(rule for rule in rules if rule is not None),
    )


def first_observation(file: schema.ScenarioFile) -> str:
    """The opening, or what a decision task is given."""
    if file.persona is not None:
        return file.persona.opening
    documents = [f"{document.title}\n{document.text}" for document in file.documents]
    return "\n\n".join([file.briefing or "", *documents])


def _item(item: schema.StateItemFile, words: Vocabulary) -> StateItem:
    return StateItem(
        id=item.id,
        atom=words.item(item.id),
        hidden=item.kind == "hidden",
        reveal=item.reveal,
        rule=words.optional(item.when, persona=True),
        reply=item.reply,
        deflect=item.deflect,
        weight=item.weight,
    )


def _session(session: schema.SessionFile, words: Vocabulary) -> Session:
    ends = session.ends or schema.Ends()
    return Session(
        after_days=session.after_days,
        reach_out=tuple(Variant(words.optional(say.when, persona=True), say.say) for say in session.reach_out),
        turns=ends.turns,
        rule=words.optional(ends.when, persona=True),
    )
