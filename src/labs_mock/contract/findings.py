"""Findings: what the real service would take silently (section 7 of the contract)."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from labs_mock.redaction import Redact

Severity = Literal["info", "warning"]


class Kind(NamedTuple):
    """What a code stands for: how grave it is, what causes it, and what to do about it."""

    severity: Severity
    cause: str
    cure: str


KINDS: dict[str, Kind] = {
    "all_assistant_history": Kind(
        "info",
        "In a conversation that was sent whole, the persona's lines have the role `assistant`, too. They were recognised by what the "
        "mock's own persona says at that place (EP-8).",
        "Send the persona's lines as `user`.",
    ),
    "missing_body_id": Kind(
        "info",
        "A turn has no `id` in its body. The documentation requires it, although clients in the documentation leave it out (EP-6).",
        "Send the episode's id in the body, too.",
    ),
    "export_before_ready": Kind(
        "info",
        "A dataset was exported before it was ready (DS-3).",
        "Poll `/status` until it is `ready`, then export.",
    ),
    "polled_too_often": Kind(
        "info",
        "A dataset that is not ready was polled more than ten times in a second of a running clock (DS-7).",
        "Wait between polls, longer each time.",
    ),
    "config_ignored": Kind(
        "info",
        "An episode was created with a `config` that is not empty. Its overrides are not documented, and it changed nothing "
        "(EP-16).",
        "Leave it out, or do not count on it here.",
    ),
    "invalid_tool_call": Kind(
        "info",
        "The model called a tool that the scenario does not have, or with a type or an input that the tool does not allow. The place "
        "names the call, the hint says why. The call had no effect, and ended the episode with `error` unless the scenario says "
        "otherwise (EP-12).",
        "Show the model the tools of the episode with their schemas and options. This is the model's mistake, not the client's.",
    ),
    "reward_config_unscored": Kind(
        "info",
        "A turn has a `reward_config`, and its episode was created without `score_turns`: its reward is 0 (EP-3).",
        "Create the episode with `score_turns: true`, or leave the `reward_config` out.",
    ),
    "nothing_scored": Kind(
        "info",
        "No scorer ran with these `quality_weights`: all weights are 0, or the scenario does not define the dimensions whose weights "
        "are above 0. The reward is 0 (RC-4).",
        "Give a weight above 0 to a dimension that the scenario defines. `scores` in a response without `reward_config` lists them.",
    ),
    "unknown_dimension": Kind(
        "info",
        "`quality_weights` names a dimension that the scenario does not define, so it did not run (RC-5).",
        "Look at `scores` for the dimensions that ran; leave out the others.",
    ),
    "unknown_field": Kind(
        "warning",
        "The request has a field that is not documented. It was ignored (GEN-4).",
        "Compare its spelling with the documentation. Remove it if the API has no such field.",
    ),
    "duplicate_key": Kind(
        "warning",
        "A key stands twice in one JSON object. The last one counted (GEN-6).",
        "Look for a client that writes JSON by hand or merges dictionaries; send each key once.",
    ),
    "reward_config_in_batch_item": Kind(
        "warning",
        "An item of a batch has a `reward_config`, which is documented for `/evaluate` and turns only. It was ignored "
        "(BAT-4).",
        "Call `/evaluate` for it, or set the weights in the scenario.",
    ),
    "history_diverged": Kind(
        "warning",
        "The history that came with a turn differs from the episode's transcript (EP-7). The turn was taken all the same.",
        "Send the transcript as it was, or the new messages alone.",
    ),
    "duplicate_turn": Kind(
        "warning",
        "A turn came with a history that ends with the last turn and lacks its response. It was taken as one more turn with the "
        "same text (EP-7).",
        "Look for code that sends a turn again although the first one was taken. Use the response of the first.",
    ),
    "split_turn": Kind(
        "warning",
        "A turn has operator messages with other messages between them, such as the whole history of an earlier episode. Here they are one "
        "turn (EP-7), but for `/evaluate` the same messages are several (EV-2).",
        "Send only what the operator says in this turn. For a conversation that is over, use `/evaluate`.",
    ),
    "unattributable_history": Kind(
        "warning",
        "All messages are `assistant`, and none is the persona's opening: all were taken for the operator's, as one turn "
        "(EP-8).",
        "Send the persona's lines as `user`, or the opening, too.",
    ),
    "turns_after_end": Kind(
        "warning",
        "The conversation goes on after the turn that ends the scenario. What follows was ignored (EV-2).",
        "Stop where a response has `episode_complete: true`.",
    ),
    "repeated_opening": Kind(
        "warning",
        "A history has the persona's opening twice, although the persona said it once (EP-7, EP-8). If the second one has the role "
        "`assistant`, it counts as the operator's.",
        "Look for a client that puts `initial_observation` in front of messages that begin with it.",
    ),
    "tool_calls_of_user": Kind(
        "warning",
        "A `user` or `system` message has `tool_calls`. Only the operator calls tools, and it speaks as `assistant`; the "
        "calls were ignored (EP-7, EP-8).",
        "Put them beside the `assistant` message that made them.",
    ),
    "near_miss_token": Kind(
        "warning",
        "A message contains something like `<no_response/>`, but is not exactly that, so it was taken as speech (TOK-1): another spelling, a "
        "token that is cut or doubled, or text around it, such as `</think>` or an end-of-text mark.",
        "Send the token alone, in this spelling. Remove what a chat template adds.",
    ),
    "leaked_markup": Kind(
        "warning",
        "The operator's text contains marks of a chat template: `<|im_end|>` and similar ones, `[INST]`, `<think>`, or `</s>` at its "
        "end. They are read and scored as speech.",
        "Decode with `skip_special_tokens`, stop at the end of the turn, and keep thinking out of `content`.",
    ),
    "canary": Kind(
        "info",
        "The server was started with `canary`: the last bits of each reward in the response identify the conversation "
        "that it belongs to, so it differs from the true reward by less than 1.5 · 2⁻¹². Every response with such a reward has this.",
        "Nothing. Start the server without `canary` for the true rewards; `/_mock/explain` shows both.",
    ),
    "client_left": Kind(
        "info",
        "The client closed the connection before the whole response was sent: before its head, in an export, or while a fault "
        "delayed it. The request took effect. This finding is only in the journal: a header could not reach the client any more.",
        "Look for a timeout that is too short, or for an export that is not read to its end.",
    ),
}

RUN_KINDS: dict[str, Kind] = {
    "retried_on_400": Kind(
        "warning",
        "A request whose response was a 400, 401, 403 or 404 was sent again, unchanged, at least twice. The request itself is wrong, so "
        "the next response is the same.",
        "Retry only after a 429, a 5xx or a broken connection. Raise an error for what is refused.",
    ),
    "ignored_rate_limit": Kind(
        "warning",
        "A client that had received a 429 sent at least three more requests with that key in the same window: the same requests again, or "
        "others over the only connection that it uses (RL-2).",
        "Wait until `X-RateLimit-Reset`, in unix seconds on the server's clock. A frozen clock has to be moved.",
    ),
    "retried_too_fast": Kind(
        "info",
        "A request was sent again within a second after a 429, a 5xx or a response that a fault cut, on a clock that moves.",
        "Wait before each retry, longer each time; after a 429 until `X-RateLimit-Reset`.",
    ),
    "duplicate_turn": Kind(
        "warning",
        "A turn of new messages was sent again because its first response never reached the client: a fault cut it, or the client "
        "left. The first turn counted, so the operator has said the same twice (EP-7).",
        "Give up a rollout if a turn got no response: no call says whether that turn counted.",
    ),
    "stale_episode": Kind(
        "warning",
        "A turn has an observation of another episode of the organisation, which this episode never had: its history or its episode id "
        "belongs to another rollout. The turn was taken all the same (EP-7).",
        "Keep messages and `episode_id` together, one list for each rollout; begin it with `initial_observation`.",
    ),
    "partial_export_accepted": Kind(
        "warning",
        "A fault cut an export, and it was not requested again (DS-4).",
        "Compare the number of rows with `X-Row-Count`, do not hide the error of an incomplete body, and export again.",
    ),
    "episode_unfinished": Kind(
        "info",
        "An episode was created and is not over: no turn completed it, and it was not terminated (EP-11).",
        "Look for rollouts that are given up, and for a last turn that is not submitted.",
    ),
}
"""What only several requests show together: the codes of `http.control.run_findings`."""

MAX_IN_HEADER = 10


class Finding(NamedTuple):
    """A stable code, the place in the request body, and what to do about it."""

    code: str
    place: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """`info` or `warning`; only a warning fails tests."""
        return KINDS[self.code].severity

    def __str__(self) -> str:
        hint = f": {self.hint}" if self.hint else ""
        return f"{self.code} ({self.severity}) at {self.place}{hint}"


def header(findings: Iterable[Finding], redact: Redact) -> str:
    """The value of `X-Mock-Findings`: `code;severity=warning;place="messages.0"`, joined by commas.

    Printable ASCII whatever the place holds, and no key; at most ten findings, then how many more there are.
    """
    listed = list(findings)
    parts = [
        f'{finding.code};severity={finding.severity};place="{_ascii(redact(finding.place))}"'
        for finding in listed[:MAX_IN_HEADER]
    ]
    if len(listed) > MAX_IN_HEADER:
        parts.append(f"and_more;count={len(listed) - MAX_IN_HEADER}")
    return ", ".join(parts)


def _ascii(place: str) -> str:
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "?" for char in place[:80])
