"""`labs-mock doctor`: does a client with this URL and this key work, and what is wrong if not?"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

import click

from labs_mock.cli.diagnoses import Diagnosis, notes, problem
from labs_mock.cli.doctor_call import DoctorCall, make_call
from labs_mock.cli.doctor_steps import STAYS_OPEN, STEPS, DoctorStep, Missing, Visit
from labs_mock.cli.exits import FINDINGS, NOT_STARTED, USAGE
from labs_mock.errors import SettingsError
from labs_mock.escapes import printable
from labs_mock.redaction import masked

WORKS, NOT_TRIED = "works", "not tried"


def _url(_: click.Context, __: click.Parameter, value: str) -> str:
    """A base URL. Raises `click.BadParameter` for anything else."""
    if not _usable(value):
        shown = "one with a user in it" if "@" in value else repr(value[:80])
        raise click.BadParameter(f"expected an address such as https://labs.example.com, got {shown}")
    return value.rstrip("/")


def _usable(value: str) -> bool:
    """Whether a text is an address and nothing more: no user, no query, nothing that cannot be seen."""
    try:
        parts = urlsplit(value)
        parts.netloc.encode("idna")
        host = parts.hostname and parts.port != 0
    except ValueError:
        return False
    plain = value.isprintable() and not {*" @"} & {*value} and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and bool(host) and plain


@click.command("doctor")
@click.argument("url", envvar="LABS_URL", callback=_url)
@click.option(
    "--api-key",
    envvar="LABS_API_KEY",
    required=True,
    metavar="KEY",
    show_envvar=True,
    help="the key to send requests with",
)
@click.option("--yes", is_flag=True, help="do not ask before requests count against the quota of another machine")
def command(url: str, api_key: str, yes: bool) -> None:
    """Say in plain words whether the key, the catalog, one episode and one evaluation work at URL.

    URL is the service or a labs-mock: what stands before /api/v1. The calls are printed before they are made. The exit code is 1 if
    something does not work, 2 if nothing was called, 3 if no server responds.
    """
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise SettingsError(
            "api-key: there is white space in it, or a character that no key has; a key looks like lab_…"
        )
    click.echo(_plan(url, api_key))
    if not (yes or is_loopback(url)) and not _agreed(url):
        sys.exit(USAGE)
    results = _make_calls(url, api_key)
    failed = [name for name, call in results.items() if call is not None and problem(call)]
    click.echo(_summary(results, failed))
    responded = any(call is not None and call.status for call in results.values())
    sys.exit(0 if not failed else FINDINGS if responded else NOT_STARTED)


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine by its loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plan(url: str, key: str) -> str:
    """Which calls there will be, and what they cost."""
    width = max(len(step.path(Visit())) for step in STEPS.values())
    calls = [f"  {step.method:4} {step.path(Visit()):{width}}  {step.summary}" for step in STEPS.values()]
    lines = [f"Calls to {url} with the key {masked(key)}, at most one of each:", *calls]
    lines.append(f"Each of them counts against the rate limit of the key. {STAYS_OPEN}")
    if url.startswith("http:") and not is_loopback(url):
        lines.append("The URL says http: everybody on the way can read the key.")
    return "\n".join([*lines, ""])


def _agreed(url: str) -> bool:
    """Whether the person at the terminal wants the calls to be made."""
    host = urlsplit(url).hostname
    if not sys.stdin.isatty():
        click.echo(f"labs-mock: {host} is another machine, and nobody is here to ask; --yes makes the calls", err=True)
        return False
    try:
        return click.confirm(f"{host} is another machine. Make these calls?")
    except click.Abort:  # Ctrl-C or Ctrl-D
        click.echo()
        return False


def _make_calls(url: str, key: str) -> dict[str, DoctorCall | None]:
    """Make the calls, and print what came of each; None for one that makes no sense after the others."""
    visit, seen = Visit(), set[str]()
    results: dict[str, DoctorCall | None] = {}
    for name, step in STEPS.items():
        if all(_works(results[needed]) for needed in step.needs):
            call, words = _tried(url, key, step, visit)
            results[name] = call
            text = _report(call, words, seen)
        else:
            results[name], text = None, NOT_TRIED
        click.echo(printable(f"{name}: {text}").replace(key, masked(key)))
    return results


def _works(call: DoctorCall | None) -> bool:
    return call is not None and problem(call) is None


def _tried(url: str, key: str, step: DoctorStep, visit: Visit) -> tuple[DoctorCall, str]:
    """A step's call, and what its response says where it is one."""
    call = make_call(url, step.method, step.path(visit), key, step.body(visit))
    if problem(call) is not None or call.body is None:
        return call, ""
    try:
        return call, step.read(visit, call.body)
    except Missing as missing:
        return replace(call, missing=str(missing)), ""


def _report(call: DoctorCall, words: str, seen: set[str]) -> str:
    """What came of a call, in lines; a note that was `seen` before is left out."""
    wrong = problem(call)
    lines = [f"{WORKS}. {words}"] if wrong is None else _lines("does not work. ", wrong, call)
    for note in notes(call) if wrong is None else ():
        if note.name not in seen:
            lines += _lines("note: ", note, call)
            seen.add(note.name)
    return "\n".join(lines)


def _lines(before: str, row: Diagnosis, call: DoctorCall) -> list[str]:
    words = {name: printable(str(value), keep="") for name, value in call.words.items()}
    return [f"{before}{row.says.format_map(words)}", f"  {row.remedy.format_map(words)}"]


def _summary(results: Mapping[str, DoctorCall | None], failed: list[str]) -> str:
    if not failed:
        return "\nEverything works."
    left = [name for name, call in results.items() if call is None]
    return f"\nDoes not work: {', '.join(failed)}." + (f" Not tried: {', '.join(left)}." if left else "")
