"""The page of all commands with their arguments and options, out of what `--help` prints."""

import inspect
from collections.abc import Iterator

import click

from website.schema_words import cell, code

TITLE = "Commands and options"
_BEFORE = f"""\
# {TITLE}

What `labs-mock COMMAND --help` prints, for all commands. [The command line](command-line.md) says what they are for, with examples; the options of
`serve` that are settings stand in [Settings](settings.md), too.
"""


def command_page(program: click.Group) -> str:
    """The page. A command has its name as an anchor, as `#serve` or `#state-drop`, and an option that beside it, as `#serve--port`."""
    return "\n\n".join([_BEFORE, *(part for name, one in commands(program) for part in _command(name, one))]) + "\n"


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands with their whole names, such as `state drop`, in the order of the help."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{before}{name} ")


def options(command: click.Command) -> list[click.Option]:
    """The options of a command, but for `--help`."""
    return [one for one in command.params if isinstance(one, click.Option)]


def anchor(name: str, option: click.Option | None = None) -> str:
    """The anchor of a command, or of an option of it."""
    return name.replace(" ", "-") + ("" if option is None else option.opts[-1])


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"labs-mock {name}")
    yield f"## `{name}` {{ #{anchor(name)} }}"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield inspect.cleandoc(command.help or "").replace("<", "&lt;")
    rows = [f"| {_spelling(context, one)} {{ #{anchor(name, one)} }} | {_help(one)} |" for one in options(command)]
    yield from ["\n".join(["| option | meaning |", "|---|---|", *rows])] if rows else []


def _spelling(context: click.Context, option: click.Option) -> str:
    """The names of an option, and what stands behind it."""
    names = " / ".join([*option.opts, *option.secondary_opts])
    return code(names if option.is_flag else f"{names} {option.make_metavar(context)}")


def _help(option: click.Option) -> str:
    """What an option does. Brackets, in which the help has defaults and environment variables, are none of a link."""
    return cell((option.help or "").replace("[", "\\["))
