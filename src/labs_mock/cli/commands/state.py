"""`labs-mock state`: the namespaces in which servers share their state."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import click

from labs_mock.cli.exits import reader_may_leave
from labs_mock.cli.options import named_settings
from labs_mock.config.settings import SETTINGS, settings_from
from labs_mock.errors import SettingsError
from labs_mock.escapes import printable
from labs_mock.extras import to_install

try:
    from labs_mock.state.redis.namespaces import Namespaces, StoredNamespace
except ImportError:
    raise SettingsError(f"state: a store in Redis needs the extra redis: {to_install('redis')}") from None

Result = TypeVar("Result")
UNITS = ("day", 86_400), ("hour", 3_600), ("minute", 60)


def address(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where the Redis is, as `serve` has them."""
    for setting in [one for one in SETTINGS if one.name in ("state", "state_ca")]:
        command = click.option(
            setting.option, setting.name, default=None, metavar="STR", help=f"{setting.help}  [{setting.variable}]"
        )(command)
    return command


@click.group("state")
def command() -> None:
    """List the namespaces in which servers share their state, or drop one."""


@command.command("list")
@address
def list_all(**options: str | None) -> None:
    """Print the namespaces of a Redis, each with its use."""
    with reader_may_leave():
        for one in _result(options, lambda namespaces: namespaces.all()):
            click.echo(line(one))


@command.command("drop")
@address
@click.argument("name")
def drop(name: str, **options: str | None) -> None:
    """Remove a namespace that no server uses, with all of its state."""
    _result(options, lambda namespaces: namespaces.drop(name))
    click.echo(f"dropped {printable(name, keep='')}")


def line(one: StoredNamespace) -> str:
    """A namespace as a line."""
    unit, seconds = next((row for row in UNITS if one.left >= 2 * row[1]), UNITS[-1])
    return f"{printable(one.name, keep='')}  {'in use' if one.used else f'not in use; goes in {round(one.left / seconds)} {unit}s'}"


def _result(options: Mapping[str, str | None], use: Callable[[Namespaces], Awaitable[Result]]) -> Result:
    settings = settings_from(named_settings(options))
    if not settings.state:
        raise SettingsError("state: expected the address of a Redis; write --state redis://localhost:6379/0")

    async def used() -> Result:
        namespaces = Namespaces(settings.state, settings.state_password or None, settings.state_ca or None)
        try:
            return await use(namespaces)
        finally:
            await namespaces.close()

    return asyncio.run(used())
