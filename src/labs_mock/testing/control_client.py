"""Requests to the control plane of a mock server."""

import json
import shutil
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from labs_mock.contract.control import Json
from labs_mock.errors import LabsMockError
from labs_mock.serving.process import DEADLINE


class ControlError(LabsMockError):
    """The control plane refused a request; the message says what to send."""


class NoAnswerError(ControlError):
    """Nothing responds at the address, or nothing that speaks like a control plane."""


def hide_frames(raised: Any) -> bool:
    """Whether pytest leaves the functions of a file out of a traceback: that of a refusal by the control plane."""
    return bool(raised.errisinstance(ControlError))


__tracebackhide__ = hide_frames


class ControlClient:
    """A client of the control plane at a base URL, with a token or, where there is none, a key.

    The key tells a server of many tests which test's world is meant.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._parts = urlsplit(url)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def get(self, path: str, query: Mapping[str, object] = MappingProxyType({})) -> Json:
        """The JSON at a path under `/_mock`; parameters of the query that are None are left out."""
        present = {name: value for name, value in query.items() if value is not None}
        return self.send("GET", f"{path}?{urlencode(present)}" if present else path)

    def download(self, path: str, target: Path) -> None:
        """Write the content of a path under `/_mock` to a file; nothing is left of one that breaks off.

        Raises `ControlError`, also for a status other than 200, and `OSError` where the file cannot be written.
        """
        connection = self._connection()
        try:
            connection.request("GET", f"/_mock{path}", headers=self._headers)
            response = connection.getresponse()
            if response.status != 200:
                raise ControlError(str(json.loads(response.read())["message"]))
            with target.open("wb") as file:
                shutil.copyfileobj(response, file)
        except (ConnectionError, TimeoutError, HTTPException, ValueError) as error:
            target.unlink(missing_ok=True)
            raise NoAnswerError(f"no answer from a mock server at {self.url}: {error}") from None
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(self._parts.hostname or "", self._parts.port, timeout=DEADLINE)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """Send a request, and return the JSON of its response. Raises `ControlError` for a status other than 200."""
        connection = self._connection()
        try:
            text = json.dumps(body) if body is not None else None
            connection.request(method, f"/_mock{path}", text, self._headers)
            response = connection.getresponse()
            value: Json = json.loads(response.read())
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswerError(f"no answer from a mock server at {self.url}: {error}") from None
        finally:
            connection.close()
        if response.status != 200:
            raise ControlError(str(value.get("message", value)))
        return value
