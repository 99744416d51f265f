"""Keys over the control plane: add one, change its terms, revoke it. None is ever shown in full."""

from collections.abc import Collection
from typing import TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.config.server_file import KeyEntry, KeyTerms, check_terms
from labs_mock.contract.parsing import read_model
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state import World
from labs_mock.state.accounts import Account
from labs_mock.text import did_you_mean

Terms = TypeVar("Terms", bound=KeyTerms)


def key_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /keys`, `PATCH /keys/{key}`."""

    async def list_keys(request: Request) -> Payload:
        world = world_of(request)
        return {"keys": [account.shown for account in world.accounts]}

    async def add_key(request: Request) -> Payload:
        world = world_of(request)
        file = _terms(await json_of(request), KeyEntry, world.library.collections)
        if world.accounts.get(file.key) is not None:
            raise BadRequest("key: this key exists; change it with PATCH, or choose another one")
        return _put(world, Account.of(file))

    async def change_key(request: Request) -> Payload:
        world = world_of(request)
        account = world.accounts.get(request.path_params["key"])
        if account is None:
            raise NotFound("Key not found; GET /_mock/keys lists them")
        return _put(world, account.under(_terms(await json_of(request), KeyTerms, world.library.collections)))

    return [
        resource(f"{prefix}/keys", GET=list_keys, POST=add_key),
        resource(f"{prefix}/keys/{{key}}", PATCH=change_key),
    ]


def _put(world: World, account: Account) -> Payload:
    world.accounts.put(account)
    return account.shown


def _terms(value: Payload, model: type[Terms], collections: Collection[str]) -> Terms:
    """The terms in a request. Raises `BadRequest` that names the field and says what to send."""
    terms = read_model(model, value)
    for mistake in check_terms(value):
        raise BadRequest(f"{mistake.path[-1]}: {mistake.message}; {mistake.expected}")
    for index, slug in enumerate(terms.subscriptions if terms.subscriptions != "*" else ()):
        if slug not in collections:
            raise BadRequest(f"subscriptions.{index}: unknown collection; {did_you_mean(slug, collections)}")
    return terms
