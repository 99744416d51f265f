"""What breaks episodes: EP, and TOK in observations."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from labs_mock.contract import requests
from labs_mock.contract.clauses import part_of
from labs_mock.contract.requests import ToolCall
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.engine import attribution, evaluation, observation, player
from labs_mock.engine.play import Play
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import TranscriptLine
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http import app, episodes, order
from labs_mock.scenario.compiled.tools import Tool
from labs_mock.state.commit import Commit
from labs_mock.state.episode import AppendedTurn, Episode
from labs_mock.state.memory.episodes import Episodes
from labs_mock.state.memory.store import MemoryStore
from tests.conformance.mutants import MUTANTS, ChangedResponse, Mutant, instead, on_response

# EP-1 to EP-6


@on_response("EP-1", "an id has no ep_", "create_episode", inferred=False, wide=True)
def _(response: ChangedResponse) -> None:
    response.body["episode_id"] = response.body["episode_id"].removeprefix("ep_")


def _one_episode(self: Episodes, created: Episode | None, turn: AppendedTurn | None) -> None:
    if created is not None:
        self._stored.pop(created.id, None)
    _change(self, created, turn)


_change = Episodes.change
ONE_EPISODE = ((episodes, "episode_id", lambda *_: f"ep_{'0' * 26}"), (Episodes, "change", _one_episode))
MUTANTS.append(Mutant(part_of("EP-1", False), "equal requests get one episode", True, patches=ONE_EPISODE))


@on_response("EP-1", "the persona begins as `user`", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["initial_observation"]["role"] = "user"


@on_response("EP-1", "the first line is empty", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["initial_observation"]["content"] = ""


@on_response("EP-1", "an unknown scenario is a 400", "create_episode", status=404, inferred=False)
def _(response: ChangedResponse) -> None:
    response.status = 400


@on_response("EP-1", "a 404 does not say which", "evaluate", "compare", "create_episode", status=404, inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["message"] = "Not found"


@on_response("EP-2", "a tool has no mode", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        del tool["mode"]


@on_response("EP-2", "a tool is a function", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        tool["type"] = "function"


@on_response("EP-2", "a decision has no options", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        tool.pop("options", None)


@on_response("EP-2", "tools share an id", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        tool["id"] = "tool"


@on_response("EP-2", "a tool takes any text", "create_episode", inferred=True)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        if tool["mode"] == "json_schema":
            tool["mode"] = "free_text"


@on_response("EP-2", "a description that is not there is null", "create_episode", inferred=True)
def _(response: ChangedResponse) -> None:
    for tool in response.body["tools"]:
        tool.setdefault("description", None)


@instead("EP-2", "calls are known by the name of the tool", Player, "_apply_call", inferred=True)
def _(original: Any, self: Player, state: Play, call: ToolCall) -> Any:
    ids = {tool.name: tool.id for tool in self.scenario.tools.values()}
    return original(self, state, call.model_copy(update={"name": ids.get(call.name, "")}))


@instead("EP-3", "turns are scored whatever score_turns is", MemoryStore, "commit")
def _(original: Any, self: MemoryStore, commit: Commit) -> Any:
    created = commit.created and commit.created._replace(score_turns=True)
    return original(self, commit._replace(created=created))


@on_response("EP-3", "scores are empty where turns are not scored", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body.setdefault("scores", {})


@on_response("EP-4", "turns are counted from 0", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["turn"] -= 1


@on_response("EP-4", "messages are counted", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["turn"] += len(response.request_json["messages"]) - 1


@on_response("EP-4", "the persona answers as `user`", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["observation"]["role"] = "user"


@on_response("EP-4", "the observation is a list", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["observation"] = [response.body["observation"]]


@on_response("EP-5", "a reward of 1.0000001", "evaluate")
def _(response: ChangedResponse) -> None:
    response.body["reward"] += 1e-7 * (response.body["reward"] == 1)


@on_response("EP-5", "a reward of 0 is below 0", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["reward"] = response.body["reward"] or -1e-6


@on_response("EP-5", "a reward is text", "compare")
def _(response: ChangedResponse) -> None:
    response.body["reward_a"] = str(response.body["reward_a"])


@instead("EP-6", "the id in the body is not looked at", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    return original(model, {name: one for name, one in value.items() if name != "id"})


@instead("EP-6", "an id in the body is refused", order, "read_model", inferred=False, wide=True)
def _(original: Any, model: Any, value: Any) -> Any:
    if str(value.get("id")).startswith("ep_"):
        raise BadRequest("id: is in the path")
    return original(model, value)


@instead("EP-6", "the body needs an id", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    if "messages" in value and not {"id", "collection_slug"} & set(value):
        raise BadRequest("id: is required")
    return original(model, value)


# EP-7 and EP-8


def _by_role(submitted: Any) -> list[Any]:
    """The runs of `assistant` messages, whoever speaks in them."""
    spoken = [one for one in submitted if one["role"] != "system"]
    return [list(run) for role, run in groupby(spoken, itemgetter("role")) if role == "assistant"]


@instead("EP-7", "everything in a history is new", episodes, "new_turn", inferred=True)
def _(_original: Any, _player: Player, _transcript: Any, submitted: Any) -> Any:
    operators = [message for message in submitted if message["role"] == "assistant"]
    return attribution.Attributed([operators], [])


@instead("EP-7", "the last message alone is new", episodes, "new_turn", inferred=True)
def _(_original: Any, _player: Player, _transcript: Any, submitted: Any) -> Any:
    return attribution.Attributed([list(submitted)[-1:]], [])


@instead("EP-7", "histories are refused", episodes, "new_turn", inferred=False)
def _(original: Any, player: Player, transcript: Any, submitted: Any) -> Any:
    if len(submitted) > 3:
        raise BadRequest("messages: expected the new ones alone")
    return original(player, transcript, submitted)


@instead("EP-7", "new messages alone are refused behind the first turn", episodes, "new_turn", inferred=False)
def _(original: Any, player: Player, transcript: Any, submitted: Any) -> Any:
    if len(submitted) == 1 and len(transcript) > 1:
        raise BadRequest("messages: expected the whole history")
    return original(player, transcript, submitted)


@instead("EP-7", "lines are compared letter by letter", Player, "all_normalised", inferred=True)
def _(_original: Any, _player: Player, contents: Iterable[str]) -> list[str]:
    return list(contents)


@instead("EP-7", "a dropped observation makes all of a history new", attribution, "_common_prefix", inferred=True)
def _(_original: Any, _lines: Any, _said: Any) -> int:
    return 0


@instead("EP-8", "a `system` message is the operator's", evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    payload = [{**one, "role": "assistant"} if one["role"] == "system" else one for one in submitted]
    return original(player, payload)


@instead("EP-7", "a history that begins with a prompt is new", attribution, "_without_prompts", inferred=True)
def _(_original: Any, _player: Player, _persona: Any, submitted: Any) -> Any:
    return [one for one in submitted if one["role"] != "system"]


@instead("EP-7", "the end of a transcript is a new turn", attribution, "_after_latest_observation", inferred=True)
def _(original: Any, latest: Any, texts: Any, messages: Any) -> Any:
    begun = messages and messages[0]["role"] == "assistant" and texts[-1] == latest != texts[0]
    return 0 if begun and len(texts) == 2 else original(latest, texts, messages)


@instead("EP-7", "the persona's lines in an earlier history are the operator's", episodes, "new_turn", inferred=True)
def _(original: Any, player: Player, transcript: Any, submitted: Any) -> Any:
    if len(transcript) > 1:
        return original(player, transcript, submitted)
    turns = [
        one
        for one in submitted
        if one["role"] == "assistant" and player.normalised(one["content"]) != player.scenario.opening
    ]
    return attribution.Attributed([turns or list(submitted)[-1:]], [])


@instead("EP-8", "where there is a `user` message every `assistant` is the operator", attribution, "_observation_index")
def _(original: Any, player: Player, play: Any, messages: Any, behind: Any) -> Any:
    return None if behind is not None else original(player, play, messages, behind)


@instead("EP-8", "a `user` prompt in front makes every `assistant` the operator", evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    front = [one for one in submitted if one["role"] != "system"][:1]
    if any(one["role"] == "user" and player.normalised(one["content"]) != player.scenario.opening for one in front):
        return attribution.Attributed(_by_role(submitted), [])
    return original(player, submitted)


@instead("EP-8", "an opening as `user` makes every `assistant` the operator", evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    if submitted and submitted[0]["role"] == "user":
        return attribution.Attributed(_by_role(submitted), [])
    return original(player, submitted)


@instead("EP-8", "an opening as `assistant` is the operator's if there is a `user`", evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    if submitted and submitted[0]["role"] == "assistant" and "user" in [one["role"] for one in submitted]:
        return attribution.Attributed(_by_role(submitted), [])
    return original(player, submitted)


@instead("EP-8", "what an `assistant` says in front of the opening counts", attribution, "_opening")
def _(original: Any, player: Player, messages: Any) -> Any:
    opening, behind = original(player, messages)
    return opening, [one for one in messages if one is not opening and (one["role"] == "assistant" or one in behind)]


@instead("EP-8", "in a history of assistants all are the operator", attribution, "_opening")
def _(original: Any, player: Player, messages: Any) -> Any:
    return (None, messages) if all(one["role"] == "assistant" for one in messages) else original(player, messages)


@instead("EP-8", "in a history of assistants they always take turns", attribution, "_split_runs")
def _(original: Any, player: Player, runs: Any) -> Any:
    messages, behind = runs[0] if len(runs) == 1 else ([], None)
    return ([[one] for one in messages[::2]], True) if messages and behind is None else original(player, runs)


@instead("EP-8", "a foreign history of assistants is one turn", attribution, "_split_runs")
def _(original: Any, player: Player, runs: Any) -> Any:
    turns, _ = original(player, runs)
    return turns, True


@instead("EP-8", "a history of assistants begins with the persona", evaluation, "operator_turns")
def _(original: Any, player: Player, submitted: Any) -> Any:
    if all(one["role"] == "assistant" for one in submitted) and len(submitted) > 1:
        submitted = [{**submitted[0], "content": player.start().observation}, *submitted[1:]]
    return original(player, submitted)


@on_response("EP-8", "responses without the operator tie", "compare", status=400)
def _(response: ChangedResponse) -> None:
    response.status, name = 200, response.headers["x-request-id"]
    payload = {"winner": "tie", "reward_a": 0.0, "reward_b": 0.0, "margin": 0.0, "scoring_version": "1"}
    response.body = {**payload, "request_id": name}


# EP-9 to EP-12


def _cut(value: Any, most: int, length: Any = len) -> Any:
    """A body whose messages are shortened if they are longer than most."""
    for message in value["messages"] if isinstance(value.get("messages"), list) else ():
        if isinstance(message, dict) and isinstance(message.get("content"), str) and length(message["content"]) > most:
            message["content"] = message["content"][:10_000]
    return value


def _limit(value: Any, most: int, length: Any = len) -> Any:
    """A body whose messages must not be longer than most."""
    for message in value["messages"] if isinstance(value.get("messages"), list) else ():
        if isinstance(message, dict) and isinstance(message.get("content"), str) and length(message["content"]) > most:
            raise BadRequest("messages.0.content: expected less")
    return value


@instead("EP-9", "10,001 characters are cut", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    return original(model, _cut(value, 10_000))


@instead("EP-9", "10,000 characters are too long", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    return original(model, _limit(value, 9_999))


@instead("EP-9", "bytes are counted", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    return original(model, _limit(value, 10_000, lambda text: len(text.encode("utf-8", "replace"))))


@instead("EP-9", "code points are counted", requests, "utf16_length", inferred=True)
def _(_original: Any, text: str) -> int:
    return len(text)


@instead("EP-9", "a decision is taken as text alone", Tool, "accepts", inferred=False)
def _(original: Any, self: Tool, kind: str, arguments: Any) -> Any:
    return original(self, kind, arguments) and self.options is None


@instead("EP-10", "there is one turn more", Player, "_terminal_reason", inferred=False)
def _(original: Any, self: Player, state: Play) -> Any:
    reason = original(self, state)
    return None if reason == "max_turns_reached" and state.turn == self.scenario.file.max_turns else reason


@instead("EP-10", "there is one turn less", Player, "_terminal_reason", inferred=True)
def _(original: Any, self: Player, state: Play) -> Any:
    return original(self, state) or ("max_turns_reached" if state.turn + 1 >= self.scenario.file.max_turns else None)


@on_response("EP-11", "terminal_reason is null before the end", "take_turn", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body.setdefault("terminal_reason", None)


@on_response("EP-11", "the last turn does not say why", "take_turn", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body.pop("terminal_reason", None)


@on_response("EP-11", "a reason that there is not", "take_turn", inferred=False)
def _(response: ChangedResponse) -> None:
    if response.body["episode_complete"]:
        response.body["terminal_reason"] = "done"


@instead("EP-11", "completed comes before error", Player, "_terminal_reason", inferred=True)
def _(original: Any, self: Player, state: Play) -> Any:
    valid, state.valid = state.valid, True
    reason = original(self, state)
    state.valid = valid
    return reason if reason == "completed" else original(self, state)


@instead("EP-11", "max_turns_reached comes first", Player, "_terminal_reason", inferred=True)
def _(original: Any, self: Player, state: Play) -> Any:
    return "max_turns_reached" if state.turn >= self.scenario.file.max_turns else original(self, state)


@instead("EP-12", "a call of an unknown tool is refused", Player, "_apply_call")
def _(original: Any, self: Player, state: Play, call: Any) -> Any:
    if call.name not in self.scenario.tools:
        raise BadRequest("tool_calls.0.name: expected the id of a tool")
    return original(self, state, call)


@instead("EP-12", "a wrong input is refused", Tool, "accepts")
def _(original: Any, self: Tool, kind: str, arguments: Any) -> Any:
    if not isinstance(arguments, dict):
        raise BadRequest("tool_calls.0.input: expected an object")
    return original(self, kind, arguments)


@instead("EP-12", "a wrong call leaves the one before it", Player, "_apply_call")
def _(original: Any, self: Player, state: Play, call: Any) -> Any:
    before = dict(state.inputs)
    valid = original(self, state, call)
    if not valid:
        state.inputs = before
    return valid


@instead("EP-12", "a call may have any type", Tool, "accepts")
def _(original: Any, self: Tool, _kind: str, arguments: Any) -> Any:
    return original(self, self.type, arguments)


@instead("EP-12", "a wrong call completes the episode", Player, "_terminal_reason")
def _(original: Any, self: Player, state: Play) -> Any:
    reason = original(self, state)
    return "completed" if reason == "error" and not state.valid else reason


# EP-13 and EP-15


@on_response("EP-13", "a turn after the end has another message", "take_turn", status=400, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["message"] = response.body["message"].replace("Episode already complete", "Episode is over")


@on_response("EP-13", "a turn after the end is a 404", "take_turn", status=400, inferred=True)
def _(response: ChangedResponse) -> None:
    if "already complete" in response.body["message"]:
        response.status = 404


@on_response("EP-13", "a turn after the end gets the last answer again", "take_turn", status=400, inferred=True)
def _(response: ChangedResponse) -> None:
    if "already complete" in response.body["message"]:
        observation = {"role": "assistant", "content": "Goodbye."}
        payload = {"turn": 50, "observation": observation, "reward": 0.0, "terminal_reason": "completed"}
        response.status, name = 200, response.headers["x-request-id"]
        response.body = {**payload, "episode_complete": True, "request_id": name}


@on_response("EP-13", "an unknown episode has another message", "take_turn", status=404, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["message"] = "Not found"


@instead("EP-13", "an unknown episode is a 400", episodes, "_load", inferred=False)
async def _(original: Any, exchange: Any) -> Any:
    try:
        return await original(exchange)
    except NotFound as error:
        raise BadRequest(error.message) from None


@instead("EP-13", "ids of episodes are compared in lower case", Episodes, "get", inferred=False)
def _(original: Any, self: Episodes, name: str, now: float) -> Any:
    return original(self, name.lower(), now)


@instead("EP-15", "a refused turn is counted", app, "_error")
def _(original: Any, raised: Exception, exchange: Any) -> Any:
    stored = exchange.world.store._episodes
    if isinstance(raised, BadRequest) and (name := exchange.request.parameters.get("id")) in stored._stored:
        episode = stored._stored[name][0]
        lines = TranscriptLine("Hm.", True), episode.transcript[-1]
        stored.change(None, AppendedTurn(name, episode.turns, lines, None, episode.touched))
    return original(raised, exchange)


@instead("EP-15", "of two turns at once one is lost", Episodes, "change")
def _(original: Any, self: Episodes, created: Any, turn: Any) -> None:
    lost = turn is not None and turn.lines[0].content == "Hm, 2."
    original(self, created, None if lost else turn)


# EP-16


@instead("EP-16", "a config is refused", order, "read_model", inferred=False)
def _(original: Any, model: Any, value: Any) -> Any:
    if value.get("config") is not None:
        raise BadRequest("config: is not a known name")
    return original(model, value)


@instead("EP-16", "overrides are refused", order, "read_model", inferred=True)
def _(original: Any, model: Any, value: Any) -> Any:
    if value.get("config"):
        raise BadRequest("config: expected no overrides")
    return original(model, value)


@on_response("EP-16", "a config changes the first line", "create_episode", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.request_json.get("config"):
        response.body["initial_observation"]["content"] += " I am in a hurry."


# TOK


@instead("TOK-1", "silence is refused", order, "read_model", wide=True)
def _(original: Any, model: Any, value: Any) -> Any:
    for message in value.get("messages") or () if isinstance(value.get("messages"), list) else ():
        if isinstance(message, dict) and message.get("content") == NO_RESPONSE:
            raise BadRequest("messages.0.content: expected something")
    return original(model, value)


@instead("TOK-1", "silence is no turn", episodes, "new_turn")
def _(original: Any, player: Player, transcript: Any, submitted: Any) -> Any:
    found = original(player, transcript, submitted)
    silent = all(message["content"] == NO_RESPONSE for message in submitted)
    return attribution.Attributed([], []) if silent else found


@instead("TOK-3", "the persona repeats what it heard last", observation, "_use_fallback")
def _(original: Any, *arguments: Any) -> Any:
    return f"{NO_RESPONSE}? {original(*arguments)}" if arguments[1].silent else original(*arguments)


@instead("TOK-3", "the persona speaks of the days that passed", observation, "_begin_next_session")
def _(original: Any, found: Any, state: Play, *arguments: Any) -> str:
    observation = original(found, state, *arguments)
    return " ".join([*state.context[-1:], observation])


@instead("TOK-3", "silence makes the persona talk", player, "make_observation")
def _(original: Any, scenario: Any, state: Play) -> str:
    if state.silent:
        for item in scenario.persona.items[:1]:
            state.masks.setdefault(item.atom, 1 << state.turn)
    return str(original(scenario, state))
