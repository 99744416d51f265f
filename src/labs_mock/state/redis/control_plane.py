"""The copy that a process has of what the control plane changes, and how it is changed: replace it if it is still what it was."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from labs_mock.clock import Clock
from labs_mock.scenario.compiled.datasets import Dataset
from labs_mock.state.bounds import Bounds
from labs_mock.state.library_source import ScenarioSource
from labs_mock.state.redis.control_document import Control, ControlDocument, control_of, packed_document
from labs_mock.state.redis.namespace import FORMAT, KEYS, KEYS_OF, MADE, TOKENS, made_with
from labs_mock.state.redis.scripts import FREEING, Operations
from labs_mock.state.redis.shelf import SHELF, SOURCE, Shelf
from labs_mock.state.store import PARTS, InitialState

Command = tuple[Any, ...]
"""A command of Redis: its name, the key without the namespace's tag, the rest."""

DATASET_FIELDS = "since", "position", "polls", "polled", "exhausted"


class ControlChange(NamedTuple):
    """What replaces a document and its shelf, and what else is done with it."""

    document: ControlDocument
    shelf: Shelf
    commands: tuple[Command, ...] = ()
    result: Any = None


Make = Callable[[ControlDocument, Shelf], ControlChange | None]


class ControlPlane:
    """Document and shelf as this process knows them; `seen` is the greatest order of an arrival in this epoch.

    Once it is `opened`, a namespace that is gone was lost.
    """

    def __init__(self, operations: Operations, initial: InitialState, bounds: Bounds, lifetime: int) -> None:
        self._operations, self._initial, self._bounds, self._lifetime = operations, initial, bounds, lifetime
        self.control: Control | None = None
        self.seen = 0
        self.opened = False
        self._shelf = "", Shelf()

    def take(self, revision: bytes, document: bytes) -> Control:
        """Take what a script has returned as what is known from now on."""
        control = control_of(revision, document)
        if self.control is not None and self.control.document.epoch != control.document.epoch:
            self.seen = 0
        self.control = control
        return control

    async def known(self) -> Control:
        """What this process knows, which may be old: a script that gets its revision says so."""
        return self.control or await self.fresh()

    async def fresh(self) -> Control:
        """What it is now. A namespace that is gone begins anew."""
        known = self.control
        status, *rest = await self._operations.run("control", "" if known is None else known.revision, again=True)
        if status == b"done" and known is not None:
            return known
        return await self.create() if status == b"gone" else self.take(*rest)

    async def shelf(self, control: Control) -> Shelf | None:
        """The library that belongs to a document; None if it has been replaced since."""
        if self._shelf[0] != control.document.shelf:
            _, stored = await self._operations.run("read", "GET", "library", again=True)
            token, _, shelf = (stored or b"").partition(b"\n")
            if token.decode() != control.document.shelf:
                return None
            self._shelf = control.document.shelf, SHELF.validate_json(shelf)
        return self._shelf[1]

    async def both(self) -> tuple[Control, Shelf]:
        """Document and library of one moment."""
        while True:
            control = await self.fresh()
            shelf = await self.shelf(control)
            if shelf is not None:
                return control, shelf

    async def change(self, make: Make, flags: str = "") -> ControlChange | None:
        """Make a change of what is there, again if another process was faster; None where there is nothing to change."""
        while True:
            control, shelf = await self.both()
            made = make(control.document, shelf)
            if made is None:
                return None
            commands = list(made.commands)
            if made.shelf is not shelf:
                made = made._replace(document=made.document._replace(shelf=secrets.token_hex(8)))
                commands += self._storing(made.document.shelf, made.shelf, shelf)
            if await self._replace(control.revision, made.document, commands, flags):
                if made.shelf is not shelf:
                    self._shelf = made.document.shelf, made.shelf
                return made

    async def create(self) -> Control:
        """Begin the namespace with this server's state, unless it is there by now."""
        initial = self._initial
        document = ControlDocument(
            secrets.token_hex(8), Clock.parse(initial.clock), initial.accounts, shelf=secrets.token_hex(8)
        ).with_plan(initial.faults)
        shelf = Shelf().with_library(initial.library).trimmed(self._bounds.scenarios)
        commands: list[Command] = [("UNLINK", key) for key in KEYS]
        commands += [
            ("HSET", "meta", "format", FORMAT, "epoch", document.epoch, "order", self.seen, "generation", 0),
            ("SET", "initial", MADE.dump_json(made_with(initial), exclude_unset=True)),
            *self._storing(document.shelf, shelf, Shelf()),
            *contents(initial.library.scenarios),
            *begun(initial.library.datasets, document.clock.now()),
        ]
        commands += [_other_attempts()] if self.opened else []
        seen = self.seen
        await self._replace("", document, commands, "")
        assert self.control is not None
        self.seen = max(self.seen, seen)
        return self.control

    async def reset(self, names: list[str], order: int | None = None) -> None:
        """Those parts as they began. With all of them begins a new epoch; after a loss the next arrival has the next `order`."""

        def make(document: ControlDocument, shelf: Shelf) -> ControlChange:
            document = document.with_start_of(names, self._initial)
            commands: list[Command] = [("UNLINK", key) for name in names for key in KEYS_OF[name]]
            if "clock" in names:
                commands.append(("HDEL", "meta", "latest"))
            if "attempts" in names:
                commands.append(("HDEL", "meta", "attempt") if order is None else _other_attempts())
            if "datasets" in names:
                shelf = shelf._replace(added=()) if shelf.added else shelf
                commands += begun(shelf.datasets, document.clock.now())
            if "journal" in names:
                commands.append(("HINCRBY", "meta", "generation", 1))
            if len(names) == len(PARTS):
                document = document._replace(epoch=secrets.token_hex(8))
                commands += [("UNLINK", key) for key in TOKENS]
                commands.append(("HSET", "meta", "epoch", document.epoch, *(() if order is None else ("order", order))))
            return ControlChange(document, shelf, tuple(commands))

        await self.change(make, FREEING)

    async def _replace(self, expected: str, document: ControlDocument, commands: Iterable[Command], flags: str) -> bool:
        """Store a document if the stored one is the expected one; either way that is known then which is stored."""
        revision, packed = secrets.token_hex(8), packed_document(document)
        touched = sorted({command[1] for command in commands if command[0] in {"HSET", "SET"} and command[1] != "meta"})
        expiring = [("EXPIRE", key, self._lifetime + 7200, "NX") for key in touched]
        words = [word for command in (*commands, *expiring) for word in (len(command), *command)]
        status, *rest = await self._operations.run(
            "change", expected, revision, packed, *words, again=True, flags=flags
        )
        if status == b"done" or rest[0].decode() == revision:  # the latter at a second attempt
            self.take(revision.encode(), packed)
            return True
        if rest[0]:
            self.take(*rest)
        return False

    def _storing(self, token: str, shelf: Shelf, before: Shelf) -> list[Command]:
        commands: list[Command] = [
            ("SET", "library", token.encode() + b"\n" + SHELF.dump_json(shelf, exclude_unset=True))
        ]
        return commands + [("HDEL", "scenarios", version) for version in sorted(before.versions - shelf.versions)]


def _other_attempts() -> Command:
    """The command by which attempts are counted from a number at random, so that no id of before the loss of the others comes again."""
    return ("HSET", "meta", "attempt", 1 + secrets.randbits(40))


def contents(scenarios: Iterable[ScenarioSource]) -> list[Command]:
    """Commands that store the contents of scenarios."""
    return [("HSET", "scenarios", one.version, SOURCE.dump_json(one)) for one in scenarios]


def begun(datasets: Iterable[Dataset], now: float) -> list[Command]:
    """Commands by which datasets are at their start at a moment."""
    return [
        command
        for one in datasets
        for command in (forgotten(one.id), ("HSET", "datasets", f"{one.id}:since", repr(now)))
    ]


def forgotten(name: str) -> Command:
    """The command by which a dataset is as if it had never been."""
    return ("HDEL", "datasets", *[f"{name}:{field}" for field in DATASET_FIELDS])
