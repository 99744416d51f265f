"""From plain data to HTML: the one Jinja2 environment, with what its templates can do."""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from labs_mock import __version__
from labs_mock.clock import instant_text
from labs_mock.escapes import printable
from labs_mock.http.control.resources import world_of
from labs_mock.http.inspector.charts import bars, histogram, line
from labs_mock.http.page_headers import DOCS, UI

HERE = Path(__file__).parent
STATIC = HERE / "static"
MAX_TEXT = 2_000  # characters of a text that a page shows where nothing else is said


class Destination(NamedTuple):
    """An entry of the navigation; `name` is also that of its page's template."""

    title: str
    name: str
    path: str


NAVIGATION = (Destination("Overview", "overview", UI),)


async def page(request: Request, name: str, status: int = 200, **data: Any) -> HTMLResponse:
    """The page that the template `name`.html makes of plain data; `name` is marked in the navigation, if it is there."""
    world = world_of(request)
    clock = await world.store.clock()
    html = (
        environment()
        .get_template(f"{name}.html")
        .render(name=name, clock={"now": instant_text(clock.now()), "mode": clock.mode}, **data)
    )
    return HTMLResponse(html, status)


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
    made.filters |= {"shown": shown, "pretty": pretty, "in_path": in_path, "query": query, "number": number}
    made.globals |= {
        "ui": UI,
        "docs": DOCS,
        "version": __version__,
        "navigation": NAVIGATION,
        "bars": bars,
        "histogram": histogram,
        "line": line,
    }
    return made


def shown(value: object, limit: int = MAX_TEXT) -> str:
    """A text as text: what is invisible, turns the direction of writing or ends a file is an escape; a long one is cut short."""
    text = str(value)
    cut = f"{text[:limit]}… ({len(text):,} characters)" if len(text) > limit else text
    return printable(cut)


def pretty(value: object, limit: int = 10 * MAX_TEXT) -> str:
    """A JSON value as indented text."""
    return shown(json.dumps(value, indent=2, ensure_ascii=False), limit)


def in_path(value: object) -> str:
    """A text as one step of a path."""
    return quote(str(value), safe="")


def query(values: dict[str, object]) -> str:
    """Parameters as the end of a link, with its `?`; those that are None or empty are left out."""
    given = {name: value for name, value in values.items() if value not in (None, "")}
    return f"?{urlencode(given)}" if given else "?"


def number(value: float) -> str:
    """A number with commas between thousands, and at most four decimals."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")
