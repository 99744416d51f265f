"""The store that several processes share, as the settings name it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from labs_mock.config.settings import Settings
from labs_mock.errors import SettingsError, StoreUnavailable
from labs_mock.extras import to_install
from labs_mock.state.store import InitialState, Store


@asynccontextmanager
async def shared_store(
    settings: Settings, initial: InitialState, server: str, *, checked: bool = False, temporary: bool = False
) -> AsyncIterator[Store]:
    """The store in the namespace that some settings name, for a process of a server, as long as the block runs.

    A `temporary` namespace goes with it; where the store does not answer then, it goes by itself.
    Raises `SettingsError` where the extra `redis` is missing, and what `RedisStore.open` raises.
    """
    try:
        from labs_mock.state.redis.store import RedisStore
    except ImportError:
        raise SettingsError(f"state: a store in Redis needs the extra redis: {to_install('redis')}") from None
    store = await RedisStore.open(
        settings.state,
        settings.state_name,
        initial,
        password=settings.state_password or None,
        ca=settings.state_ca or None,
        lifetime=settings.state_lifetime,
        server=server,
        checked=checked,
    )
    try:
        yield store
    finally:
        if temporary:
            with suppress(StoreUnavailable):
                await store.drop()
        await store.close()
