"""What of NVIDIA's cannot be installed from PyPI alone, by name, so that it is counted."""

import pytest

from tests.trainers.rollouts import THEIRS

pytestmark = THEIRS

MISSING = {
    "NeMo RL": "PyPI has a placeholder; that its rollouts add up the rewards of turns was read in its source",
    "NeMo-Aligner": "its reward server needs CUDA, and PyTriton, which it is built on, does not start with every Python 3.11",
    "SkyRL": "its generator needs Python 3.12 and a torch with CUDA; read in its source",
}


@pytest.mark.parametrize("part", MISSING)
def test_a_part_is_missing(part: str) -> None:
    """It is skipped, with the reason."""
    pytest.skip(f"{part}: {MISSING[part]}")
