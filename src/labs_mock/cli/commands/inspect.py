"""`labs-mock inspect`: a saved session in the browser."""

import os
import socket
import sys
import threading
import webbrowser
from functools import partial
from pathlib import Path

import click
import orjson

from labs_mock import __version__
from labs_mock.cli.exits import reader_may_leave, report_stop
from labs_mock.cli.options import counted
from labs_mock.escapes import printable
from labs_mock.http import create_app
from labs_mock.http.page_headers import UI
from labs_mock.http.session.saved_world import SavedWorld
from labs_mock.http.session.session_reading import read_session
from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="print one JSON object instead of lines for people")
@click.option("--open", "browse", is_flag=True, help="open it in the browser")
@click.option(
    "--until-eof", is_flag=True, help="stop when standard input ends, as it does with the process that opened it"
)
def command(file: Path, as_json: bool, browse: bool, until_eof: bool) -> None:
    """Show a saved session, FILE, in the browser.

    It is served on a free port of 127.0.0.1, to look at: nothing in it can be changed. Sessions are what a running server offers at
    /_mock/session.jsonl.gz, and what pytest saves of tests that fail with --labs-mock-save.
    """
    world = read_session(file)
    listener = bind("127.0.0.1", 0)
    server = Server(create_app(world), listener, partial(_announce, world, file, listener, as_json, browse))
    if until_eof:
        server.stop_at_eof(sys.stdin.buffer)
    server.serve_until_stopped()
    report_stop()


def _announce(world: SavedWorld, file: Path, listener: socket.socket, as_json: bool, browse: bool) -> None:
    """Print where it is served, once that responds, and open it there."""
    url = address_of(listener)
    shown = {"url": url, "ui": f"{url}{UI}", "file": str(file), "pid": os.getpid(), "instance": world.instance}
    with reader_may_leave():
        click.echo(orjson.dumps(shown).decode() if as_json else _greeting(world, file, f"{url}{UI}"))
    if browse:  # in a thread, since some browsers keep whoever opens them
        threading.Thread(target=webbrowser.open, args=[f"{url}{UI}"], daemon=True).start()


def _greeting(world: SavedWorld, file: Path, address: str) -> str:
    """What `inspect` prints for people."""
    saved = printable(world.head.version[:40], keep="")
    lines = [
        f"labs-mock {__version__} shows {printable(str(file), keep='')}, saved by labs-mock {saved}. Stop it with Ctrl-C.",
        f"  browse   {address}",
    ]
    if world.left_out:
        lines.append(f"  {counted(world.left_out, 'line')} had no room in the file")
    return "\n".join(lines)
