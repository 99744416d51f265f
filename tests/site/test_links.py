import pytest
from website.links import with_links, with_pictures

PLACES = {
    "docs/a.md": "a.md",
    "docs/deep/b.md": "deep/b.md",
    "docs/pictures/p.png": "pictures/p.png",
    "CHANGELOG.md": "changelog.md",
    "examples/trl/README.md": "examples/trl/index.md",
}
REPOSITORY = "https://code.example/labs-mock"


@pytest.mark.parametrize(
    ("source", "link", "expected"),
    [
        ("docs/a.md", "[b](deep/b.md#part)", "[b](deep/b.md#part)"),
        ("docs/deep/b.md", "[a](../a.md)", "[a](../a.md)"),
        ("docs/a.md", "[changes](../CHANGELOG.md)", "[changes](changelog.md)"),
        ("CHANGELOG.md", "[a](docs/a.md#part)", "[a](a.md#part)"),
        ("docs/a.md", "[the example](../examples/trl/README.md)", "[the example](examples/trl/index.md)"),
        ("examples/trl/README.md", "[a](../../docs/a.md)", "[a](../../a.md)"),
        ("docs/a.md", "[here](#part)", "[here](#part)"),
        ("docs/a.md", "[there](https://example.org/x.md)", "[there](https://example.org/x.md)"),
    ],
)
def test_links_between_pages(source: str, link: str, expected: str) -> None:
    """Links lead to where a page is on the site, whether there is a repository or not."""
    assert with_links(link, source, PLACES, "") == with_links(link, source, PLACES, REPOSITORY) == expected


@pytest.mark.parametrize("text", ["the test", "`tests/test_a.py`", "one [or] two"])
def test_links_to_files_without_a_page(text: str) -> None:
    """They lead to the repository, and are plain text while it has no address."""
    link = f"See [{text}](../tests/test_a.py#L3), please."
    assert with_links(link, "docs/a.md", PLACES, "") == f"See {text}, please."
    assert with_links(link, "docs/a.md", PLACES, REPOSITORY) == (
        f"See [{text}]({REPOSITORY}/blob/HEAD/tests/test_a.py#L3), please."
    )


def test_fenced_blocks_stay_as_they_are() -> None:
    """What looks like a link in code is none."""
    text = "[x](../x.py)\n\n```python\n[x](../x.py)\n```\n\n[x](../x.py)\n"
    assert with_links(text, "docs/a.md", PLACES, "") == "x\n\n```python\n[x](../x.py)\n```\n\nx\n"


def test_pictures_for_two_themes_follow_the_sites_switch() -> None:
    """The two sources of a picture become two pictures, of which the site shows one."""
    picture = (
        '<picture>\n<source media="(prefers-color-scheme: dark)" srcset="pictures/p-dark.png">\n'
        '<img src="pictures/p-light.png" alt="A page">\n</picture>\n'
    )
    assert with_pictures(picture) == (
        "![A page](pictures/p-light.png#only-light)![A page](pictures/p-dark.png#only-dark)\n"
    )
