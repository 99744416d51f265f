"""Links of the sources, as they are on the site.

In the sources they are paths within the repository. On the site a page may stand elsewhere, and most files have no page.
"""

import re
from collections.abc import Callable, Mapping
from posixpath import dirname, join, normpath, relpath

FENCED = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])+)\]\((?P<target>[^()\s]+)\)")
_ELSEWHERE = re.compile(r"[a-z]+:|#")
_PICTURE = re.compile(
    r'<picture>\n<source media="\(prefers-color-scheme: dark\)" srcset="(?P<dark>[^"]+)">\n'
    r'<img src="(?P<light>[^"]+)" alt="(?P<alt>[^"]+)">\n</picture>'
)


def with_links(text: str, source: str, pages: Mapping[str, str], repository: str) -> str:
    """A page's text with the links that it has on the site; fenced blocks stay as they are.

    `source` is the path of the page in the repository, and `pages` has the place on the site of each. A file that is no page is
    linked to in the `repository`; while that is empty, the text of the link is left.
    """
    here = pages[source]

    def replaced(link: re.Match[str]) -> str:
        target = link["target"]
        if _ELSEWHERE.match(target):
            return link[0]
        path, hash_sign, anchor = target.partition("#")
        file = normpath(join(dirname(source), path))
        if file in pages:
            return f"[{link['text']}]({relpath(pages[file], dirname(here) or '.')}{hash_sign}{anchor})"
        return f"[{link['text']}]({repository}/blob/HEAD/{file}{hash_sign}{anchor})" if repository else link["text"]

    return outside_fences(text, lambda part: _LINK.sub(replaced, part))


def with_pictures(text: str) -> str:
    """Pictures for two themes, as the site's theme switch knows them."""
    return _PICTURE.sub(r"![\g<alt>](\g<light>#only-light)![\g<alt>](\g<dark>#only-dark)", text)


def outside_fences(text: str, change: Callable[[str], str]) -> str:
    """A text changed, but for its fenced blocks."""
    parts = FENCED.split(text)
    return "".join(part if number % 2 else change(part) for number, part in enumerate(parts))
