"""Conversations that are sent whole (EV-1, EV-2, SV-1)."""

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.offered import Json, OfferedScenario
from labs_mock.conformance.strategies import (
    PROVOCATIONS,
    SENTENCES,
    after_earning,
    as_conversation,
    at_the_border,
    comparable,
    conversations,
    messages,
    operator,
    persona,
    turns,
    weights,
)
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
from labs_mock.contract.limits import MAX_CONTENT


@check("EV-1")
def an_evaluation_names_its_scenario(target: Target, draw: Draw) -> None:
    """The metadata has the scenario's name as the catalog lists it."""
    scenario = draw(target.scenarios_with(lambda one: one.name, "has a name in a catalog"))
    result = target.evaluate(scenario, draw(conversations(scenario)))
    seen = result["metadata"]["scenario_name"]
    target.expect("EV-1", seen == scenario.name, f"the scenario's name, {scenario.name}", seen)


@check("SV-1")
def a_scenario_keeps_its_scoring_version(target: Target, draw: Draw) -> None:
    """Two evaluations of one scenario have the same scoring version; that it is the same in all, every response shows."""
    scenario = draw(target.scenarios)
    one, other = (target.evaluate(scenario, draw(conversations(scenario)))["scoring_version"] for _ in range(2))
    target.expect("SV-1", one == other != "", f"the same scoring version, {one}", other, inferred=False)


@check("EV-1")
def the_same_request_twice_gets_the_same_reward(target: Target, draw: Draw) -> None:
    """A reward depends on the request alone."""
    scenario = draw(target.scenarios)
    conversation, config = draw(conversations(scenario)), {"quality_weights": draw(weights())}
    one, other = (comparable(target.evaluate(scenario, conversation, reward_config=config)) for _ in range(2))
    target.verdicts.unsteady |= one != other
    target.expect("EV-1", one == other, f"the same response twice, {shown(one)}", other)


@check("EP-1")
def what_does_not_exist_is_a_404_that_says_which(target: Target, draw: Draw) -> None:
    """The message names the unknown collection or scenario, wherever it stands."""
    scenario, unknown = draw(target.scenarios), f"no-such-{draw(st.sampled_from(['thing', 'place', 'person']))}"
    hello = [operator("Hello.")]
    rest = {"evaluate": {"messages": hello}, "create_episode": {}, "compare": _compared(hello)}
    name = draw(st.sampled_from(list(rest)))
    field = draw(st.sampled_from(list(scenario.slugs)))
    response = target.request(name, {**scenario.slugs, field: unknown, **rest[name]})
    target.expect_status(response, 404, "EP-1", inferred=False, why=f"an unknown {field}")
    target.expect(
        "EP-1", unknown in response.message, f"a message that names {unknown}", response.message, inferred=True
    )


@check("EV-2")
def evaluating_a_transcript_gives_the_episodes_last_reward(target: Target, draw: Draw) -> None:
    """The same conversation, played turn by turn and sent whole, has the same reward and scores."""
    scenario = draw(target.scenarios)
    config: Json | None = draw(st.none() | st.builds(dict, quality_weights=weights(), skip_safety_gate=st.booleans()))
    transcript, last = played(target, scenario, draw(turns(scenario)), config)
    whole = target.evaluate(scenario, transcript, reward_config=config)
    for name in ("reward", "scores", "score_breakdown"):
        seen = whole.get(name)
        target.expect(
            "EV-2", seen == last.get(name), f"the {name} of the episode's last turn, {shown(last.get(name))}", seen
        )


@check("EV-2")
def a_transcript_is_gated_as_its_episode_was(target: Target) -> None:
    """Where the operator said what scope or terminology forbid, too."""
    for scenario in target.each(target.every_scenario):
        transcript, last = played(
            target, scenario, after_earning(scenario, operator(" ".join((*SENTENCES, *PROVOCATIONS)))), None
        )
        seen = target.evaluate(scenario, transcript)["reward"]
        target.expect("EV-2", seen == last["reward"], f"the reward of the episode, {last['reward']}", seen)


@check("EV-2")
def what_follows_the_end_is_ignored(target: Target, draw: Draw) -> None:
    """Messages after the turn that ended an episode change nothing."""
    scenario = target.every_scenario[0]
    played_turns = [draw(messages(scenario)) for _ in range(scenario.max_turns or 50)]
    transcript, last = played(target, scenario, played_turns, None)
    target.expect("EP-10", last["episode_complete"], "an end after the last allowed turn", last, inferred=True)
    after = [persona("Yes."), operator(" ".join(SENTENCES))]
    one, other = (comparable(target.evaluate(scenario, messages)) for messages in (transcript, [*transcript, *after]))
    target.expect("EV-2", one == other, f"the response without what follows the end, {shown(one)}", other)


@check("EP-9")
def content_has_at_most_10000_characters(target: Target, draw: Draw) -> None:
    """10,000 UTF-16 code units are accepted, whatever their bytes, and one more is a 400."""
    scenario, text = draw(target.scenarios), draw(at_the_border())
    response = target.request("evaluate", {**scenario.slugs, "messages": [operator(text)]})
    target.expect_status(
        response,
        200,
        "EP-9",
        inferred=not text.isascii(),
        why=f"{MAX_CONTENT:,} UTF-16 code units, {quoted(text[0])} each",
    )
    response = target.request("evaluate", {**scenario.slugs, "messages": [operator(text + "a")]}, limited=False)
    target.expect_status(
        response, 400, "EP-9", inferred=not text.isascii(), why=f"{MAX_CONTENT + 1:,} UTF-16 code units"
    )


@check("EP-8")
def a_system_message_changes_nothing(target: Target, draw: Draw) -> None:
    """`system` messages are left out of a conversation, in front of the opening and behind it."""
    scenario = draw(target.scenarios)
    conversation = draw(conversations(scenario))
    system = {"role": "system", "content": " ".join((*SENTENCES, *PROVOCATIONS))}
    place = draw(st.sampled_from([0, 1]))
    written = [*conversation[:place], system, *conversation[place:]]
    one, other = (comparable(target.evaluate(scenario, messages)) for messages in (conversation, written))
    target.expect("EP-8", one == other, f"the response without the system message, {shown(one)}", other)


@check("EP-8")
def a_conversation_without_the_operator_is_refused(target: Target, draw: Draw) -> None:
    """Messages of the persona and of the system alone are a 400."""
    scenario = draw(target.scenarios)
    others = [persona(scenario.opening or "Hello."), {"role": "system", "content": "Be kind."}]
    conversation = draw(st.lists(st.sampled_from(others), max_size=3))
    response = target.request("evaluate", {**scenario.slugs, "messages": conversation}, limited=False)
    target.expect_status(response, 400, "EP-8", why="a conversation without the operator")


def played(
    target: Target, scenario: OfferedScenario, turns: list[Json], config: Json | None
) -> tuple[list[Json], Json]:
    """Play an episode until it ends: its transcript, in which the persona is `user`, and its last turn."""
    episode = target.create(scenario, score_turns=True)
    transcript = [persona(episode["initial_observation"]["content"])]
    last: Json = {}
    for message in turns:
        last = target.turn(episode["episode_id"], [message], reward_config=config)
        transcript += [message, persona(last["observation"]["content"])]
        if last["episode_complete"]:
            break
    return transcript, last


def _compared(plain: list[Json]) -> Json:
    return {
        "response_a": {"messages": plain},
        "response_b": {"messages": as_conversation(OfferedScenario("", ""), plain)},
    }
