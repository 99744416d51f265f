"""Where the server of a `LabsMock` runs: in a thread, in a process of its own, or started by somebody else."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from labs_mock.serving.thread import ServerThread


class Backend(Protocol):
    """A server that can be started and stopped; to stop it twice does no harm."""

    def start(self) -> tuple[str, str]:
        """Its base URL and its key. Raises `StartError` with what the server reported."""

    def stop(self) -> None:
        """Stop it, if it was started here."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that somebody else has started, and will stop."""

    url: str
    api_key: str

    def start(self) -> tuple[str, str]:
        """Its base URL and its key."""
        return self.url.rstrip("/"), self.api_key

    def stop(self) -> None:
        """Leave it running."""


class ThreadServer:
    """A server in a thread of this process."""

    def __init__(self, folder: str | None, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._server: ServerThread | None = None

    def start(self) -> tuple[str, str]:
        """Load the scenarios, bind a socket, then serve on it."""
        from labs_mock.config.library import load_library, shipped_library
        from labs_mock.serving.own_namespace import own_namespace, with_access
        from labs_mock.serving.thread import ServerThread
        from labs_mock.serving.worlds import world_parts

        library = load_library(Path(self._folder) if self._folder else shipped_library())
        settings = with_access(self._settings)
        namespace = "" if "state_name" in settings else own_namespace(settings)
        self._server = ServerThread(world_parts(library, settings, namespace=namespace))
        self._server.start()
        return self._server.url, self._server.world.first_key

    def stop(self) -> None:
        """Stop it, and wait until it has stopped."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()
