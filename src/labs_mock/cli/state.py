"""`labs-mock state`: the namespaces in which servers share their state."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from labs_mock.cli.exits import reader_may_leave
from labs_mock.cli.options import named_settings
from labs_mock.config.settings import settings_from
from labs_mock.errors import SettingsError

try:
    from labs_mock.state.redis.namespaces import Namespaces, StoredNamespace
except ImportError:
    raise SettingsError("state: a store in Redis needs the extra redis: pip install 'labs-mock[redis]'") from None

Result = TypeVar("Result")
DAY = 24 * 60 * 60

address = click.option("--state", default=None, metavar="STR", help="address of the Redis  [LABS_MOCK_STATE]")


@click.group("state")
def command() -> None:
    """List the namespaces in which servers share their state, or drop one."""


@command.command("list")
@address
def list_all(state: str | None) -> None:
    """Print the namespaces of a Redis, each with its use."""
    with reader_may_leave():
        for one in _result(state, lambda namespaces: namespaces.all()):
            click.echo(line(one))


@command.command("drop")
@address
@click.argument("name")
def drop(state: str | None, name: str) -> None:
    """Remove a namespace that no server uses, with all of its state."""
    _result(state, lambda namespaces: namespaces.drop(name))
    click.echo(f"dropped {name}")


def line(one: StoredNamespace) -> str:
    """A namespace as a line."""
    return f"{one.name}  {'in use' if one.used else f'not in use; goes in {one.left / DAY:.1f} days'}"


def _result(state: str | None, use: Callable[[Namespaces], Awaitable[Result]]) -> Result:
    settings = settings_from(named_settings({"state": state}))
    if not settings.state:
        raise SettingsError("state: expected the address of a Redis; write --state redis://localhost:6379/0")

    async def used() -> Result:
        namespaces = Namespaces(settings.state, settings.state_password or None, settings.state_ca or None)
        try:
            return await use(namespaces)
        finally:
            await namespaces.close()

    return asyncio.run(used())
