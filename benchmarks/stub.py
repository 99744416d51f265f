"""A stub in pytest-httpserver that matches the key and a part of the body.

Its arguments are the folder of installed peers, the file with the answer, and the port.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import orjson

from benchmarks.templates import CLAIM


def main(installed: str, answer: str, port: str) -> None:
    """Serve until the process ends."""
    sys.path.insert(0, str(Path(installed, "python")))
    from pytest_httpserver import HTTPServer  # noqa: PLC0415 - installed by `make bench-peers` alone
    from pytest_httpserver.httpserver import RequestMatcher  # noqa: PLC0415

    class Matcher(RequestMatcher):  # type: ignore[misc]
        """Matches bodies that have the scenario, whatever else they have."""

        def match_json(self, request: Any) -> bool:
            body = orjson.loads(request.data)
            return all(body.get(name) == value for name, value in CLAIM.items())

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = HTTPServer("127.0.0.1", int(port))
    matcher = Matcher("/api/v1/evaluate", method="POST", headers={"Authorization": "Bearer lab_local"})
    server.expect(matcher).respond_with_data(Path(answer).read_bytes(), content_type="application/json")
    server.start()
    server.server_thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
