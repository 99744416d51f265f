"""`labs-mock schema`: JSON Schemas of files and rows, and the OpenAPI document."""

from collections.abc import Callable

import click

from labs_mock import __version__
from labs_mock.config.printing import schema_text
from labs_mock.contract.openapi import openapi_text, row_features, row_schema

FILE_KINDS = ("scenario", "collection", "dataset", "server")
OTHERS: dict[str, Callable[[], str]] = {
    "row": row_schema,
    "features": row_features,
    "openapi": lambda: openapi_text(__version__),
}


@click.command("schema")
@click.argument("kind", type=click.Choice([*FILE_KINDS, *OTHERS]))
def command(kind: str) -> None:
    """Print the JSON Schema of a kind of file or of an exported row; `features` are a row's for datasets.Features.

    `openapi` is the OpenAPI document of the API.
    """
    click.echo(schema_text(kind) if kind in FILE_KINDS else OTHERS[kind](), nl=False)
