"""Keys over the control plane: add one, change its terms, revoke it. None is ever shown in full."""

from collections.abc import Collection
from typing import TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.config.server_file import KeyEntry, KeyTerms, check_terms
from labs_mock.contract.parsing import read_model
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state.account import Account, key_digest
from labs_mock.text import did_you_mean

Terms = TypeVar("Terms", bound=KeyTerms)


def key_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /keys`, `PATCH /keys/{key}`."""

    async def list_keys(request: Request) -> Payload:
        return {"keys": [_shown(account) for account in await world_of(request).store.accounts()]}

    async def add_key(request: Request) -> Payload:
        world = world_of(request)
        entry = _terms(await json_of(request), KeyEntry, (await world.library()).collections)
        account = Account.from_entry(entry)
        world.add_key(entry.key)  # before it is stored, so that it is masked wherever it is used
        if not await world.store.add_account(account):
            raise BadRequest("key: this key exists; change it with PATCH, or choose another one")
        return _shown(account)

    async def change_key(request: Request) -> Payload:
        world = world_of(request)
        digest = key_digest(request.path_params["key"].encode())
        while True:
            account = await world.store.find_account(digest)
            if account is None:
                raise NotFound("Key not found; GET /_mock/keys lists them")
            terms = _terms(await json_of(request), KeyTerms, (await world.library()).collections)
            changed = account.with_terms(terms)
            if await world.store.change_account(changed, account):
                return _shown(changed)

    return [
        resource(f"{prefix}/keys", GET=list_keys, POST=add_key),
        resource(f"{prefix}/keys/{{key}}", PATCH=change_key),
    ]


def _shown(account: Account) -> Payload:
    """Everything about an account but its key, which is masked."""
    return {
        "key": account.masked,
        "key_id": account.key_id,
        "name": account.name,
        "organisation": account.organisation,
        "requests_per_minute": account.requests_per_minute,
        "subscriptions": "*" if account.subscriptions is None else list(account.subscriptions),
        "score_access": account.score_access,
        "expires": None if account.expires is None else instant_text(account.expires),
        "revoked": account.revoked,
    }


def _terms(value: Payload, model: type[Terms], collections: Collection[str]) -> Terms:
    """The terms in a request. Raises `BadRequest` that names the field and says what to send."""
    terms = read_model(model, value)
    for mistake in check_terms(value):
        raise BadRequest(f"{mistake.path[-1]}: {mistake.message}; {mistake.expected}")
    for index, slug in enumerate(terms.subscriptions if terms.subscriptions != "*" else ()):
        if slug not in collections:
            raise BadRequest(f"subscriptions.{index}: unknown collection; {did_you_mean(slug, collections)}")
    return terms
