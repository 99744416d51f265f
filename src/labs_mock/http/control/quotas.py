"""Quotas over the control plane: what each key has left."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state.account import Account
from labs_mock.state.quota import Quota


def quota_routes(prefix: str) -> list[BaseRoute]:
    """`GET /quotas`."""

    async def list_quotas(request: Request) -> Payload:
        store = world_of(request).store
        accounts, quotas = await store.accounts(), await store.quotas()
        return {"quotas": [_shown(*one) for one in zip(accounts, quotas, strict=False)]}

    return [resource(f"{prefix}/quotas", GET=list_quotas)]


def _shown(account: Account, quota: Quota) -> Payload:
    """What a key has left in the present minute of the clock."""
    return {
        "key": account.masked,
        "key_id": account.key_id,
        "organisation": account.organisation,
        "limit": quota.limit,
        "remaining": quota.remaining,
        "reset": instant_text(quota.reset),
    }
