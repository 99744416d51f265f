"""`labs-mock scenarios`: what a library has, and one of its scenarios as its author sees it."""

from pathlib import Path

import click
import orjson

from labs_mock.cli.completion import scenario_names
from labs_mock.cli.options import ExistingFolder, find_scenario, named_settings, scenario_folder
from labs_mock.cli.scenario_tables import details, details_tables, listing, listing_table
from labs_mock.config.library import load_library


@click.command("scenarios")
@click.argument("scenario", required=False, shell_complete=scenario_names)
@click.option("--scenarios", "folder", type=ExistingFolder, help="folder of scenarios, where SCENARIO is a slug")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables")
def command(scenario: str | None, folder: Path | None, as_json: bool) -> None:
    """List the scenarios of a folder (default: the shipped library), or show all of one.

    SCENARIO is <collection>/<slug> or a YAML file. What is shown is for authors: it has everything that an operator must
    find out.
    """
    place = scenario_folder(named_settings({"scenarios": folder}))
    if scenario is None:
        library = load_library(place)
        text = _json(listing(library)) if as_json else listing_table(library)
    else:
        found, _ = find_scenario(scenario, place)
        text = _json(details(found)) if as_json else details_tables(found)
    click.echo(text)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
