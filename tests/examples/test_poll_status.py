"""A poll of `/status` in JavaScript, and then one export.

Documented: the two calls, their order, and 30 seconds from one poll to the next.
Reconstructed: the script beside this file, `poll_status.mjs`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from labs_mock.testing import LabsMock

SCRIPT = Path(__file__).with_name("poll_status.mjs")
BY_THE_CLOCK = "5d2a7f13-48be-4e09-a6c4-1f8b3d5e7092"  # pending 5 s, preview 10 s, running 30 s, filtering 15 s
BY_POLLS = "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"

# In front of the script: where it would wait for half a minute, the server's clock moves on instead.
SHORT = """
const wait = globalThis.setTimeout;
const advance = (seconds) => fetch(`${process.env.LABS_URL}/_mock/clock/advance`, {
  method: "POST",
  headers: { "Content-Type": "application/json", Authorization: `Bearer ${process.env.LABS_API_KEY}` },
  body: JSON.stringify({ seconds }),
});
globalThis.setTimeout = (then, milliseconds, ...rest) =>
  milliseconds === 30_000 ? advance(30).then(then) : wait(then, milliseconds, ...rest);
"""

NO_FETCH = "const no_fetch = typeof fetch === 'undefined'; process.exit(no_fetch ? 1 : 0)"


@pytest.fixture
def node() -> str:
    """The command, where it is installed and new enough to have `fetch`."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node on this machine")
    if subprocess.run([found, "--eval", NO_FETCH], check=False).returncode:
        pytest.skip("the node of this machine has no fetch: it is older than 18")
    return found


@pytest.mark.parametrize(
    ("dataset", "statuses", "rows"),
    [
        (BY_THE_CLOCK, ["pending", "running", "ready"], 100),
        (BY_POLLS, ["pending", "running", "running", "filtering", "ready"], 200),
    ],
    ids=["by the clock", "by polls"],
)
def test_it_exports_once_when_the_dataset_is_ready(
    labs_mock_env: LabsMock, node: str, dataset: str, statuses: list[str], rows: int
) -> None:
    """Each stage is seen in its time, and the one export has every row (DS-1, DS-2, DS-4, DS-7)."""
    text = SHORT + SCRIPT.read_text(encoding="utf-8")
    done = subprocess.run(
        [node, "--input-type=module", "--eval", text],
        env={**os.environ, "DATASET": dataset},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.split() == [*statuses, str(rows), str(rows)]
    paths = [request.path.rpartition("/")[2] for request in labs_mock_env.requests]
    assert paths == ["status"] * len(statuses) + ["export"]
    labs_mock_env.assert_no_findings("info")
