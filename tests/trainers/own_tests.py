"""The examples of trainers as their pages have them: the test that stands beside the glue, and what the first command prints."""

import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from tests.pages import ROOT, blocks


def own_test(trainer: str) -> dict[str, Callable[..., Any]]:
    """The tests and fixtures of `examples/<trainer>/test_rewards.py`, for a module that makes them its own."""
    return runpy.run_path(str(ROOT / "examples" / trainer / "test_rewards.py"))


@contextmanager
def in_folder_of(trainer: str) -> Iterator[None]:
    """The scripts of an example can be imported, as where its tests are run, and read their environment anew."""
    folder = str(ROOT / "examples" / trainer)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        for name in ("labs", "scripted", "train"):
            client = getattr(sys.modules.pop(name, None), "HTTP", None)
            if client is not None:  # it would stay open until the process ends
                client.close()


def run_script(trainer: str, name: str) -> None:
    """Run a script of an example, as the command on its page does, in this process."""
    with in_folder_of(trainer):
        runpy.run_path(str(ROOT / "examples" / trainer / name), run_name="__main__")


def shown_output(page: str, script: str) -> str:
    """What a page shows below the command that runs a script."""
    for command, printed in pairwise(blocks(ROOT / "docs" / page)):
        if script in command.text and command.language == "sh" and printed.language == "text":
            return printed.text
    raise AssertionError(f"docs/{page} shows nothing for {script}")
