"""The rewards that conversations have, over the control plane: nothing is counted, logged or recorded."""

import asyncio
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import ComparedResponse, RewardConfig
from labs_mock.engine.conversation_hash import conversation_hash
from labs_mock.engine.evaluation import assessments_by_turn, evaluate
from labs_mock.engine.player import Player
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.failed_requests import FailedRequests
from labs_mock.http.control.journal import settled
from labs_mock.http.control.resources import arrived_of, json_of, resource, world_of
from labs_mock.http.evaluation import served_reward
from labs_mock.http.exchange import Payload
from labs_mock.scenario.files.fields import FileModel
from labs_mock.state import World


class ConversationQuery(FileModel):
    """A conversation whose reward is wanted, like the body of an evaluation; its messages are checked by themselves."""

    collection_slug: str
    scenario_slug: str
    messages: list[Any]
    reward_config: RewardConfig | None = None


class ConversationQueries(FileModel):
    """Conversations of any scenarios."""

    conversations: Annotated[list[ConversationQuery], Field(max_length=1_000)]


def expected_routes(prefix: str) -> list[BaseRoute]:
    """`POST /rewards/expected`."""

    async def expect(request: Request) -> Payload:
        queries = read_model(ConversationQueries, await json_of(request)).conversations
        world, arrived = world_of(request), arrived_of(request)
        players = []
        for index, query in enumerate(queries):
            try:
                player = await world.player(arrived.revision, None, query.collection_slug, query.scenario_slug)
            except NotFound as error:
                raise NotFound(f"conversations.{index}: {error.message}") from None
            players.append(player)
        await settled()
        failed = FailedRequests(world, arrived, list(dict.fromkeys(players)))
        await failed.read_journal()
        expected = []
        for player, query in zip(players, queries, strict=True):
            expected.append(_expected(world, player, query, failed))
            await asyncio.sleep(0)  # there may be many, and others wait
        return {"conversations": expected}

    return [resource(f"{prefix}/rewards/expected", POST=expect)]


def _expected(world: World, player: Player, query: ConversationQuery, failed: FailedRequests) -> Payload:
    """What `ExpectedReward` has; the reward is the one that `/evaluate` gives (EV-1), or the message of its 400."""
    try:
        messages = read_model(ComparedResponse, {"messages": query.messages}).messages
        result = evaluate(player, messages, query.reward_config)
    except BadRequest as error:
        return {
            "reward": None,
            "rewards_by_turn": [],
            "conversation": None,
            "failed_requests": [],
            "error": world.redactor(error.message),
        }
    hashes, last = [], 0
    for turn in result.turns:
        last = conversation_hash([turn], last)
        hashes.append(last)
    assessments = assessments_by_turn(player, result.turns, query.reward_config)
    rewards = [served_reward(world, player.scenario, *one) for one in zip(assessments, hashes, strict=True)]
    return {
        "reward": rewards[-1],
        "rewards_by_turn": rewards,
        "conversation": f"{result.conversation:016x}",
        "failed_requests": failed.numbers(hashes),
        "error": None,
    }
