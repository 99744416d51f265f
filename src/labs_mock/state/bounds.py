"""How much a store keeps of what grows with requests; what goes first is written at each operation of `Store`."""

from typing import NamedTuple

MIB = 1024 * 1024


class Bounds(NamedTuple):
    """The bounds of a store. `characters` are those of all transcripts; `tokens` are the
    fewest that are remembered of an operation; `normalisation`, `journal` and `scenarios` are in bytes.
    """

    attempts: int = 100_000
    episodes: int = 20_000
    characters: int = 256_000_000
    normalisation: int = 64 * MIB
    records: int = 10_000
    journal: int = 64 * MIB
    rewards: int = 1_000_000
    scenarios: int = 64 * MIB
    tokens: int = 10_000
    verdicts: int = 100
