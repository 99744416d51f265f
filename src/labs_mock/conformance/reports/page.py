"""The report of a run as one HTML page that needs no other file."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from labs_mock.conformance.reports.document import DIFFERS, Document


def as_page(told: Document) -> str:
    """The page; whatever a server has said is text in it and nothing else."""
    environment = Environment(
        loader=PackageLoader("labs_mock.conformance"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(told=told, differs=DIFFERS)
