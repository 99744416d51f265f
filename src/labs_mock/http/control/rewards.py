"""The rewards that were served, over the control plane."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.errors import BadRequest
from labs_mock.http.control.journal import number_of
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.text import did_you_mean

DEFAULT_LIMIT, MAX_LIMIT = 10_000, 100_000
PARAMETERS = ("after", "limit")


def reward_routes(prefix: str) -> list[BaseRoute]:
    """`GET /rewards`: a page of the log, in columns."""

    async def list_rewards(request: Request) -> Payload:
        query = dict(request.query_params)
        for name in query:
            if name not in PARAMETERS:
                raise BadRequest(f"{name[:80]}: unknown parameter; {did_you_mean(name, PARAMETERS)}")
        after = number_of(query.get("after", "0"), "after")
        limit = number_of(query.get("limit", str(DEFAULT_LIMIT)), "limit")
        if limit > MAX_LIMIT:
            raise BadRequest(f"limit: expected at most {MAX_LIMIT:,}")
        page = await world_of(request).store.rewards(after, limit)
        return {
            "after": page.after,
            "requests": page.requests,
            "items": page.items,
            "conversations": [f"{conversation:016x}" for conversation in page.conversations],
            "rewards": page.rewards,
            "count": page.stored,
            "dropped": page.dropped,
        }

    return [resource(f"{prefix}/rewards", GET=list_rewards)]
