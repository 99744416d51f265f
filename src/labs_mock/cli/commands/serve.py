"""`labs-mock serve`: the API from a folder of scenarios."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson

from labs_mock import __version__
from labs_mock.cli.collector import no_collector
from labs_mock.cli.exits import reader_may_leave, report_stop
from labs_mock.cli.options import ExistingFolder, counted, named_settings, scenario_folder
from labs_mock.config.library import load_library
from labs_mock.config.settings import SETTINGS, check_workers, settings_from
from labs_mock.serving.application import application
from labs_mock.serving.server import Server
from labs_mock.serving.sockets import address_of, bind, is_open, outside_address_of
from labs_mock.state import World

CONTROL_IS_LOCAL = (
    "labs-mock: /_mock answers only programs on this machine; with --control-token it answers others, too"
)


def setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every row of the settings table."""
    for setting in reversed(SETTINGS):
        if setting.name == "scenarios" or not setting.shown:
            continue
        default = ("off", "on")[int(setting.default)] if setting.kind is bool else setting.default
        command = click.option(
            setting.option,
            setting.name,
            default=None,
            metavar=None if setting.kind is bool else setting.kind.__name__.upper(),
            help=f"{setting.help}  [{setting.variable}; default: {default}]",
        )(command)
    return command


@click.command("serve")
@click.argument("scenarios", type=ExistingFolder, required=False)
@setting_options
@click.option("--json", "as_json", is_flag=True, help="print one JSON object instead of lines for people")
@click.option("--log", "logged", is_flag=True, help="write a line for each request to standard error")
@click.option("--reload", "watch", is_flag=True, help="load scenarios and datasets again when their files change")
@click.option(
    "--until-eof", is_flag=True, help="stop when standard input ends, as it does with the process that opened it"
)
def command(as_json: bool, logged: bool, watch: bool, until_eof: bool, **options: Any) -> None:
    """Serve the API from a folder of scenarios, or from the shipped library."""
    with no_collector():  # until the server runs, which lets the collector begin
        named = named_settings(options)
        folder = scenario_folder(named)
        library = load_library(folder)
        settings = settings_from(named, library.server.settings)
        check_workers(settings)
        listener = bind(settings.host, settings.port)
        announce = partial(_announce, len(library.scenarios), listener, as_json)
        beside = partial(_reload, folder) if watch else None
        eof = sys.stdin.buffer if until_eof else None
        if settings.state:
            from labs_mock.serving.shared_server import SharedServer

            SharedServer(settings, library, listener, logged).run(announce, beside, eof)
        else:
            world = World(settings, library)
            ready = partial(announce, world)
            server = Server(application(world, logged), listener, ready, beside and partial(beside, world))
            if eof is not None:
                server.stop_at_eof(eof)
            server.serve_until_stopped()
    report_stop()


def _announce(scenarios: int, listener: socket.socket, as_json: bool, world: World) -> None:
    """Print where the server listens, once it responds."""
    url, settings = address_of(listener), world.settings
    if is_open(listener) and settings.control and not settings.control_token:
        click.echo(CONTROL_IS_LOCAL, err=True)
    started = {"url": url, "api_key": world.first_key, "pid": os.getpid(), "instance": world.instance}
    with reader_may_leave():
        greeting = _greeting(world, scenarios, url, outside_address_of(listener))
        click.echo(orjson.dumps(started).decode() if as_json else greeting)


def _greeting(world: World, scenarios: int, url: str, outside: str | None) -> str:
    """What `serve` prints for people: where it is, the key, the page to browse, and one call to try."""
    lines = [f"labs-mock {__version__} at {url} with {counted(scenarios, 'scenario')}. Stop it with Ctrl-C."]
    lines += [f"  from other machines  {outside}"] if outside else []
    lines += [
        f"  API key  {world.first_key}",
        f"  browse   {url}/",
        f'  try      curl "{url}/api/v1/catalog" -H "Authorization: Bearer {world.first_key}"',
    ]
    return "\n".join(lines)


async def _reload(folder: Path, world: World, stop: asyncio.Event) -> None:
    from labs_mock.serving.reload import reload

    await reload(world, folder, stop)
