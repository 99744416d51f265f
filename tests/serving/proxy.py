"""A proxy for TCP connections, with an address that stays while what is behind it changes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from tests.state.redis_server import LoopThread

Target = tuple[str, int] | Path
"""A host and a port, or a socket in a file."""

CHUNK = 64 * 1024


class Proxy:
    """Sends each connection to the next of its targets, as bytes, and knows nothing of what they mean."""

    def __init__(self, thread: LoopThread, *targets: Target) -> None:
        self._thread, self._targets = thread, cycle(targets)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = thread.result(asyncio.start_server(self._connect, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def turn_to(self, *targets: Target) -> None:
        """Have other targets, or none, which closes each connection; those that there are end."""
        self._targets = cycle(targets)
        self._thread.result(self._end())

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._thread.result(self._close())

    async def _close(self) -> None:
        self._server.close()
        await self._end()

    async def _end(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target, writers = next(self._targets, None), {writer}
        self._writers.add(writer)
        try:
            if target is not None:
                inner, outer = await _opened(target)
                writers.add(outer)
                self._writers.add(outer)
                await asyncio.gather(_copy(reader, outer), _copy(inner, writer))
        except OSError:  # nobody listens there
            pass
        finally:
            for one in writers:
                one.transport.abort()
            self._writers -= writers


async def _opened(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if isinstance(target, Path):
        return await asyncio.open_unix_connection(target)
    return await asyncio.open_connection(*target)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that is read, and then the end. One that breaks off breaks off the other."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


@contextmanager
def proxy(*targets: Target) -> Iterator[Proxy]:
    """A proxy as long as the block runs."""
    thread = LoopThread()
    made = Proxy(thread, *targets)
    try:
        yield made
    finally:
        made.close()
        thread.close()
