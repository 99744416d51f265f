"""A namespace: the keys of one server's state, and what it was made with."""

from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import ConfigDict, TypeAdapter

from labs_mock.errors import StartError
from labs_mock.state.account import Account
from labs_mock.state.library_source import LibrarySource
from labs_mock.state.planned_fault import PlannedFault
from labs_mock.state.store import InitialState

FORMAT = 1
"""The number of the format of all data in Redis; another one is another program's."""

KEYS_OF: dict[str, tuple[str, ...]] = {
    "clock": (),
    "keys": (),
    "limits": ("quotas",),
    "attempts": ("attempts", "attempts.order"),
    "episodes": ("episodes", "episodes.progress", "episodes.turns", "episodes.order", "episodes.counts"),
    "normalisation": ("logs", "logs.order"),
    "datasets": ("datasets",),
    "faults": ("faults",),
    "journal": ("journal", "journal.bodies", "journal.amended", "journal.counts", "verdicts"),
    "rewards": ("rewards", "rewards.total"),
}
"""The keys of each part, which a reset of it unlinks. There are no others but these and the next ones, however much there is."""
TOKENS = ("commits.newer", "commits.older", "normalised.newer", "normalised.older")
KEYS = (
    *[key for keys in KEYS_OF.values() for key in keys],
    *TOKENS,
    "control",
    "library",
    "scenarios",
    "initial",
    "lease",
    "servers",
)
"""All keys but `meta`, without the tag of the namespace."""

JSON = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


class Content(NamedTuple):
    """A collection, a scenario or a dataset of a library, by its name, and the SHA-256 of all that it is made of."""

    name: str
    digest: str


class Made(NamedTuple):
    """What a namespace was made with: `InitialState`, with digests in place of the library and of the keys of faults."""

    seed: int
    clock: str
    accounts: tuple[Account, ...]
    faults: tuple[PlannedFault, ...]
    library: tuple[Content, ...]


MADE: TypeAdapter[Made] = TypeAdapter(Made, config=JSON)
_SOURCE: TypeAdapter[Any] = TypeAdapter(LibrarySource, config=JSON)


def made_with(initial: InitialState) -> Made:
    """What is stored of what a namespace is made with."""
    faults = tuple(
        [
            PlannedFault.from_entry(entry.id or f"fault-{number}", entry)
            for number, entry in enumerate(initial.faults, 1)
        ]
    )
    return Made(initial.seed, initial.clock, initial.accounts, faults, contents_of(initial.library))


def contents_of(library: LibrarySource) -> tuple[Content, ...]:
    """Names and digests of all that is in a library."""
    parts: list[tuple[str, LibrarySource]] = [
        *[(f"collection {one.slug}", LibrarySource((one,), ())) for one in library.collections],
        *[(f"scenario {one.collection}/{one.slug}", LibrarySource((), (one,))) for one in library.scenarios],
        *[(f"dataset {one.slug}", LibrarySource((), (), (one,))) for one in library.datasets],
    ]
    return tuple([Content(name, sha256(_SOURCE.dump_json(one, exclude_unset=True)).hexdigest()) for name, one in parts])


def check_same(name: str, stored: Made, own: Made, present: tuple[Content, ...]) -> None:
    """Raises `StartError` that names the first difference between what a namespace was made with and what a server has.

    Its library may be that of the start or the `present` one, which another server may have published since.
    """
    difference = None
    for field in ("seed", "clock"):
        if getattr(stored, field) != getattr(own, field):
            difference = f"its {field} is {getattr(stored, field)!r}, this server's is {getattr(own, field)!r}"
            break
    else:
        for what, theirs, ours in (("key", stored.accounts, own.accounts), ("fault", stored.faults, own.faults)):
            if theirs != ours:
                number = next(
                    (n for n, pair in enumerate(zip(theirs, ours, strict=False)) if pair[0] != pair[1]),
                    min(len(theirs), len(ours)),
                )
                difference = f"{what} {number + 1} of {max(len(theirs), len(ours))} is not the same"
                break
        else:
            if own.library not in (stored.library, present):
                known, mine = dict(present), dict(own.library)
                different = [one for one in sorted({*known, *mine}) if known.get(one) != mine.get(one)]
                difference = f"{different[0]} is not the same" if different else "the order of its datasets is another"
    if difference is not None:
        raise StartError(
            f"state: the namespace {name!r} was made by a server with other settings or files: {difference}. "
            "Start this one with the same, or give another state name"
        )
