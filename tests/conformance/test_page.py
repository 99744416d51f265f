"""`docs/conformance.md` says what the suite has and does."""

import re
import shlex
from typing import Any, get_args

import pytest
import yaml

from labs_mock.cli.commands.conformance import command as conformance_command
from labs_mock.conformance.options import OPTIONS, URL, add_to_pytest, name_for_pytest
from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.verdicts import UNSEEN, Outcome
from tests.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "conformance.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_page_names_every_option(option: Any) -> None:
    """Each option of the command stands in the table of options, with its variable if it has one."""
    table = TEXT.partition("\n## Options\n")[2].partition("\n## ")[0]
    assert f"`--{option.name}`" in table
    assert option.variable in table
    assert all(f"`{choice}`" in table for choice in option.choices)


def test_the_page_names_no_other_option() -> None:
    """Every option that the page gives to one of our commands exists."""
    known = {name for param in conformance_command.params for name in param.opts} | {
        name_for_pytest(option) for option in OPTIONS
    }
    known |= {"--labs-mock-conformance-url", "--labs-mock-conformance-", "--data-binary", "--pyargs", "--junitxml"}
    assert {*re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT)} <= known


def test_the_page_names_every_outcome_profile_and_blind_spot() -> None:
    """The tables are those of the suite: outcomes, what a profile does, and what cannot be seen."""
    for outcome in get_args(Outcome):
        assert f"| `{outcome}` |" in TEXT
    for profile in PROFILES.values():
        assert f"| `{profile.name}` | {profile.examples} | {profile.scenarios} |" in TEXT
    unseen = TEXT.partition("<!-- unseen -->\n")[2].partition("<!-- /unseen -->")[0]
    assert unseen.splitlines() == [f"- {clause}: {why}" for clause, why in UNSEEN.items()]


def workflow() -> Block:
    """The example for GitHub Actions."""
    (found,) = (block for block in blocks(PAGE) if block.language == "yaml")
    return found


def test_the_workflow_is_one() -> None:
    """It is YAML with the keys of a workflow, and its commands and their options exist."""
    read = yaml.load(workflow().text, yaml.BaseLoader)  # `on` is a word here
    assert {*read} == {"name", "on", "jobs"}
    (job,) = read["jobs"].values()
    assert {*job} == {"runs-on", "steps"}
    assert all(("run" in step) != ("uses" in step) for step in job["steps"])
    installs, runs = (step for step in job["steps"] if "run" in step)
    assert installs["run"] == "pip install 'labs-mock[conformance]'"
    program, package, name, *arguments = shlex.split(runs["run"])
    assert (program, package, name) == ("pytest", "--pyargs", "labs_mock.conformance")
    assert {option.variable for option in (URL, *OPTIONS)} >= {*runs["env"]}
    parser = pytest.Parser(_ispytest=True)
    add_to_pytest(parser)
    parser.addoption("--junitxml")  # of pytest itself
    options = parser.parse(arguments)
    assert options.junitxml == "conformance.xml"
    assert options.labs_mock_conformance_html == "conformance.html"
