"""The spool of a server whose state is shared."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from benchmarks.library import DATASET, library

from labs_mock.state.spool import CHUNK
from tests.serving.test_server import serving
from tests.serving.test_workers import children
from tests.state.redis_server import MISSING, redis_is_installed, redis_server
from tests.support import KEY

SPOOL, ROWS = 400_000, 400  # bytes, and rows of 2.4 KB


def spooled(pid: int) -> int:
    """The bytes in unlinked files of a process."""
    size = 0
    for place in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a connection that has ended by now
            if str(place.readlink()).endswith(" (deleted)"):
                size += place.stat().st_size
    return size


@pytest.mark.slow
@pytest.mark.skipif(not redis_is_installed(), reason=MISSING)
def test_workers_have_equal_parts_of_the_spool() -> None:
    """Each of two fills its half with the first chunks of the same export, and no more; the bytes are the same from both (DS-6)."""
    with (
        library({1: ROWS}) as folder,
        redis_server() as url,
        serving(folder, "--json", "--state", url, "--workers", "2", "--spool", f"{SPOOL}") as (process, line),
    ):
        place = f"{json.loads(line)['url']}/api/v1/training-datasets/{DATASET.format(1)}/export"
        workers = children(process.pid)
        bodies: set[bytes] = set()

        def export(_: int) -> bytes:
            return httpx.get(place, headers={"authorization": f"Bearer {KEY}"}, timeout=60).content

        with ThreadPoolExecutor(4) as pool:
            for _ in range(50):  # a worker that is idle takes the connections that the other one leaves
                bodies.update(pool.map(export, range(4)))
                if all(map(spooled, workers)):
                    break
        assert len(bodies) == 1
        assert len(bodies.pop()) > 2 * SPOOL
        assert len(workers) == 2
        for worker in workers:
            assert SPOOL // 2 - 2 * CHUNK < spooled(worker) <= SPOOL // 2
