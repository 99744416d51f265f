"""The observation: what a turn reveals, and what the persona replies."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from labs_mock.engine.play import Play
from labs_mock.scenario.compiled.persona import Persona, StateItem, Variant
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.rules.algebra import Rule


def make_observation(scenario: Scenario, play: Play) -> str:
    """The observation after the turn that was just added to `play`, where what it reveals is marked.

    It has, in this order, the first of: the replies of the items that this turn reveals, a deflection, the first reply whose
    rule matches, a volunteered item, a fallback. At the end of a session the next one's reach-out follows what is revealed,
    and after the last session there is only the closing.
    """
    persona = scenario.persona
    matching = persona.rules.matching_at_last_turn(play.masks, play.full, play.seen)
    if persona.rapport in matching:
        play.rapport += 1
    ends = bool(persona.sessions) and _count_session_turn(persona, play, matching)
    deflection, revealed = (None, []) if play.silent else _reveal_items(persona, play, matching)
    replies = [item.reply for item in revealed]
    if ends:
        return _begin_next_session(persona, play, matching, replies)
    if scenario.file.persona is None:
        return " ".join([*replies, _acknowledgement(scenario, play)])
    if replies:
        return " ".join(replies)
    if play.silent:
        return _use_fallback(persona, play)
    if deflection is not None:
        return deflection
    reply = _first_text(persona.replies, matching)
    return reply if reply is not None else _volunteer_item(persona, play)


def _first_text(variants: tuple[Variant, ...], matching: AbstractSet[Rule]) -> str | None:
    for variant in variants:
        if variant.rule is None or variant.rule in matching:
            return variant.text
    return None


def _reveal_items(persona: Persona, play: Play, matching: AbstractSet[Rule]) -> tuple[str | None, list[StateItem]]:
    """Reveal the items whose rules match; they, and the deflection of the first one that still lacks rapport."""
    deflection, revealed = None, []
    for item in persona.items if matching else ():
        if item.rule not in matching or item.atom in play.masks:
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


def _volunteer_item(persona: Persona, play: Play) -> str:
    """Reveal the first volunteered item that is not yet revealed, or else use a fallback."""
    for item in persona.items:
        if item.reveal == "volunteered" and item.atom not in play.masks:
            _reveal(item, play)
            return item.reply
    return _use_fallback(persona, play)


def _use_fallback(persona: Persona, play: Play) -> str:
    play.fallbacks += 1
    return persona.fallback[(play.fallbacks - 1) % len(persona.fallback)]


def _count_session_turn(persona: Persona, play: Play, matching: AbstractSet[Rule]) -> bool:
    """Count this turn of the session; whether it is the last one."""
    session = persona.sessions[play.session]
    play.session_turns += 1
    return play.silent or play.session_turns == session.turns or session.rule in matching


def _begin_next_session(persona: Persona, play: Play, matching: AbstractSet[Rule], replies: list[str]) -> str:
    """The time skip: the days that pass go into the persona's context and nowhere else (TOK-3)."""
    if play.session + 1 == len(persona.sessions):
        play.closed = True
        return persona.closing
    before, after = persona.sessions[play.session], persona.sessions[play.session + 1]
    days = after.after_days - before.after_days
    play.context = (*play.context, f"no word for {days} days" if play.silent else f"{days} days later")
    play.session += 1
    play.session_turns = 0
    return " ".join([*replies, _first_text(after.reach_out, matching) or ""])


def _acknowledgement(scenario: Scenario, play: Play) -> str:
    """The reply of a decision task: which tools were called in this turn, and which are still to be."""
    called = [tool for tool in scenario.tools if play.called.get(tool, 0) >> play.turn]
    missing = [tool for tool in scenario.tools if tool not in play.called]
    received = f"Received: {_names(scenario, called)}." if called else "Noted; nothing was filed in this turn."
    completed = scenario.criteria.completed in scenario.criteria.endings.matching_at_last_turn(
        play.masks, play.full, play.seen
    )
    if completed or not missing:
        return f"{received} Nothing else is needed."
    return f"{received} Still missing: {_names(scenario, missing)}."


def _names(scenario: Scenario, tools: Iterable[str]) -> str:
    return ", ".join(scenario.tools[tool].name for tool in tools)
