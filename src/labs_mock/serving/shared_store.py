"""The store that several processes share, as the settings name it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from labs_mock.config.settings import Settings
from labs_mock.errors import SettingsError, StartError, StoreUnavailable
from labs_mock.state.store import InitialState, Store


@asynccontextmanager
async def shared_store(
    settings: Settings, initial: InitialState, server: str, *, checked: bool = False, temporary: bool = False
) -> AsyncIterator[Store]:
    """The store in the namespace that some settings name, for a process of a server, as long as the block runs.

    A `temporary` namespace goes with it; where the store does not answer then, it goes by itself.
    Raises `SettingsError` where the extra `redis` is missing, or the file with certificates, and `StartError` if the store does not answer, or the namespace is
    another server's; the latter not if another process of this server has `checked` it.
    """
    try:
        from labs_mock.state.redis.store import RedisStore
    except ImportError:
        raise SettingsError("state: a store in Redis needs the extra redis: pip install 'labs-mock[redis]'") from None
    if settings.state_ca and not Path(settings.state_ca).is_file():  # noqa: ASYNC240 - before anything runs
        raise SettingsError(f"state_ca: no such file: {settings.state_ca}")
    try:
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
    except StoreUnavailable as error:
        raise StartError(f"state: {settings.state}: {error.message.partition(';')[0]}") from None
    try:
        yield store
    finally:
        if temporary:
            with suppress(StoreUnavailable):
                await store.drop()
        await store.close()
