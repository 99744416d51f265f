"""Conversations given whole (EV-1, EV-2, SV-1)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    at_the_border,
    behind_talk,
    chat,
    conversations,
    messages,
    operator,
    persona,
    turns,
    weights,
    without,
)
from labs_mock.conformance.target import Json, TargetScenario
from labs_mock.contract.limits import MAX_CONTENT


@check("EV-1")
def an_evaluation_names_its_scenario(lab: Lab, data: DrawExample) -> None:
    """The metadata has the scenario's name as the catalog lists it."""
    scenario = data(lab.scenarios_with(lambda one: one.name, "has a name in a catalog"))
    answer = lab.evaluate(scenario, data(conversations(scenario)))
    seen = answer["metadata"]["scenario_name"]
    lab.expect("EV-1", seen == scenario.name, f"the scenario's name, {scenario.name}", seen)


@check("SV-1")
def a_scenario_keeps_its_scoring_version(lab: Lab, data: DrawExample) -> None:
    """Two evaluations of one scenario have the same scoring version; that all answers have, every one of them shows."""
    scenario = data(lab.scenarios)
    one, other = (lab.evaluate(scenario, data(conversations(scenario)))["scoring_version"] for _ in range(2))
    lab.expect("SV-1", one == other != "", f"the same scoring version, {one}", other, inferred=False)


@check("EV-1")
def the_same_request_twice_gets_the_same_reward(lab: Lab, data: DrawExample) -> None:
    """A reward depends on what is asked alone."""
    scenario = data(lab.scenarios)
    conversation, config = data(conversations(scenario)), {"quality_weights": data(weights())}
    one, other = (without(lab.evaluate(scenario, conversation, reward_config=config)) for _ in range(2))
    lab.judgements.unsteady |= one != other
    lab.expect("EV-1", one == other, f"the same answer twice, {shown(one)}", other)


@check("EP-1")
def what_does_not_exist_is_a_404_that_says_which(lab: Lab, data: DrawExample) -> None:
    """Unknown collections and scenarios are told apart, wherever they are named."""
    scenario, unknown = data(lab.scenarios), f"no-such-{data(st.sampled_from(['thing', 'place', 'person']))}"
    said = [operator("Hello.")]
    rest = {"evaluate": {"messages": said}, "create_episode": {}, "compare": _compared(said)}
    name = data(st.sampled_from(list(rest)))
    field = data(st.sampled_from(list(scenario.where)))
    sent = lab.ask(name, {**scenario.where, field: unknown, **rest[name]})
    lab.refused(sent, 404, "EP-1", inferred=False, why=f"an unknown {field}")
    lab.expect("EP-1", unknown in sent.message, f"a message that names {unknown}", sent.message, inferred=True)


@check("EV-2")
def evaluating_a_transcript_gives_the_episodes_last_reward(lab: Lab, data: DrawExample) -> None:
    """The same conversation, played turn by turn and given whole, has the same reward and scores."""
    scenario = data(lab.scenarios)
    config: Json | None = data(st.none() | st.builds(dict, quality_weights=weights(), skip_safety_gate=st.booleans()))
    transcript, last = played(lab, scenario, data(turns(scenario)), config)
    whole = lab.evaluate(scenario, transcript, reward_config=config)
    for name in ("reward", "scores", "score_breakdown"):
        seen = whole.get(name)
        lab.expect(
            "EV-2", seen == last.get(name), f"the {name} of the episode's last turn, {shown(last.get(name))}", seen
        )


@check("EV-2")
def a_transcript_is_gated_as_its_episode_was(lab: Lab) -> None:
    """Where something was said that scope or terminology forbid, too."""
    for scenario in lab.each(lab.every_scenario):
        transcript, last = played(
            lab, scenario, behind_talk(scenario, operator(" ".join((*SENTENCES, *PROVOCATIONS)))), None
        )
        seen = lab.evaluate(scenario, transcript)["reward"]
        lab.expect("EV-2", seen == last["reward"], f"the reward of the episode, {last['reward']}", seen)


@check("EV-2")
def what_follows_the_end_is_ignored(lab: Lab, data: DrawExample) -> None:
    """Messages after the turn that ended an episode change nothing."""
    scenario = lab.every_scenario[0]
    said = [data(messages(scenario)) for _ in range(scenario.max_turns or 50)]
    transcript, last = played(lab, scenario, said, None)
    lab.expect("EP-10", last["episode_complete"], "an end after the last allowed turn", last, inferred=True)
    after = [persona("Yes."), operator(" ".join(SENTENCES))]
    one, other = (without(lab.evaluate(scenario, given)) for given in (transcript, [*transcript, *after]))
    lab.expect("EV-2", one == other, f"the answer without what follows the end, {shown(one)}", other)


@check("EP-9")
def content_has_at_most_10000_characters(lab: Lab, data: DrawExample) -> None:
    """10,000 UTF-16 code units are accepted, whatever their bytes, and one more is a 400."""
    scenario, text = data(lab.scenarios), data(at_the_border())
    sent = lab.ask("evaluate", {**scenario.where, "messages": [operator(text)]})
    lab.refused(
        sent, 200, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT:,} UTF-16 code units, {quoted(text[0])} each"
    )
    sent = lab.ask("evaluate", {**scenario.where, "messages": [operator(text + "a")]}, limited=False)
    lab.refused(sent, 400, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT + 1:,} UTF-16 code units")


@check("EP-8")
def a_system_message_changes_nothing(lab: Lab, data: DrawExample) -> None:
    """`system` messages are left out of a conversation, in front of the opening and behind it."""
    scenario = data(lab.scenarios)
    conversation = data(conversations(scenario))
    system = {"role": "system", "content": " ".join((*SENTENCES, *PROVOCATIONS))}
    place = data(st.sampled_from([0, 1]))
    written = [*conversation[:place], system, *conversation[place:]]
    one, other = (without(lab.evaluate(scenario, messages)) for messages in (conversation, written))
    lab.expect("EP-8", one == other, f"the answer without the system message, {shown(one)}", other)


@check("EP-8")
def a_conversation_without_the_operator_is_refused(lab: Lab, data: DrawExample) -> None:
    """Messages of the persona and of the system alone are a 400."""
    scenario = data(lab.scenarios)
    said = [persona(scenario.opening or "Hello."), {"role": "system", "content": "Be kind."}]
    given = data(st.lists(st.sampled_from(said), max_size=3))
    sent = lab.ask("evaluate", {**scenario.where, "messages": given}, limited=False)
    lab.refused(sent, 400, "EP-8", why="a conversation without the operator")


def played(lab: Lab, scenario: TargetScenario, said: list[Json], config: Json | None) -> tuple[list[Json], Json]:
    """Play an episode until it ends: its transcript, in which the persona is `user`, and its last turn."""
    episode = lab.create(scenario, score_turns=True)
    transcript = [persona(episode["initial_observation"]["content"])]
    last: Json = {}
    for message in said:
        last = lab.turn(episode["episode_id"], [message], reward_config=config)
        transcript += [message, persona(last["observation"]["content"])]
        if last["episode_complete"]:
            break
    return transcript, last


def _compared(said: list[Json]) -> Json:
    return {"response_a": {"messages": said}, "response_b": {"messages": chat(TargetScenario("", ""), said)}}
