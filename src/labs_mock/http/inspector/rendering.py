"""From plain data to HTML: the one Jinja2 environment, with what its templates can do."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from labs_mock import __version__
from labs_mock.clock import instant_text
from labs_mock.escapes import printable
from labs_mock.http.control.resources import world_of
from labs_mock.http.inspector.charts import bars, histogram, line
from labs_mock.http.page_headers import DOCS, LOGIN, SESSION, UI
from labs_mock.http.session.saved_world import SavedWorld

HERE = Path(__file__).parent
STATIC = HERE / "static"
HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[0-9a-f:]+\](:\d+)?", re.ASCII | re.IGNORECASE)
MAX_TEXT = 2_000  # bytes of HTML that a text makes where nothing else is said
MAX_JSON = 30_000
CODE = re.compile("`([^`]+)`")


class Destination(NamedTuple):
    """An entry of the navigation: a page, and those below its path."""

    title: str
    path: str


NAVIGATION = (
    Destination("Overview", UI),
    Destination("Episodes", f"{UI}/episodes"),
    Destination("Evaluations", f"{UI}/evaluations"),
    Destination("Datasets", f"{UI}/datasets"),
    Destination("Verdicts", f"{UI}/verdicts"),
    Destination("Requests", f"{UI}/requests"),
    Destination("Faults", f"{UI}/faults"),
    Destination("Scenarios", f"{UI}/scenarios"),
)


async def page(request: Request, name: str, status: int = 200, **data: Any) -> HTMLResponse:
    """The page that the template `name`.html makes of plain data."""
    world = world_of(request)
    clock = await world.store.clock()
    html = (
        environment()
        .get_template(f"{name}.html")
        .render(
            here=_section(request.url.path),
            with_token=bool(world.settings.control_token),
            saved=world.head if isinstance(world, SavedWorld) else None,
            clock={"now": instant_text(clock.now()), "mode": clock.mode},
            **data,
        )
    )
    return HTMLResponse(html, status)


def own_url(request: Request) -> str:
    """The server's URL as the browser names it; a name that is none is not put into code."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host if HOST.fullmatch(host) else '127.0.0.1'}"


@cache
def environment() -> Environment:
    """Everything in it is escaped; a name that a page was not given is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "shown": shown,
        "with_code": with_code,
        "pretty": pretty,
        "in_path": in_path,
        "query": query,
        "number": number,
        "moment": moment,
    }
    made.globals |= {
        "ui": UI,
        "docs": DOCS,
        "login": LOGIN,
        "session": SESSION,
        "version": __version__,
        "navigation": NAVIGATION,
        "bars": bars,
        "histogram": histogram,
        "line": line,
    }
    return made


def _section(path: str) -> str:
    """The entry of the navigation to which a page belongs; empty for none."""
    inside = [
        one.path for one in NAVIGATION if path == one.path or (one.path != UI and path.startswith(f"{one.path}/"))
    ]
    return inside[0] if inside else ""


def shown(value: object, limit: int = MAX_TEXT) -> str:
    """A text as text: what is invisible or turns the direction of writing is an escape, and one that would be more bytes of
    HTML than `limit` is cut short.
    """
    text = str(value)
    kept = text[:limit]
    while (size := len(escape(printable(kept)).encode())) > limit:
        kept = kept[: min(len(kept) * limit // size, len(kept) - 1)]
    return printable(kept) if len(kept) == len(text) else f"{printable(kept)}… ({len(text):,} characters)"


def with_code(text: str) -> Markup:
    """A text of our own, in which `names` between backticks are code."""
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it was escaped


def pretty(value: object, limit: int = MAX_JSON) -> str:
    """A JSON value as indented text; a text as it is."""
    return shown(value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False), limit)


def in_path(value: object) -> str:
    """A text as one step of a path."""
    return quote(str(value), safe="")


def query(values: dict[str, object]) -> str:
    """Parameters as the end of a link, with its `?`; those that are None or empty are left out."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else "?"


def moment(instant: str) -> str:
    """An ISO 8601 time for people, to the millisecond."""
    day, _, time = instant.removesuffix("Z").partition("T")
    return f"{day} {time[:12]}"


def number(value: float) -> str:
    """A number with commas between thousands, and at most four decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")
