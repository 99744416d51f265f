"""`GRPOTrainer` over two processes, which talk to each other by gloo, and to one server."""

import os
import subprocess
import sys
from pathlib import Path

from labs_mock.testing import LabsMock
from tests.pages import ROOT
from tests.trainers.trl.policy import MARKS, SLUGS, Log

pytestmark = MARKS


def test_the_rewards_of_two_processes_are_in_place(glue_folder: Path, labs_mock: LabsMock, tmp_path: Path) -> None:
    """Each process asks for its own completions, and the gathered rewards are in place; if only one asks, it is convicted."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    paths = os.pathsep.join([str(ROOT), str(glue_folder)])
    program = [*command, "tests.trainers.trl.two_processes", str(tmp_path)]
    done = subprocess.run(
        program, env={**os.environ, "PYTHONPATH": paths}, check=False, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-4000:]
    sound, broken = Log(tmp_path / "batch_reward"), Log(tmp_path / "first_process_only")
    conversations = [*sound.conversations()]
    assert len(conversations) == 32
    assert labs_mock.assert_rewards(sound.column("batch_reward"), conversations, **SLUGS).identifiable > 20
    labs_mock.assert_advantages(sound.column("advantage"), conversations, sound.groups(), **SLUGS)
    used = broken.column("first_process_only")
    assert labs_mock.verdict(used, broken.conversations(), **SLUGS).label == "other_conversation"
