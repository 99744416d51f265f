"""How a command ends: exit codes, signals, and readers that leave early."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

FINDINGS, USAGE, NOT_STARTED = 1, 2, 3
STOPPED = "labs-mock stopped"


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print to a reader that may leave before the end, as `head` does: that is no failure, and ends the block."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())  # what is still in the buffer is written when the process ends
        os.close(devnull)


def report_stop() -> None:
    """Print that the server has stopped, once: a signal may come twice, as from a terminal and from `make`, which hands it on."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    click.echo(STOPPED, err=True)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM is a Ctrl-C within the block: both raise `KeyboardInterrupt`, unless a server handles them itself."""
    if threading.current_thread() is not threading.main_thread():  # where Python allows no such thing
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
