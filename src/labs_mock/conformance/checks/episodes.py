"""Episodes: how they begin, count, end and bear what is wrong (EP-1 to EP-6, EP-10, EP-13, EP-15)."""

from concurrent.futures import ThreadPoolExecutor

from hypothesis import strategies as st

from labs_mock.conformance.checks import Draw, check
from labs_mock.conformance.http_response import Response
from labs_mock.conformance.offered import Json
from labs_mock.conformance.played_episode import PlayedEpisode, completed, repeatable, turns_of
from labs_mock.conformance.strategies import NEUTRAL, comparable, messages, operator, persona, turns, weights
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import quoted, shown
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
def every_episode_has_an_id_of_its_own(target: Target) -> None:
    """Two episodes of a scenario are two, and both begin with a line of the persona."""
    for scenario in target.each(target.every_scenario):
        created = [target.create(scenario) for _ in range(2)]
        names = [one["episode_id"] for one in created]
        target.expect("EP-1", len({*names}) == 2, "two ids", names, inferred=False)
        for one in created:
            opening = one["initial_observation"]["content"]
            target.expect("EP-1", opening.strip(), "a first line", opening, inferred=False)


@check("EP-2")
def tools_are_told_apart_by_their_ids(target: Target) -> None:
    """Every tool has an id of its own, and a choice has options."""
    for scenario in target.each(target.every_scenario):
        tools = target.create(scenario)["tools"]
        names = [tool["id"] for tool in tools]
        target.expect("EP-2", len({*names}) == len(names), "an id for each tool", names, inferred=False)
        for tool in tools:
            holds = tool["mode"] == "json_schema" or tool["options"]
            target.expect("EP-2", holds, "options to choose from", tool, inferred=False)


@check("EP-3")
def turns_are_not_scored_by_default(target: Target, draw: Draw) -> None:
    """Without `score_turns` the reward is 0 and there are no scores, whatever the messages and the config."""
    scenario = draw(target.scenarios)
    episode = PlayedEpisode(target, scenario, score_turns=draw(st.sampled_from([None, False])))
    config = {"quality_weights": draw(weights())}
    for message in draw(st.lists(messages(scenario), min_size=1, max_size=3)):
        if not episode.complete:
            result = episode.take(message, reward_config=config)
            target.expect("EP-3", result["reward"] == 0, "a reward of 0", result["reward"])
            scores = [name for name in ("scores", "score_breakdown") if name in result]
            target.expect("EP-3", not scores, "no scores", scores)


@check("EP-4")
def turns_are_counted_from_1(target: Target, draw: Draw) -> None:
    """Every accepted call is one turn, however many messages it has, in each of two episodes by itself."""
    scenario = draw(target.scenarios)
    episodes = [PlayedEpisode(target, scenario, score_turns=draw(st.booleans())) for _ in range(2)]
    taken = [0, 0]
    for index in draw(st.lists(st.integers(0, 1), min_size=1, max_size=5)):
        if not episodes[index].complete:
            several = draw(st.lists(messages(scenario), min_size=1, max_size=3))
            seen = episodes[index].take(*several)["turn"]
            taken[index] += 1
            target.expect("EP-4", seen == taken[index], f"turn {taken[index]}", seen)


@check("EP-6")
def the_id_in_the_body_is_the_one_in_the_path(target: Target) -> None:
    """The same one is accepted, and so is none; another one is a 400."""
    scenario = target.every_scenario[0]
    one, other = PlayedEpisode(target, scenario), PlayedEpisode(target, scenario)
    target.expect_status(one.submit([NEUTRAL]), 200, "EP-6", inferred=False, why="the same id")
    absent = target.request("take_turn", {"messages": [NEUTRAL]}, id=one.id)
    target.expect_status(absent, 200, "EP-6", inferred=True, why="no id")
    for name in target.each((*OTHER_IDS, other.id, one.id.upper(), f"{one.id} ")):
        target.expect_status(
            one.submit([NEUTRAL], id=name, limited=False), 400, "EP-6", inferred=True, why=f"the id {quoted(name)}"
        )


@check("EP-10")
def an_episode_ends_with_its_last_turn(target: Target) -> None:
    """The last allowed turn completes it with `max_turns_reached`, and no turn before does; there is none after it."""
    for scenario in target.each(target.every_scenario):
        episode, most = PlayedEpisode(target, scenario), turns_of(scenario)
        for turn in range(1, most + 1):
            if not episode.complete:
                result = episode.take(NEUTRAL)
                reason = result.get("terminal_reason")
                why = f"after turn {turn} of {most}, with {shown(reason)}"
                holds = reason != "max_turns_reached" or turn == most
                target.expect("EP-10", holds, f"max_turns_reached after turn {most} alone", why, inferred=True)
        response = episode.submit([NEUTRAL])
        target.expect(
            "EP-10", response.status != 200, f"no turn after turn {most}", response.content[:300], inferred=False
        )
        target.expect("EP-10", episode.complete, f"an end after turn {most}", episode.last, inferred=True)


@check("EP-13")
def a_complete_episode_takes_no_turn(target: Target) -> None:
    """Whatever is submitted, it is refused, again and again, and as something that needs the episode."""
    episode = completed(target)
    history = episode.transcript
    for submitted in ([operator("Hello.")], [*history, operator("Hello.")], [NEUTRAL], history):
        response = episode.submit(submitted, limited=True)
        target.expect_status(response, 400, "EP-13", inferred=True, why="a turn after the end")
        holds = response.message == EPISODE_COMPLETE
        target.expect("EP-13", holds, f"the message `{EPISODE_COMPLETE}`", response.message, inferred=False)


@check("EP-13")
def an_unknown_episode_is_not_found(target: Target) -> None:
    """A turn on it is a 404."""
    known = PlayedEpisode(target, target.every_scenario[0]).id
    for name in target.each((*NO_EPISODE, known.upper(), f"{known}0", known[:-1])):
        response = target.request("take_turn", {"id": name, "messages": [NEUTRAL]}, id=name)
        target.expect_status(
            response, 404, "EP-13", inferred=False, message=EPISODE_NOT_FOUND, why=f"the episode {quoted(name)}"
        )


@check("EP-15")
def a_refused_turn_changes_nothing(target: Target, draw: Draw) -> None:
    """Between two turns, it leaves the episode as it was: the next turn gets the response that it gets without it."""
    scenario = draw(repeatable(target))
    plain, disturbed = PlayedEpisode(target, scenario), PlayedEpisode(target, scenario)
    for message in draw(turns(scenario, 3)):
        for why in draw(st.lists(st.sampled_from(list(BAD)), max_size=2)):
            target.expect_status(disturbed.submit(**{"messages": [], **BAD[why]}, limited=False), 400, "EP-15", why=why)
        if not plain.complete:
            one, other = (comparable(episode.take(message)) for episode in (plain, disturbed))
            target.expect("EP-15", other == one, f"the response without the refused turns, {shown(one)}", other)


@check("EP-15")
def no_kind_of_refused_turn_changes_anything(target: Target) -> None:
    """Neither what the request alone decides, nor a history in which nothing is new."""
    episode = PlayedEpisode(target, target.every_scenario[0])
    episode.take(NEUTRAL)
    for why, fields in BAD.items():
        target.expect_status(episode.submit(**{"messages": [], **fields}, limited=False), 400, "EP-15", why=why)
    target.expect_status(episode.submit(episode.transcript, limited=True), 400, "EP-15", why="nothing new")
    seen = episode.take(NEUTRAL)["turn"]
    target.expect("EP-15", seen == 2, "turn 2, since all between was refused", seen)


@check("EP-15")
def turns_at_once_are_all_counted(target: Target) -> None:
    """Turns that are sent together are applied one after the other, and none is lost."""
    for scenario in target.each(target.every_scenario):
        episode = PlayedEpisode(target, scenario)
        taken = [
            response.json for response in _at_once(episode, min(AT_ONCE, turns_of(scenario))) if response.status == 200
        ]
        seen = sorted(result["turn"] for result in taken)
        target.expect("EP-15", seen == list(range(1, len(seen) + 1)), "each of the turns counted once", seen)
        holds = len(seen) == AT_ONCE or any(result["episode_complete"] for result in taken)
        target.expect("EP-15", holds, f"{AT_ONCE} turns, or an end", taken)
        if not any(result["episode_complete"] for result in taken):
            after = episode.take(NEUTRAL)["turn"]
            target.expect("EP-15", after == len(seen) + 1, f"turn {len(seen) + 1} after them", after)


def _at_once(episode: PlayedEpisode, turns: int) -> list[Response]:
    """Turns that are sent together, each on a connection of its own, in a window that has room for all."""
    for _ in range(turns):
        if int(episode.target.verdicts.responses[-1].headers.get("x-ratelimit-remaining", turns)) < turns:
            episode.target.request("list_catalog")

    def take(number: int) -> Response:
        return episode.submit([operator(f"Hm, {number}.")])

    with ThreadPoolExecutor(turns) as pool:
        return list(pool.map(take, range(turns)))


@check("EP-16")
def a_config_changes_nothing(target: Target) -> None:
    """An empty one is what is documented; overrides of any name are ignored."""
    scenario = target.every_scenario[0]
    plain = target.create(scenario)
    for config in target.each(({}, {"max_turns": 1}, {"persona": {"temperature": 0.5}})):
        response = target.request("create_episode", {**scenario.slugs, "config": config})
        target.expect_status(response, 200, "EP-16", inferred=bool(config), why=f"the config {quoted(config)}")
        for part in ("initial_observation", "tools"):
            same = response.json[part] == plain[part]
            target.expect(
                "EP-16", same, f"the {part} without a config, {shown(plain[part])}", response.json[part], inferred=True
            )
