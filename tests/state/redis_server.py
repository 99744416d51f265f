"""A real Redis for the tests: one server in a temporary folder, and stores in it as the tests want them, from any thread."""

import asyncio
import shutil
import signal
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, TypeVar, cast
from weakref import finalize

from labs_mock.state.bounds import Bounds
from labs_mock.state.redis.store import RedisStore
from labs_mock.state.store import InitialState, Store
from tests.state.samples import initial

Result = TypeVar("Result")
MISSING = "no redis-server is installed"
_names = count()


def redis_is_installed() -> bool:
    """Whether there is a server to start."""
    return shutil.which("redis-server") is not None


class RedisProcess:
    """A Redis in a folder, which can be paused, killed, and started again with what it has written there.

    It has a socket in a file and no port.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "socket"
        self.url = f"unix://{self.socket}?db=0"
        files = ["--unixsocket", str(self.socket), "--dir", str(folder)]
        self._command = ["redis-server", "--port", "0", *files, "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        self.socket.unlink(missing_ok=True)
        process = self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        end = monotonic() + 30
        while not self.socket.exists():
            assert process.poll() is None, process.stdout.read().decode()
            assert monotonic() < end, "redis-server does not start"
            sleep(0.01)
        threading.Thread(target=process.stdout.read, daemon=True).start()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kill it, in the middle of whatever it does. To kill it twice does no harm."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            assert process.stdout is not None
            with suppress(ValueError):
                process.stdout.close()


@contextmanager
def redis_process(*options: str) -> Iterator[RedisProcess]:
    """A Redis that is started with some options in a temporary folder, and killed in the end."""
    with TemporaryDirectory(prefix="redis") as folder:
        process = RedisProcess(Path(folder), *options)
        try:
            process.start()
            yield process
        finally:
            process.kill()


@contextmanager
def redis_server(*options: str) -> Iterator[str]:
    """The address of such a Redis."""
    with redis_process(*options) as process:
        yield process.url


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class LoopThread:
    """An event loop in a thread of its own, in which the stores of all tests are, since a test has a loop for itself or none."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def result(self, operation: Coroutine[Any, Any, Result]) -> Result:
        """What an operation returns, for a caller without a loop."""
        return asyncio.run_coroutine_threadsafe(operation, self._loop).result(30)

    async def awaited(self, operation: Coroutine[Any, Any, Result]) -> Result:
        """The same for one in another loop, or one that is run by hand, without any."""
        future = asyncio.run_coroutine_threadsafe(operation, self._loop)
        return await asyncio.wrap_future(future) if _is_in_a_loop() else future.result(30)

    def start(self, function: Callable[[str], Coroutine[Any, Any, None]], name: str) -> None:
        """Begin something that nobody waits for."""
        if self._loop.is_running():
            asyncio.run_coroutine_threadsafe(function(name), self._loop)

    def close(self) -> None:
        """End it, and with it what nobody waits for."""
        self.result(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @staticmethod
    async def _settle() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=5)
            for task in late:
                task.cancel()


class StoreElsewhere:
    """A store whose operations run in the loop of another thread."""

    def __init__(self, thread: LoopThread, store: RedisStore) -> None:
        self._thread, self._store = thread, store

    @property
    def operation_count(self) -> int:
        """How many operations were done so far."""
        return self._store.operations.count

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._store, name)

        async def elsewhere(*arguments: Any, **named: Any) -> Any:  # which keeps the store until it is done
            return await self._thread.awaited(operation(*arguments, **named))

        return elsewhere

    def knows_key(self, digest: bytes) -> bool:
        """What a process knows, from any thread."""
        return self._store.knows_key(digest)

    async def follow(self, after: int) -> AsyncIterator[Any]:
        """The records as they come."""
        following = self._store.follow(after)

        async def following_record() -> Any:
            return await anext(following, None)

        while (record := await self._thread.awaited(following_record())) is not None:
            yield record


class RedisStores:
    """Makes stores in one server, each in a namespace of its own that goes with the store."""

    def __init__(self, url: str) -> None:
        self.url, self.thread = url, LoopThread()
        self._open: dict[str, RedisStore] = {}

    def make(self, state: InitialState | None = None, bounds: Bounds = Bounds()) -> Store:  # noqa: B008 - a tuple
        """A new store."""
        name = f"test-{next(_names)}"
        store = self.thread.result(RedisStore.open(self.url, name, state or initial(), bounds))
        self._open[name] = store
        made = StoreElsewhere(self.thread, store)
        finalize(made, self.thread.start, self._drop, name)
        return cast("Store", made)

    async def _drop(self, name: str) -> None:
        store = self._open.pop(name, None)
        if store is not None:
            await store.drop()
            await store.close()

    def close(self) -> None:
        """Drop and close all of them."""
        for name in list(self._open):
            self.thread.result(self._drop(name))
        self.thread.close()


@contextmanager
def redis_stores() -> Iterator[RedisStores]:
    """Stores in a Redis that is there for them."""
    with redis_server() as url:
        stores = RedisStores(url)
        try:
            yield stores
        finally:
            stores.close()
