"""A key describes itself (KEY-1)."""

from labs_mock.clock import instant_text
from labs_mock.http.exchange import Exchange, Payload


async def describe_key(exchange: Exchange, _: None) -> Payload:
    """`GET /key`: the key that was sent, until when it is valid, and what is left of its one limit after this request."""
    account, quota = exchange.account, exchange.quota
    return {
        "key_id": account.key_id,
        "name": account.name,
        "expires_at": None if account.expires is None else instant_text(account.expires),
        "rate_limits": [{"limit": quota.limit, "remaining": quota.remaining, "reset": quota.reset}] if quota else [],
    }
