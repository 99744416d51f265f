"""Episodes: how they begin, count, end and bear what is wrong (EP-1 to EP-6, EP-10, EP-13, EP-15)."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import strategies as st

from labs_mock.conformance.checks import DrawExample, check
from labs_mock.conformance.episode import PlayedEpisode, completed, repeatable, turns_of
from labs_mock.conformance.exchanges import Sent
from labs_mock.conformance.judgements import quoted, shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import NEUTRAL, messages, operator, persona, turns, weights, without
from labs_mock.conformance.target import Json
from labs_mock.contract.limits import MAX_CONTENT
from labs_mock.contract.wording import EPISODE_COMPLETE, EPISODE_NOT_FOUND

AT_ONCE = 4  # turns
OTHER_IDS = ("ep_other", "", "ep_00000000000000000000000000")
NO_EPISODE = ("nobody", "ep_", "ep_00000000000000000000000000", "00000000-0000-4000-8000-000000000000")

BAD: dict[str, Json] = {  # turns that are refused, whatever the episode
    "no message": {"messages": []},
    "no message of the operator": {"messages": [persona("Hello.")]},
    "messages that are no list": {"messages": "Hello."},
    "a message that is too long": {"messages": [operator("x" * (MAX_CONTENT + 1))]},
    "an unknown role": {"messages": [operator("Tell me what happened."), {"role": "robot", "content": ""}]},
    "a weight out of bounds": {
        "messages": [operator("Tell me what happened.")],
        "reward_config": {"quality_weights": {"rubrics": 2}},
    },
    "another id": {"id": "ep_other", "messages": [operator("Tell me what happened.")]},
}


@check("EP-1")
def every_episode_has_an_id_of_its_own(lab: Lab) -> None:
    """Two episodes of a scenario are two, and both begin with a line of the persona."""
    for scenario in lab.each(lab.every_scenario):
        created = [lab.create(scenario) for _ in range(2)]
        names = [one["episode_id"] for one in created]
        lab.expect("EP-1", len({*names}) == 2, "two ids", names, inferred=False)
        for one in created:
            opening = one["initial_observation"]["content"]
            lab.expect("EP-1", opening.strip(), "a first line", opening, inferred=False)


@check("EP-2")
def tools_are_told_apart_by_their_ids(lab: Lab) -> None:
    """Every tool has an id of its own, and a choice has options."""
    for scenario in lab.each(lab.every_scenario):
        tools = lab.create(scenario)["tools"]
        names = [tool["id"] for tool in tools]
        lab.expect("EP-2", len({*names}) == len(names), "an id for each tool", names, inferred=False)
        for tool in tools:
            held = tool["mode"] == "json_schema" or tool["options"]
            lab.expect("EP-2", held, "options to choose from", tool, inferred=False)


@check("EP-3")
def turns_are_not_scored_by_default(lab: Lab, data: DrawExample) -> None:
    """Without `score_turns` the reward is 0 and there are no scores, whatever is said and asked for."""
    scenario = data(lab.scenarios)
    episode = PlayedEpisode(lab, scenario, score_turns=data(st.sampled_from([None, False])))
    config = {"quality_weights": data(weights())}
    for message in data(st.lists(messages(scenario), min_size=1, max_size=3)):
        if not episode.complete:
            answer = episode.take(message, reward_config=config)
            lab.expect("EP-3", answer["reward"] == 0, "a reward of 0", answer["reward"])
            scores = [name for name in ("scores", "score_breakdown") if name in answer]
            lab.expect("EP-3", not scores, "no scores", scores)


@check("EP-4")
def turns_are_counted_from_1(lab: Lab, data: DrawExample) -> None:
    """Every accepted call is one turn, however many messages it has, in each of two episodes by itself."""
    scenario = data(lab.scenarios)
    episodes = [PlayedEpisode(lab, scenario, score_turns=data(st.booleans())) for _ in range(2)]
    taken = [0, 0]
    for index in data(st.lists(st.integers(0, 1), min_size=1, max_size=5)):
        if not episodes[index].complete:
            said = data(st.lists(messages(scenario), min_size=1, max_size=3))
            seen = episodes[index].take(*said)["turn"]
            taken[index] += 1
            lab.expect("EP-4", seen == taken[index], f"turn {taken[index]}", seen)


@check("EP-6")
def the_id_in_the_body_is_the_one_in_the_path(lab: Lab) -> None:
    """The same one is accepted, and so is none; another one is a 400."""
    scenario = lab.every_scenario[0]
    one, other = PlayedEpisode(lab, scenario), PlayedEpisode(lab, scenario)
    lab.refused(one.submit([NEUTRAL]), 200, "EP-6", inferred=False, why="the same id")
    absent = lab.ask("take_turn", {"messages": [NEUTRAL]}, id=one.id)
    lab.refused(absent, 200, "EP-6", inferred=True, why="no id")
    for name in lab.each((*OTHER_IDS, other.id, one.id.upper(), f"{one.id} ")):
        lab.refused(
            one.submit([NEUTRAL], id=name, limited=False), 400, "EP-6", inferred=True, why=f"the id {quoted(name)}"
        )


@check("EP-10")
def an_episode_ends_with_its_last_turn(lab: Lab) -> None:
    """The last allowed turn completes it with `max_turns_reached`, and no turn before does; there is none after it."""
    for scenario in lab.each(lab.every_scenario):
        episode, most = PlayedEpisode(lab, scenario), turns_of(scenario)
        for turn in range(1, most + 1):
            if not episode.complete:
                answer = episode.take(NEUTRAL)
                reason = answer.get("terminal_reason")
                why = f"after turn {turn} of {most}, with {shown(reason)}"
                held = reason != "max_turns_reached" or turn == most
                lab.expect("EP-10", held, f"max_turns_reached after turn {most} alone", why, inferred=True)
        sent = episode.submit([NEUTRAL])
        lab.expect("EP-10", sent.status != 200, f"no turn after turn {most}", sent.answer[:300], inferred=False)
        lab.expect("EP-10", episode.complete, f"an end after turn {most}", episode.last, inferred=True)


@check("EP-13")
def a_complete_episode_takes_no_turn(lab: Lab) -> None:
    """Whatever is submitted, it is refused, again and again, and as something that needs the episode."""
    episode = completed(lab)
    history = episode.transcript
    for said in ([operator("Hello.")], [*history, operator("Hello.")], [NEUTRAL], history):
        sent = episode.submit(said, limited=True)
        lab.refused(sent, 400, "EP-13", inferred=True, why="a turn after the end")
        held = sent.message == EPISODE_COMPLETE
        lab.expect("EP-13", held, f"the message `{EPISODE_COMPLETE}`", sent.message, inferred=False)


@check("EP-13")
def an_unknown_episode_is_not_found(lab: Lab) -> None:
    """A turn on it is a 404."""
    known = PlayedEpisode(lab, lab.every_scenario[0]).id
    for name in lab.each((*NO_EPISODE, known.upper(), f"{known}0", known[:-1])):
        sent = lab.ask("take_turn", {"id": name, "messages": [NEUTRAL]}, id=name)
        lab.refused(sent, 404, "EP-13", inferred=False, message=EPISODE_NOT_FOUND, why=f"the episode {quoted(name)}")


@check("EP-15")
def a_refused_turn_changes_nothing(lab: Lab, data: DrawExample) -> None:
    """Between two turns, it leaves the episode as it was: the next turn gets the answer that it gets without it."""
    scenario = data(repeatable(lab))
    plain, disturbed = PlayedEpisode(lab, scenario), PlayedEpisode(lab, scenario)
    for message in data(turns(scenario, 3)):
        for why in data(st.lists(st.sampled_from(list(BAD)), max_size=2)):
            lab.refused(disturbed.submit(**{"messages": [], **BAD[why]}, limited=False), 400, "EP-15", why=why)
        if not plain.complete:
            one, other = (without(episode.take(message)) for episode in (plain, disturbed))
            lab.expect("EP-15", other == one, f"the answer without the refused turns, {shown(one)}", other)


@check("EP-15")
def no_kind_of_refused_turn_changes_anything(lab: Lab) -> None:
    """Neither what the request alone decides, nor a history in which nothing is new."""
    episode = PlayedEpisode(lab, lab.every_scenario[0])
    episode.take(NEUTRAL)
    for why, fields in BAD.items():
        lab.refused(episode.submit(**{"messages": [], **fields}, limited=False), 400, "EP-15", why=why)
    lab.refused(episode.submit(episode.transcript, limited=True), 400, "EP-15", why="nothing new")
    seen = episode.take(NEUTRAL)["turn"]
    lab.expect("EP-15", seen == 2, "turn 2, since all between was refused", seen)


@check("EP-15")
def turns_at_once_are_all_counted(lab: Lab) -> None:
    """Turns that are sent together are applied one after the other, and none is lost."""
    for scenario in lab.each(lab.every_scenario):
        episode = PlayedEpisode(lab, scenario)
        taken = [sent.json for sent in _at_once(episode, min(AT_ONCE, turns_of(scenario))) if sent.status == 200]
        seen = sorted(answer["turn"] for answer in taken)
        lab.expect("EP-15", seen == list(range(1, len(seen) + 1)), "each of the turns counted once", seen)
        held = len(seen) == AT_ONCE or any(answer["episode_complete"] for answer in taken)
        lab.expect("EP-15", held, f"{AT_ONCE} turns, or an end", taken)
        if not any(answer["episode_complete"] for answer in taken):
            after = episode.take(NEUTRAL)["turn"]
            lab.expect("EP-15", after == len(seen) + 1, f"turn {len(seen) + 1} after them", after)


def _at_once(episode: PlayedEpisode, turns: int) -> list[Sent]:
    """Turns that are sent together, each on a connection of its own, in a window that has room for all."""
    for _ in range(turns):
        if int(episode.lab.judgements.exchanges[-1].headers.get("x-ratelimit-remaining", turns)) < turns:
            episode.lab.ask("list_catalog")

    def take(number: int) -> Sent:
        return episode.submit([operator(f"Hm, {number}.")])

    with ThreadPoolExecutor(turns) as pool:
        return list(pool.map(take, range(turns)))


@check("EP-16")
def a_config_changes_nothing(lab: Lab) -> None:
    """An empty one is what is documented; overrides of any name are ignored."""
    scenario = lab.every_scenario[0]
    plain = lab.create(scenario)
    for config in lab.each(({}, {"max_turns": 1}, {"persona": {"temperature": 0.5}})):
        sent = lab.ask("create_episode", {**scenario.where, "config": config})
        lab.refused(sent, 200, "EP-16", inferred=bool(config), why=f"the config {quoted(config)}")
        for part in ("initial_observation", "tools"):
            same = sent.json[part] == plain[part]
            lab.expect(
                "EP-16", same, f"the {part} without a config, {shown(plain[part])}", sent.json[part], inferred=True
            )
