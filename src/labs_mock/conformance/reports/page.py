"""The report of a run as one HTML page that needs no other file."""

import re
from itertools import groupby

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from labs_mock.conformance.http_response import printable
from labs_mock.conformance.report import Report
from labs_mock.conformance.verdicts import DIFFERS
from labs_mock.contract.clauses import BY_NAME

_CODE = re.compile(r"`([^`]+)`")
_CLAUSE = re.compile(r"\b[A-Z]+-\d+\b")


def as_page(report: Report) -> str:
    """The page; whatever comes from a server is text in it and nothing else."""
    environment = Environment(
        loader=PackageLoader("labs_mock.conformance"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"marked": _marked, "sentence": _sentence, "printable": printable}
    sections = [(name, [*found]) for name, found in groupby(report.verdicts, key=lambda verdict: verdict.part.section)]
    return environment.get_template("report.html").render(report=report, sections=sections, differs=DIFFERS)


def _marked(text: str) -> Markup:
    """A text of ours: what stands between backticks as code, and clauses as links to where they stand on the page."""
    coded = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup(_CLAUSE.sub(_linked, coded))  # noqa: S704 - escaped above


def _linked(name: re.Match[str]) -> str:
    return f'<a href="#{name[0]}">{name[0]}</a>' if name[0] in BY_NAME else name[0]


def _sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"
