"""The application that a server serves, with a line for each request or without."""

import sys
from contextlib import suppress

from starlette.types import ASGIApp

from labs_mock.http import create_app
from labs_mock.http.request_log import LoggedApp
from labs_mock.state import World


def application(world: World, logged: bool) -> ASGIApp:
    """The application of a world; `logged` has it write a line for each request to standard error."""
    return LoggedApp(lambda _: world, _log) if logged else create_app(world)


def _log(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
