"""New files in a folder: all of them or none, and never over one that is there."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

SCRIPT = "#!"
EXECUTABLE = 0o111


def in_the_way(folder: Path, names: Iterable[str]) -> list[Path]:
    """What keeps files from being made: those that exist, and what stands where a folder of theirs would be."""
    paths = [folder / name for name in names]
    folders = sorted({parent for path in paths for parent in path.parents})
    found = [path for path in paths if path.exists() or path.is_symlink()]
    return found + [one for one in folders if (one.exists() or one.is_symlink()) and not one.is_dir()]


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Make files, by their names in a folder; one that begins with `#!` is made executable.

    They get their names when all are written, so that a full disk is found before there is one of them. After an error or a
    Ctrl-C everything is as it was. Raises `OSError`.
    """
    made: list[Path] = []
    try:
        drafts = [_draft(folder / name, text, made) for name, text in files.items()]
        for draft, name in zip(drafts, files, strict=True):
            made.append(draft.rename(folder / name))
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _draft(path: Path, text: str, made: list[Path]) -> Path:
    """A file with its text, under another name beside its own. What is made, folders too, is added to `made`."""
    for parent in [parent for parent in reversed(path.parents) if not parent.is_dir()]:
        parent.mkdir()
        made.append(parent)
    draft = path.with_name(f".{path.name}.partial")
    with draft.open("x", encoding="utf-8", newline="\n") as file:
        made.append(draft)
        file.write(text)
    if text.startswith(SCRIPT):
        draft.chmod(draft.stat().st_mode | EXECUTABLE)
    return draft
