"""The rewards that a server gives for conversations, and those that it gave, by the control plane: no quota, no journal."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labs_mock.contract.control import ExpectedReward, RewardPage
from labs_mock.testing.control_client import ControlClient, ControlError
from labs_mock.testing.verdicts.float_values import float32
from labs_mock.text import did_you_mean

Conversation = Sequence[Mapping[str, Any]] | Mapping[str, Any]
"""The messages of a conversation, or an object with `messages` that may name a scenario and weights of its own."""

NEEDED = "collection_slug", "scenario_slug"
FIELDS = "messages", *NEEDED, "reward_config"
OTHERS = "id", "normalization_key", "normalization_windows"  # of items and evaluations; no reward depends on them

AT_A_TIME = 1_000  # conversations in a request
MAX_BODY = 4 * 1024 * 1024  # characters of a request with several of them
PAGE = 100_000  # rewards


class ServedReward(NamedTuple):
    """The newest request for which the server gave a certain reward, and the hash of its conversation."""

    request: int
    conversation: str


def expected_rewards(
    control: ControlClient,
    conversations: Iterable[Conversation],
    *,
    collection_slug: str | None = None,
    scenario_slug: str | None = None,
    reward_config: Mapping[str, Any] | None = None,
) -> list[ExpectedReward]:
    """For each conversation its reward and what the server knows of it.

    The slugs and the `reward_config` are those of conversations that have none of their own. Raises `ValueError` for a
    conversation without slugs or with an unknown field, and `ControlError` for an unknown scenario.
    """
    common = {"collection_slug": collection_slug, "scenario_slug": scenario_slug, "reward_config": reward_config}
    queries = [_query(index, one, common) for index, one in enumerate(conversations)]
    found: list[ExpectedReward] = []
    for part in _parts(queries):
        start = len(found)
        try:
            page = control.send("POST", "/rewards/expected", {"conversations": part})
        except ControlError as error:
            raise ControlError(f"in conversations[{start}:]: {error}" if start else str(error)) from None
        found += map(ExpectedReward.from_json, page["conversations"])
    return found


def _parts(queries: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """As many at a time as a request may have."""
    part, size = list[dict[str, Any]](), 0
    for query in queries:
        length = len(json.dumps(query))
        if part and (len(part) == AT_A_TIME or size + length > MAX_BODY):
            yield part
            part, size = [], 0
        part.append(query)
        size += length
    if part:
        yield part


def served_rewards(control: ControlClient) -> dict[float, ServedReward]:
    """Every reward that the log has, as float32."""
    served: dict[float, ServedReward] = {}
    after = 0
    while True:
        page = RewardPage.from_json(control.get("/rewards", {"after": after, "limit": PAGE}))
        for request, conversation, reward in zip(page.requests, page.conversations, page.rewards, strict=True):
            served[float32(reward)] = ServedReward(request, conversation)
        after = page.after + len(page.rewards)
        if len(page.rewards) < PAGE:
            return served


def conversation_lengths(conversations: Iterable[Conversation]) -> dict[str, list[int]]:
    """By what conversations may have been sorted: their numbers of characters and of messages."""
    messages = [one["messages"] if isinstance(one, Mapping) else one for one in conversations]
    return {
        "characters": [sum(len(str(message.get("content"))) for message in listed) for listed in messages],
        "messages": [len(listed) for listed in messages],
    }


def _query(index: int, conversation: Conversation, common: Mapping[str, Any]) -> dict[str, Any]:
    fields = dict(conversation) if isinstance(conversation, Mapping) else {"messages": conversation}
    for name in fields:
        if name not in (*FIELDS, *OTHERS):
            raise ValueError(f"conversations[{index}]: unknown field {name!r}; {did_you_mean(name, FIELDS)}")
    query = {name: common.get(name) if fields.get(name) is None else fields[name] for name in FIELDS}
    for name in NEEDED:
        if query[name] is None:
            raise ValueError(f"conversations[{index}]: no {name}; name it there, or as {name}=… for all conversations")
    query["messages"] = list(query["messages"] or ())
    return query
