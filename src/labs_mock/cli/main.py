"""The command line. What a command needs is imported when it runs: start-up time is a feature.

Exit codes: 0 fine, 1 findings, 2 bad usage or configuration, 3 could not start. Ctrl-C and SIGTERM are how one stops a server,
so that is fine; what they stop before it was done is 1.
"""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labs_mock import __version__
from labs_mock.config.settings import PREFIX, SETTINGS, from_environment, from_options, settings_from
from labs_mock.conformance.options import FILES, OPTIONS, URL, count, missing_extra
from labs_mock.errors import LabsMockError, SettingsError, StartError
from labs_mock.escapes import printable

if TYPE_CHECKING:
    from labs_mock.serving.server import Beside
    from labs_mock.state import World

FINDINGS, USAGE, NOT_STARTED = 1, 2, 3
FILE_KINDS = ("scenario", "collection", "dataset", "server")

STOPPED = "labs-mock stopped"
CONTROL_IS_LOCAL = (
    "labs-mock: /_mock answers only programs on this machine; with --control-token it answers others, too"
)

Folder = click.Path(path_type=Path, file_okay=False)
Existing = click.Path(path_type=Path, file_okay=False, exists=True)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """Print to a reader that may leave before the end, as `head` does: that is no failure, and ends the block."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # what is still in the buffer is written when the process ends
        os.close(nowhere)


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


class Group(click.Group):
    """Turns our own errors, and signals, into a message and an exit code, wherever a command was."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the command line, which prints what `--help` and `--version` ask for."""
        with reader_may_leave():
            return super().make_context(*arguments, **options)
        sys.exit()

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            with terminable(), reader_may_leave():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            served = ctx.invoked_subcommand == "serve"
            click.echo(STOPPED if served else "labs-mock: stopped before it was done", err=True)
            sys.exit(0 if served else FINDINGS)
        except LabsMockError as error:
            click.echo(f"labs-mock: {printable(str(error))}", err=True)
            sys.exit(NOT_STARTED if isinstance(error, StartError) else USAGE)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="labs-mock")
def main() -> None:
    """A local, deterministic mock of the Labs API."""


def setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every row of the settings table."""
    for setting in reversed(SETTINGS):
        if setting.name == "scenarios":
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


@main.command()
@click.argument("scenarios", type=Existing, required=False)
@setting_options
@click.option("--json", "as_json", is_flag=True, help="print one JSON object instead of lines for people")
@click.option("--log", "logged", is_flag=True, help="write a line for each request to standard error")
@click.option("--reload", "watch", is_flag=True, help="load scenarios and datasets again when their files change")
@click.option(
    "--until-eof", is_flag=True, help="stop when standard input ends, as it does with the process that opened it"
)
def serve(as_json: bool, logged: bool, watch: bool, until_eof: bool, **options: Any) -> None:
    """Serve the API from a folder of scenarios, or from the shipped library."""
    gc.disable()  # until the server runs: loading makes many objects and hardly any garbage
    import orjson

    from labs_mock.config.library import load_library
    from labs_mock.http import create_app
    from labs_mock.http.request_log import LoggedApp
    from labs_mock.serving.server import Server
    from labs_mock.serving.sockets import address_of, bind, is_open, outside_address_of
    from labs_mock.state import World

    named = _named(options)
    folder = _folder(named)
    library = load_library(folder)
    settings = settings_from(named, library.server.settings)
    world = World(settings, library)
    listener = bind(settings.host, settings.port)
    url, key = address_of(listener), world.first_key

    def ready() -> None:
        started = {"url": url, "api_key": key, "pid": os.getpid(), "instance": world.instance}
        text = orjson.dumps(started).decode() if as_json else _greeting(world, url, outside_address_of(listener))
        if is_open(listener) and settings.control and not settings.control_token:
            click.echo(CONTROL_IS_LOCAL, err=True)
        with reader_may_leave():
            click.echo(text)

    app = LoggedApp(lambda _: world, _log) if logged else create_app(world)
    server = Server(app, listener, ready, _reload(world, folder) if watch else None)
    if until_eof:
        server.stop_at_eof(sys.stdin.buffer)
    server.serve_until_stopped()
    click.echo(STOPPED, err=True)


def _reload(world: "World", folder: Path) -> "Beside":
    from labs_mock.serving.reload import reload

    return partial(reload, world, folder)


def _log(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        click.echo(line, err=True)


def _greeting(world: "World", url: str, outside: str | None) -> str:
    """What `serve` prints for people: where it is, the key, the page to browse, and one call to try."""
    scenarios = _count(len(world.library.scenarios), "scenario")
    lines = [f"labs-mock {__version__} at {url} with {scenarios}. Stop it with Ctrl-C."]
    lines += [f"  from other machines  {outside}"] if outside else []
    lines += [
        f"  API key  {world.first_key}",
        f"  browse   {url}/docs",
        f'  try      curl "{url}/api/v1/catalog" -H "Authorization: Bearer {world.first_key}"',
    ]
    return "\n".join(lines)


@main.command()
@click.argument("paths", type=click.Path(path_type=Path, exists=True), nargs=-1, metavar="[PATH]...")
@click.option("--json", "form", flag_value="json", help="print one JSON object, as --format json does")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="how problems are printed; github makes annotations of them  [default: text]",
)
def validate(paths: tuple[Path, ...], form: str) -> None:
    """Check folders of scenarios and single files, and report every mistake (exit code 1) and warning (exit code 0).

    Without a PATH the shipped library is checked.
    """
    from labs_mock.cli.validating import FORMATS
    from labs_mock.cli.validating import validate as check
    from labs_mock.config.library import shipped_library

    found = check(paths or (shipped_library(),), full_names=form != "text")
    with reader_may_leave():
        for line in FORMATS[form](found):
            click.echo(line)
    sys.exit(FINDINGS if found.problems.count else 0)


@main.command()
@click.argument("scenario", required=False)
@click.option("--scenarios", "folder", type=Existing, help="folder of scenarios, where SCENARIO is a slug")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables")
def scenarios(scenario: str | None, folder: Path | None, as_json: bool) -> None:
    """List the scenarios of a folder (default: the shipped library), or show all of one.

    SCENARIO is <collection>/<slug> or a YAML file. What is shown is for authors: it has everything that an operator must
    find out.
    """
    from labs_mock.cli.listing import details, details_tables, listing, listing_table
    from labs_mock.cli.scoring import resolve_scenario
    from labs_mock.config.library import load_library

    place = _folder(_named({"scenarios": folder}))
    if scenario is None:
        library = load_library(place)
        text = _json(listing(library)) if as_json else listing_table(library)
    else:
        found, _ = resolve_scenario(scenario, place)
        text = _json(details(found)) if as_json else details_tables(found)
    click.echo(text)


@main.command()
@click.argument("kind", type=click.Choice([*FILE_KINDS, "row", "features", "openapi"]))
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind of file or of an exported row; `features` are a row's for datasets.Features.

    `openapi` is the OpenAPI document of the API.
    """
    from labs_mock.config.printing import schema_text
    from labs_mock.contract.openapi import openapi_text, row_features, row_schema

    others: dict[str, Callable[[], str]] = {
        "row": row_schema,
        "features": row_features,
        "openapi": lambda: openapi_text(__version__),
    }
    click.echo(schema_text(kind) if kind in FILE_KINDS else others[kind](), nl=False)


@main.command()
@click.argument("folder", type=Folder)
def init(folder: Path) -> None:
    """Make a folder with a first scenario, a server.yaml and the schemas for an editor."""
    from labs_mock.config.printing import starter_files

    files = starter_files()
    parents = {parent for name in files for parent in Path(name).parents}
    taken = [folder / name for name in files if (folder / name).exists()]
    taken += [
        folder / parent for parent in sorted(parents) if (folder / parent).exists() and not (folder / parent).is_dir()
    ]
    if taken:
        click.echo(f"labs-mock: {taken[0]} exists; nothing was written. Choose an empty folder.", err=True)
        sys.exit(USAGE)
    try:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        click.echo(f"labs-mock: {error.filename}: {error.strerror}", err=True)
        sys.exit(USAGE)
    click.echo(f"Wrote {len(files)} files. Next: labs-mock validate {folder}, then labs-mock serve {folder}")


@main.command()
@click.argument("scenario")
@click.argument("transcript", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--scenarios", type=Existing, help="folder of scenarios, where SCENARIO is a slug")
@click.option("--explain", is_flag=True, help="a table of every rule and its turns instead of JSON")
def score(scenario: str, transcript: Path, scenarios: Path | None, explain: bool) -> None:
    """Score a transcript as /evaluate does, without a server.

    SCENARIO is <collection>/<slug> or a YAML file; TRANSCRIPT is a JSON file (- for standard input) with a list of
    messages, or with an object that has "messages" and perhaps "reward_config".
    """
    from labs_mock.cli.scoring import explain_table, read_transcript, resolve_scenario, score_transcript

    request = read_transcript(sys.stdin.buffer.read() if str(transcript) == "-" else _read(transcript))
    scored = score_transcript(*resolve_scenario(scenario, _folder(_named({"scenarios": scenarios}))), request)
    click.echo(explain_table(scored) if explain else scored.json())


@main.command()
@click.argument("dataset")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="file to write instead of standard output")
@click.option("--scenarios", type=Existing, help="folder of scenarios, where DATASET is in datasets/")
@click.option("--seed", help="where draws start from  [LABS_MOCK_SEED; default: that of server.yaml, or 0]")
def export(dataset: str, out: Path | None, scenarios: Path | None, seed: str | None) -> None:
    """Write the rows of a training dataset as the server exports them.

    DATASET is its id, or the name of its file without .yaml.
    """
    from labs_mock.cli.exporting import export as write
    from labs_mock.cli.exporting import find_dataset

    named = _named({"scenarios": scenarios, "seed": seed})
    found, library = find_dataset(_folder(named), dataset)
    final = found.stages[-1]
    if final.status != "ready":
        reason = f": {final.error}" if final.error else ""
        click.echo(f"labs-mock: dataset {found.slug} never gets ready; it ends as {final.status}{reason}", err=True)
        sys.exit(FINDINGS)
    below = write(found, library, settings_from(named, library.server.settings).seed, out)
    if below:
        click.echo(f"labs-mock: {below} of {found.row_count} rows did not pass the keep-filter", err=True)


def conformance_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for every row of the suite's own table."""
    for option in reversed(OPTIONS):
        kind = click.IntRange(min=1) if option.kind is count else option.kind
        given: dict[str, Any] = {} if option.default is None else {"default": option.default}
        command = click.option(
            f"--{option.name}",
            option.field,
            type=click.Choice(option.choices) if option.choices else kind,
            is_flag=option.flag,
            multiple=option.several,
            required=option.needed,
            envvar=option.variable or None,
            metavar=option.metavar,
            show_envvar=bool(option.variable),
            show_default=option.default is not None and not option.flag,
            help=option.help,
            **given,
        )(command)
    return command


class WithExtra(click.Command):
    """A command that asks for the extra before anything else, but for help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Raise `LabsMockError` where a library is missing."""
        missing = missing_extra()
        if missing and not {*args} & {*ctx.help_option_names}:
            raise LabsMockError(missing)
        return super().parse_args(ctx, args)


@main.command(cls=WithExtra)
@click.argument("url", envvar=URL.variable)
@conformance_options
def conformance(**options: Any) -> None:
    """Check the server at URL by the contract, clause by clause.

    It needs the extra labs-mock[conformance]. The exit code is 1 if a clause does not hold or the run is incomplete, 2 if the
    key or an option is wrong, 3 if nothing answers.
    """
    from rich.console import Console

    from labs_mock.conformance.reports.terminal import print_report, progress
    from labs_mock.conformance.reports.writing import STDOUT, writable_files, write
    from labs_mock.conformance.runner import run

    files = writable_files({name: options.pop(name) for name in FILES})
    with progress(Console(stderr=True)) as watch:
        report = run(**options, watch=watch)
    aside = STDOUT in files.values()
    console = Console(stderr=aside)
    with console.capture() as printed:
        print_report(report, console)
    with reader_may_leave():
        click.echo(printed.get(), nl=False, err=aside)
    with reader_may_leave():
        write(report, files)
    sys.exit(0 if report.passed else FINDINGS)


def _named(options: dict[str, Any]) -> dict[str, Any]:
    """The settings that options name, and those that the environment names beside them."""
    return {**from_environment(os.environ), **from_options(options)}


def _folder(named: dict[str, Any]) -> Path:
    """The folder of scenarios: the one that is named, or the shipped library."""
    from labs_mock.config.library import shipped_library

    folder = settings_from(named).scenarios
    if folder is not None and not folder.is_dir():  # click has looked at options: this is the variable
        raise SettingsError(f"{PREFIX}SCENARIOS: no such folder: {folder}")
    return folder or shipped_library()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabsMockError(f"{path}: {error.strerror}") from None


def _json(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
