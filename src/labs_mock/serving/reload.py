"""`serve --reload`: the files of a folder are loaded again when they change, also when the folder itself is made anew."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path

from watchfiles import Change, awatch

from labs_mock.config.library import load_library
from labs_mock.errors import ScenarioError, StoreUnavailable
from labs_mock.state import World

log = logging.getLogger("labs_mock")

TICK = 0.5  # seconds between two looks at the folder itself


async def reload(world: World, folder: Path, stop: asyncio.Event) -> None:
    """Load a folder again whenever a file of it changes, until `stop` is set; if one is bad, what was served goes on."""
    async for _ in changes(folder, stop):
        try:
            library = await asyncio.to_thread(load_library, folder)
        except ScenarioError as error:
            mistakes = world.redactor(str(error))
            log.error("%s\nnot reloaded: the scenarios that were served still are", mistakes)  # noqa: TRY400 - the mistakes need no traceback
            continue
        try:
            await world.publish(library)
        except StoreUnavailable as error:
            log.error("not reloaded: %s", error)  # noqa: TRY400 - the same
        else:
            log.warning("reloaded: %d scenarios", len(library.scenarios))


async def changes(folder: Path, stop: asyncio.Event) -> AsyncIterator[None]:
    """Yields after a change of files below a folder, until `stop` is set.

    The system watches a folder and not its path. So when the folder is removed or replaced, or is a link that changes, the
    folder that is at its path from then on is watched, as soon as there is one.
    """
    root = folder.absolute()  # noqa: ASYNC240 - it asks for the working directory, not the disk
    known = _identity(root)
    while not stop.is_set():
        here = _identity(root)
        if here is None:
            await _wait(stop)
            continue
        events = awatch(
            root,
            watch_filter=lambda _, path: _counts(root, path),
            stop_event=stop,
            rust_timeout=int(TICK * 1_000),
            yield_on_timeout=True,
            ignore_permission_denied=True,
        )
        async with aclosing(events):
            with suppress(FileNotFoundError):  # removed before it was watched
                async for found in events:
                    if found or here != known:
                        known = here
                        yield
                    if (Change.deleted, str(root)) in found:
                        known = None  # another one may have the same number
                        break
                    if _identity(root) != here:
                        break


def _identity(folder: Path) -> tuple[int, int] | None:
    """The numbers by which the system identifies a folder; None if there is none."""
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _counts(root: Path, path: str) -> bool:
    """Whether a file may be one of the scenarios: hidden files, such as those of editors and git, are not."""
    return not any(part.startswith(".") for part in Path(path).parts[len(root.parts) :])


async def _wait(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), TICK)
