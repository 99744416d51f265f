"""The page about more than one process: its story with a real store, and its projection."""

import json
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from benchmarks import projection, report

from labs_mock.state.bounds import Bounds
from tests.pages import ROOT, blocks
from tests.serving.test_server import serving
from tests.state.redis_server import MISSING, redis_is_installed, redis_server

PAGE = ROOT / "docs/scaling.md"
STORE = "redis://127.0.0.1:6379/0"
RUN_HERE = "tests/scaling/test_page.py"


@pytest.mark.slow
@pytest.mark.skipif(not redis_is_installed(), reason=MISSING)
def test_an_episode_goes_on_at_the_other_server() -> None:
    """The three commands and the script of the page, which prints what the page says that it prints."""
    installed, commands, script, printed = [block for block in blocks(PAGE) if RUN_HERE in block.argument]
    assert installed.text == "pip install 'labs-mock[redis]'\n"
    store, *servers = [shlex.split(command) for command in commands.text.splitlines()]
    assert store == ["redis-server"]
    ports: dict[str, str] = {}
    with ExitStack() as started:
        url = started.enter_context(redis_server())
        for command in servers:
            assert command[:4] == ["labs-mock", "serve", "--state", STORE]
            options = dict(zip(command[4::2], command[5::2], strict=True))
            shown = options.pop("--port", "8765")
            rest = [word for option in options.items() for word in option]
            _, line = started.enter_context(serving("--json", "--state", url, *rest))
            ports[shown] = json.loads(line)["url"].rpartition(":")[2]
        text = re.sub("|".join(ports), lambda found: ports[found[0]], script.text)
        result = subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True, timeout=60)
    shown_at = {port: shown for shown, port in ports.items()}
    assert re.sub(r"^\d+", lambda found: shown_at[found[0]], result.stdout, flags=re.MULTILINE) == printed.text


def test_the_projection_is_that_of_the_table() -> None:
    """The page has what follows from the figures in `benchmarks/README.md`, and the store is the first limit, as it says."""
    _, begin, rest = PAGE.read_text("utf-8").partition(report.BEGIN.format(name="projection"))
    assert begin
    assert rest.partition(report.END)[0] == projection.projection(report.README.read_text("utf-8"))
    busy = re.search(r"^\| workers that keep one store busy \| (.*) \| (.*) \|$", rest, re.MULTILINE)
    assert busy is not None
    assert max(map(float, busy.groups())) < projection.WORKERS
    assert Bounds().episodes == projection.BOUND


def test_a_projection_follows_from_few_figures(tmp_path: Path) -> None:
    """What a request costs decides how many there are; the store is the limit where it has less time than 16 workers."""
    figures = {
        "`/evaluate` with a store, its worker": "400",
        "`/evaluate` with a store, that store": "100",
        "`/evaluate` with a store, two workers": "1.25",
        "a turn with a store, its worker": "3,200",
        "a turn with a store, that store": "200",
        "an episode of 10 turns in a store": "6,000",
    }
    made = projection.projection("".join(f"| {what} | how | {figure} | - |\n" for what, figure in figures.items()))
    assert "| one worker carries, a second | 2,500 | 310 |\n" in made
    assert "| 16 workers would carry, a second | 32,000 | 4,000 |\n" in made
    assert "| one store carries, a second | 10,000 | 5,000 |\n" in made
    assert "| workers that keep one store busy | 5.0 | 20 |\n" in made
    assert "carry 10,000 evaluations or 4,000 turns a second. 512 episodes that take 10 turns each need 1.0 s" in made
    assert "takes 6,000 bytes of it, and 20,000 of them, the most that there are, 120 MB." in made
    page = tmp_path / "page.md"
    page.write_text(f"a\n{report.BEGIN.format(name='projection')}old\n{report.END}b\n", encoding="utf-8")
    projection.write_projection(page)
    text = page.read_text("utf-8")
    assert "old" not in text
    assert text.startswith("a\n<!-- results: projection -->\n| | an evaluation | a turn |\n")
    assert text.endswith(f" MB.\n{report.END}b\n")
