"""The persona: what a turn reveals, and what is answered."""

from labs_mock.engine.state import Play
from labs_mock.scenario.rules import Trigger
from labs_mock.scenario.scenario import Scenario, StateItem, Variant
from labs_mock.scenario.vocabulary import SILENT


def answer(scenario: Scenario, play: Play) -> str:
    """The observation after the turn that `play` has just seen; what it reveals is noted there.

    In this order: the replies of the items revealed by this turn, a deflection, the first reply whose rule
    yields, a volunteered item, a fallback. At the end of a session the next one's reach-out follows the
    reveals, and after the last session there is only the closing.
    """
    silent = bool(play.masks.get(SILENT, 0) >> play.turn)
    if scenario.rapport is not None and _now(scenario.rapport, play):
        play.rapport += 1
    ends = bool(scenario.sessions) and _session_ends(scenario, play, silent)
    deflection, revealed = (None, []) if silent else _reveals(scenario, play)
    said = [item.reply for item in revealed]
    if ends:
        return _next_session(scenario, play, said, silent)
    if scenario.file.persona is None:
        return " ".join([*said, _acknowledgement(scenario, play)])
    if said:
        return " ".join(said)
    if silent:
        return _fallback(scenario, play)
    if deflection is not None:
        return deflection
    reply = _first(scenario.replies, play)
    return reply if reply is not None else _volunteer(scenario, play)


def _now(trigger: Trigger, play: Play) -> bool:
    return trigger.fires(play.masks, play.full, play.seen)


def _first(variants: tuple[Variant, ...], play: Play) -> str | None:
    for variant in variants:
        if variant.trigger is None or _now(variant.trigger, play):
            return variant.text
    return None


def _reveals(scenario: Scenario, play: Play) -> tuple[str | None, list[StateItem]]:
    """The items that this turn reveals, and the deflection of the first one asked for too early."""
    deflection, revealed = None, []
    for item in scenario.items:
        if item.trigger is None or item.atom in play.masks or not _now(item.trigger, play):
            continue
        if item.reveal == "rapport_required" and play.rapport < scenario.rapport_needed:
            deflection = deflection or item.deflect
        else:
            revealed.append(item)
    for item in revealed:  # only now: no item may see what this turn reveals
        _reveal(item, play)
    return deflection, revealed


def _reveal(item: StateItem, play: Play) -> None:
    play.masks[item.atom] = 1 << play.turn
    play.seen.add(item.atom)


def _volunteer(scenario: Scenario, play: Play) -> str:
    """Instead of a fallback, the first volunteered item that is not yet revealed."""
    for item in scenario.items:
        if item.reveal == "volunteered" and item.atom not in play.masks:
            _reveal(item, play)
            return item.reply
    return _fallback(scenario, play)


def _fallback(scenario: Scenario, play: Play) -> str:
    assert scenario.file.persona is not None
    fallbacks = scenario.file.persona.fallback
    play.fallbacks += 1
    return fallbacks[(play.fallbacks - 1) % len(fallbacks)]


def _session_ends(scenario: Scenario, play: Play, silent: bool) -> bool:
    session = scenario.sessions[play.session]
    play.session_turns += 1
    return (
        silent or play.session_turns == session.turns or (session.trigger is not None and _now(session.trigger, play))
    )


def _next_session(scenario: Scenario, play: Play, said: list[str], silent: bool) -> str:
    """The time skip: the days that pass go into the persona's context and nowhere else (TOK-3)."""
    if play.session + 1 == len(scenario.sessions):
        play.closed = True
        return scenario.file.closing or ""
    before, after = scenario.sessions[play.session], scenario.sessions[play.session + 1]
    days = after.after_days - before.after_days
    play.context = (*play.context, f"no word for {days} days" if silent else f"{days} days later")
    play.session += 1
    play.session_turns = 0
    return " ".join([*said, _first(after.reach_out, play) or ""])


def _acknowledgement(scenario: Scenario, play: Play) -> str:
    """What a decision task answers: which tools were called in this turn, and which are still to be."""
    filed = dict.fromkeys(tool for turn, tool in play.called if turn == play.turn)
    open_tools = [tool for tool in scenario.tools if all(tool != called for _, called in play.called)]
    got = f"Received: {_names(scenario, filed)}." if filed else "Noted; nothing was filed in this turn."
    if not open_tools or (scenario.completed is not None and _now(scenario.completed, play)):
        return f"{got} Nothing else is needed."
    return f"{got} Still missing: {_names(scenario, open_tools)}."


def _names(scenario: Scenario, tools: "list[str] | dict[str, None]") -> str:
    return ", ".join(scenario.tools[tool].name for tool in tools)
