"""A store of the tests: it lets others run at every operation, and what goes in and comes out is bytes on its way.

So nothing that works over it depends on the identity of an object or on an operation that does not suspend.
"""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from itertools import cycle
from typing import Any, cast

from pydantic import BaseModel

from labs_mock.state.store import Store

PLAIN = (str, bytes, int, float, bool, type(None))


def check_plain(value: Any) -> None:
    """Raises `AssertionError` for what is not plain data: values, tuples and frozen dataclasses of them, and frozen models of files.

    A list of results is one, too.
    """
    if type(value) in PLAIN:
        return
    if isinstance(value, BaseModel):
        assert value.model_config.get("frozen"), f"{type(value)} can change"
        assert type(value).model_validate_json(value.model_dump_json(by_alias=True, exclude_unset=True)) == value
        return
    parameters = getattr(type(value), "__dataclass_params__", None)
    if parameters is not None:
        assert parameters.frozen, f"{type(value)} can change"
        children = [getattr(value, field.name) for field in fields(value)]
    else:
        assert isinstance(value, tuple) or type(value) is list, f"{type(value)} is not plain data"
        children = list(value)
    for child in children:
        check_plain(child)


def through_bytes(value: Any) -> Any:
    """An equal value that shares nothing with this one."""
    check_plain(value)
    return pickle.loads(pickle.dumps(value))


class SuspendingStore:
    """Another store's operations, each of which suspends now and then before and after it is done."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pauses = cycle((1, 0, 2, 1, 3, 0, 1))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._store, name)

        async def suspending(*arguments: Any, **named: Any) -> Any:
            await self._pause()
            result = await operation(
                *through_bytes(arguments), **{key: through_bytes(one) for key, one in named.items()}
            )
            await self._pause()
            return through_bytes(result)

        return suspending

    def knows_key(self, digest: bytes) -> bool:
        """What a process knows it need not wait for."""
        return self._store.knows_key(digest)

    async def follow(self, after: int) -> AsyncIterator[Any]:
        """The records, each as bytes on its way."""
        async for record in self._store.follow(after):
            await self._pause()
            yield through_bytes(record)

    async def _pause(self) -> None:
        for _ in range(next(self._pauses)):
            await asyncio.sleep(0)


def suspending(store: Store) -> Store:
    """A store as one that suspends and serialises."""
    return cast("Store", SuspendingStore(store))
