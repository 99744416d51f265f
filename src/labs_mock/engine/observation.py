"""The persona: what a turn reveals, and what is answered."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.persona import Persona, StateItem, Variant
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule


def make_observation(scenario: Scenario, play: Play) -> str:
    """The observation after the turn that `play` has just seen; what it reveals is noted there.

    In this order: the replies of the items revealed by this turn, a deflection, the first reply whose rule
    yields, a volunteered item, a fallback. At the end of a session the next one's reach-out follows the
    reveals, and after the last session there is only the closing.
    """
    persona = scenario.persona
    asked = persona.rules.matching_at_last_turn(play.masks, play.full, play.seen)
    silent = play.silent
    if persona.rapport in asked:
        play.rapport += 1
    ends = bool(persona.sessions) and _session_ends(persona, play, asked, silent)
    deflection, revealed = (None, []) if silent else _reveals(persona, play, asked)
    said = [item.reply for item in revealed]
    if ends:
        return _next_session(persona, play, asked, said)
    if scenario.file.persona is None:
        return " ".join([*said, _acknowledgement(scenario, play)])
    if said:
        return " ".join(said)
    if silent:
        return _fallback(persona, play)
    if deflection is not None:
        return deflection
    reply = _first(persona.replies, asked)
    return reply if reply is not None else _volunteer(persona, play)


def _first(variants: tuple[Variant, ...], asked: AbstractSet[Rule]) -> str | None:
    for variant in variants:
        if variant.rule is None or variant.rule in asked:
            return variant.text
    return None


def _reveals(persona: Persona, play: Play, asked: AbstractSet[Rule]) -> tuple[str | None, list[StateItem]]:
    """The items that this turn reveals, and the deflection of the first one asked for too early."""
    deflection, revealed = None, []
    for item in persona.items if asked else ():
        if item.rule not in asked or item.atom in play.masks:
            continue
        if item.reveal == "rapport_required" and play.rapport < persona.rapport_needed:
            deflection = deflection or item.deflect
        else:
            _reveal(item, play)
            revealed.append(item)
    return deflection, revealed


def _reveal(item: StateItem, play: Play) -> None:
    play.masks[item.atom] = 1 << play.turn
    play.seen.add(item.atom)


def _volunteer(persona: Persona, play: Play) -> str:
    """Instead of a fallback, the first volunteered item that is not yet revealed."""
    for item in persona.items:
        if item.reveal == "volunteered" and item.atom not in play.masks:
            _reveal(item, play)
            return item.reply
    return _fallback(persona, play)


def _fallback(persona: Persona, play: Play) -> str:
    play.fallbacks += 1
    return persona.fallback[(play.fallbacks - 1) % len(persona.fallback)]


def _session_ends(persona: Persona, play: Play, asked: AbstractSet[Rule], silent: bool) -> bool:
    session = persona.sessions[play.session]
    play.session_turns += 1
    return silent or play.session_turns == session.turns or session.rule in asked


def _next_session(persona: Persona, play: Play, asked: AbstractSet[Rule], said: list[str]) -> str:
    """The time skip: the days that pass go into the persona's context and nowhere else (TOK-3)."""
    if play.session + 1 == len(persona.sessions):
        play.closed = True
        return persona.closing
    before, after = persona.sessions[play.session], persona.sessions[play.session + 1]
    days = after.after_days - before.after_days
    play.context = (*play.context, f"no word for {days} days" if play.silent else f"{days} days later")
    play.session += 1
    play.session_turns = 0
    return " ".join([*said, _first(after.reach_out, asked) or ""])


def _acknowledgement(scenario: Scenario, play: Play) -> str:
    """What a decision task answers: which tools were called in this turn, and which are still to be."""
    filed = [tool for tool in scenario.tools if play.called.get(tool, 0) >> play.turn]
    missing = [tool for tool in scenario.tools if tool not in play.called]
    got = f"Received: {_names(scenario, filed)}." if filed else "Noted; nothing was filed in this turn."
    completed = scenario.criteria.completed in scenario.criteria.endings.matching_at_last_turn(
        play.masks, play.full, play.seen
    )
    if completed or not missing:
        return f"{got} Nothing else is needed."
    return f"{got} Still missing: {_names(scenario, missing)}."


def _names(scenario: Scenario, tools: Iterable[str]) -> str:
    return ", ".join(scenario.tools[tool].name for tool in tools)
