"""The pictures of the documentation are there, and so are the pages that they show."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import Browser

from tests.http.inspector.browser import Theme
from tests.http.inspector.pictures import FOLDER, MOST_BYTES, PICTURES, Picture, Sample, sample, take_pictures
from tests.pages import PAGES

FILES = {picture.file(theme): picture for picture in PICTURES for theme in get_args(Theme)}
NAMED = re.compile(r'(?:src|srcset)="([\w./-]*pictures/[\w.-]+)"|\]\(([\w./-]*pictures/[\w.-]+)\)')


@pytest.fixture(scope="module")
def served() -> Iterator[Sample]:
    """A server on which what the pictures show has happened."""
    with sample() as made:
        yield made


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of a PNG file, in pixels."""
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_pages_show_the_pictures_that_there_are() -> None:
    """Each that a page names is a file, each file is of the table and named by a page, and each has a text beside it."""
    named = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = [page.parent / (first or second) for first, second in NAMED.findall(text)]
        assert all(file.is_file() for file in found), page
        named |= {file.resolve() for file in found}
        assert all(re.search(r'alt="[^"]{30,}"', image) for image in re.findall("<img[^>]*>", text)), page
    assert named == set(FOLDER.iterdir()) == {FOLDER / name for name in FILES}


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_small(name: str) -> None:
    """It has the size of the table, and takes little room in the repository."""
    assert size_of(FOLDER / name) == (FILES[name].width, FILES[name].height)
    assert (FOLDER / name).stat().st_size <= MOST_BYTES


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_the_page_of_a_picture_opens(served: Sample, picture: Picture) -> None:
    """It is there under the path of the table."""
    response = served.client.get(served.path(picture))
    assert response.status_code == 200
    assert "<h1>" in response.text


@pytest.mark.slow
def test_the_pictures_are_taken(browser: Browser, tmp_path: Path) -> None:
    """All of the table, as large as it says; what they look like depends on the machine's fonts."""
    take_pictures(browser, tmp_path)
    assert {file.name: size_of(file) for file in tmp_path.iterdir()} == {
        name: (picture.width, picture.height) for name, picture in FILES.items()
    }
