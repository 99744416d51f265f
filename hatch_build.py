"""What a build adds: Swagger UI, out of the package that keeps it, and the links of the package's page."""

import posixpath
import re
import shutil
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE")

URLS = {"Homepage": "", "Documentation": "docs/index.md", "Changelog": "CHANGELOG.md", "Issues": "/issues"}
"""The project's links: files of the repository, and what follows its address directly."""
PICTURES = (".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")

# Markdown, as far as the README uses it; tests compare the result with a parser's.
CODE = re.compile(r"^(```+|~~~+).*?^\1|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)|<!--.*?-->", re.MULTILINE | re.DOTALL)
LOCAL = r"(?![a-zA-Z][\w+.-]*:|//)"
RELATIVE = LOCAL + r"[^\s<>()\"]+(?:\([^\s()]*\)[^\s<>()\"]*)*"
TITLE = r"(?:\s+\"[^\"]*\")?\s*"
TEXT = r"((?:!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|[^\[\]])*)"
TARGET = re.compile(rf"(\]\(\s*<?|^ {{0,3}}\[[^\]]+\]:\s+<?|\b(?:href|src)=\")({RELATIVE})", re.MULTILINE)
SOURCES = re.compile(r"(?<=\bsrcset=\")[^\"]+")
DEFINITION = re.compile(rf"^ {{0,3}}\[([^\]]+)\]:\s+<?{RELATIVE}>?{TITLE}$\n?", re.MULTILINE)
PICTURE = re.compile(
    rf"<picture>(?:(?!</picture>).)*?(?:src|srcset)=\"{RELATIVE}.*?</picture>"
    rf"|<img\b[^>]*\bsrc=\"{RELATIVE}[^>]*>"
    rf"|!\[[^\]]*\]\(\s*<?{RELATIVE}>?{TITLE}\)",
    re.DOTALL,
)
LINK = re.compile(rf"(?<![\\!])\[{TEXT}\]\(\s*<?{RELATIVE}>?{TITLE}\)")
ANCHOR = re.compile(rf"<a\b[^>]*\bhref=\"{RELATIVE}\"[^>]*>(.*?)</a>", re.DOTALL)


class SwaggerUI(BuildHookInterface[Any]):
    """Copies three files beside the code that serves them; git ignores them there."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Called before a wheel is built, an editable one too."""
        found = find_spec("swagger_ui")
        assert found is not None
        assert found.origin is not None
        target = Path(self.root) / "src" / "labs_mock" / "http" / "swagger_ui"
        target.mkdir(exist_ok=True)
        for name in FILES:
            shutil.copyfile(Path(found.origin).parent / "static" / name, target / name)


class Links(MetadataHookInterface):
    """The page of the package and the project's links, from `[tool.labs-mock] repository`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Called when the metadata is read. Raises `ValueError` for a value that is no address of a repository."""
        project = tomllib.loads((Path(self.root) / "pyproject.toml").read_text(encoding="utf-8"))
        repository = project["tool"]["labs-mock"]["repository"]
        if repository and not re.fullmatch(r"https://[^\s/]+/\S*[^\s/]", repository):
            raise ValueError(
                f"pyproject.toml: [tool.labs-mock] repository is {repository!r}; "
                'write an address without a slash at its end, such as "https://github.com/OWNER/labs-mock", or ""'
            )
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        page = with_links(text, repository, metadata["version"]) if repository else without_links(text)
        metadata["readme"] = {"content-type": "text/markdown", "text": page}
        metadata["urls"] = project_urls(repository, metadata["version"]) if repository else {}


def project_urls(repository: str, version: str) -> dict[str, str]:
    """The project's links by their labels."""
    return {
        label: absolute(path, repository, version) if path.endswith(".md") else repository + path
        for label, path in URLS.items()
    }


def absolute(target: str, repository: str, version: str) -> str:
    """The address of a file of this version, in the form that GitHub has: `blob` is a page that shows it, `raw` the file."""
    path, hash_sign, section = target.partition("#")
    path = posixpath.normpath(path).lstrip("/") if path else "README.md"
    form = "raw" if path.lower().endswith(PICTURES) else "blob"
    return f"{repository}/{form}/v{version}/{path}{hash_sign}{section}"


def with_links(text: str, repository: str, version: str) -> str:
    """A page whose relative links and pictures are absolute."""

    def one(found: re.Match[str]) -> str:
        return found[1] + absolute(found[2], repository, version)

    def several(found: re.Match[str]) -> str:
        return re.sub(rf"(^|,\s*){LOCAL}([^\s,]+)", one, found[0])

    return outside_code(lambda prose: SOURCES.sub(several, TARGET.sub(one, prose)), text)


def without_links(text: str) -> str:
    """A page without its relative links, of which the text stays, and without its relative pictures."""

    def change(prose: str) -> str:
        labels = {" ".join(label.split()).casefold() for label in DEFINITION.findall(prose)}

        def reference(found: re.Match[str]) -> str:
            label = " ".join((found[3] or found[2]).split()).casefold()
            return found[0] if label not in labels else "" if found[1] else found[2]

        prose = PICTURE.sub("", DEFINITION.sub("", prose))
        prose = re.sub(r"(!)\[([^\]]*)\](?:\[([^\]]*)\])?(?!\()", reference, prose)
        prose = ANCHOR.sub(r"\1", LINK.sub(r"\1", prose))
        return re.sub(rf"(?<![\\!])()\[{TEXT}\](?:\[([^\]]*)\])?(?!\()", reference, prose)

    return outside_code(change, text)


def outside_code(change: Any, text: str) -> str:
    """A text changed by a function, but for its code and comments."""
    code: list[str] = []

    def hide(found: re.Match[str]) -> str:
        code.append(found[0])
        return f"\0{len(code) - 1}\0"

    return re.sub(r"\0(\d+)\0", lambda hidden: code[int(hidden[1])], change(CODE.sub(hide, text)))
