"""The line of somebody's own code that is being run, for messages."""

import os
import sysconfig
from pathlib import Path
from types import FrameType

_OURS = (str(Path(__file__).parents[1]),)
_FOREIGN = (*_OURS, sysconfig.get_path("stdlib"))
_INSTALLED = {"site-packages", "dist-packages"}


def source_line(frame: FrameType) -> str:
    """`file:line in function` of the innermost call around a frame of ours that is neither Python's own code nor an installed
    package's; where there is none, of whatever called us. A file below the working directory is relative to it.
    """
    calls: list[FrameType] = []
    around: FrameType | None = frame
    while around is not None:
        calls.append(around)
        around = around.f_back
    others = [call for call in calls if not _is_below(_OURS, call)]
    found = next((call for call in others if _is_own(call)), others[0])
    path, folder = Path(found.f_code.co_filename), Path.cwd()
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{name}:{found.f_lineno} in {found.f_code.co_name}"


def _is_own(call: FrameType) -> bool:
    """Whether a call is in a file of the tests, or of what they test."""
    file = call.f_code.co_filename
    nowhere = file.startswith("<")  # code without a file
    return not (nowhere or _INSTALLED & set(Path(file).parts) or _is_below(_FOREIGN, call))


def _is_below(folders: tuple[str, ...], call: FrameType) -> bool:
    return call.f_code.co_filename.startswith(tuple(f"{folder}{os.sep}" for folder in folders))
