"""The session of a test, as a file that is named after it."""

import re
import shlex
from hashlib import sha256
from pathlib import Path

from labs_mock.errors import LabsMockError
from labs_mock.escapes import printable
from labs_mock.http.session.session_saving import save_session
from labs_mock.serving.thread import ServerThread
from labs_mock.state import World

MAX_NAME = 120  # characters of a node id in the name of a file; file systems allow 255 bytes
DEADLINE = 120.0  # seconds


def session_name(node_id: str) -> str:
    """A file name for a test, another one for each node id, also where names differ only in case or in what no file name has."""
    safe = re.sub(r"[^A-Za-z0-9_.]+", "-", node_id).strip("-.")
    digest = sha256(node_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{safe[-MAX_NAME:].lstrip('-.')}-{digest}.jsonl.gz"


def save_test(server: ServerThread, world: World, folder: Path, node_id: str) -> str:
    """Save the session of a test; where it is and how it is opened, or why it could not be saved, as lines of its report."""
    path = folder / session_name(node_id)
    try:
        server.result_of(save_session(world, path), DEADLINE)
    except LabsMockError as error:
        return printable(f"session not saved: {error}")
    except TimeoutError:
        return f"session not saved: it took more than {DEADLINE:g} s"
    return printable(f"session saved: {path}\nto look at it: labs-mock inspect {shlex.quote(str(path))}")
