import re
from pathlib import Path

import pytest
from website.build import BuildError, run_zensical
from website.staging import HERE

from tests.site.built_site import BuiltSite

pytestmark = pytest.mark.slow

MARKDOWN = re.compile(r".{,40}(?:\]\(|\*\*|```|\{ #|^\|).{,40}", re.MULTILINE)
ELEMENTS = (
    "a article body button circle code details div em footer form h1 h2 h3 h4 h5 head header hr html img input label li link main meta "
    "nav ol p path pre script span strong summary svg table tbody td th thead title tr ul"
)
MISTAKES = """\
# A page

[a page](missing-page.md), [an anchor](#missing-anchor), [a name][labs_mock.missing_name]
"""


def test_every_link_leads_somewhere(site: BuiltSite) -> None:
    """All pages, pictures, styles and scripts that a page names are there, and so is every anchor; no id stands twice on a page."""
    addresses = [(path, address) for path, page in site.pages.items() for address in page.addresses]
    assert len(addresses) > 2_000
    assert [wrong for path, address in addresses if (wrong := site.missing(path, address))] == []
    assert [path for path, page in site.pages.items() if len(page.ids) != len(set(page.ids))] == []


def test_the_check_of_links_sees_what_is_missing(site: BuiltSite) -> None:
    """A page, a picture and an anchor that are not there, and those that are."""
    for address in ("../nothing/", "../pictures/nothing.png", "#nothing", "../faults/#nothing", "/nothing"):
        assert site.missing("findings/index.html", address).startswith(f"findings/index.html: {address}: no such ")
    for address in (
        "../faults/#status",
        "#unknown_field",
        "..",
        "../pictures/overview-dark.png",
        "https://example.org",
    ):
        assert site.missing("findings/index.html", address) == ""


def test_what_is_written_is_shown(site: BuiltSite) -> None:
    """No page has Markdown that was not read, nor an element that HTML does not have, such as the `<number>` of a sentence."""
    left = {path: MARKDOWN.findall(page.prose) for path, page in site.pages.items()}
    assert {path: found for path, found in left.items() if found} == {}
    unknown = {path: sorted(page.elements.difference(ELEMENTS.split())) for path, page in site.pages.items()}
    assert {path: found for path, found in unknown.items() if found} == {}


def test_mistakes_are_errors(tmp_path: Path) -> None:
    """A link to a page, to an anchor or to a name that does not exist fails the build, and each is reported with its place."""
    head, _, rest = (HERE / "zensical.toml").read_text(encoding="utf-8").partition("nav = [\n")
    configuration = tmp_path / "zensical.toml"
    configuration.write_text(head + rest.partition("\n]\n")[2], encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(MISTAKES, encoding="utf-8")
    with pytest.raises(BuildError) as raised:
        run_zensical(configuration)
    assert "page does not exist" in str(raised.value)
    assert "anchor does not exist" in str(raised.value)
    assert "labs_mock.missing_name" in str(raised.value)
    assert "Traceback" not in str(raised.value)
