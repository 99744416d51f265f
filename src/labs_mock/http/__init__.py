"""HTTP: from a request to the world and back to bytes."""

from labs_mock.http.app import create_app

__all__ = ["create_app"]
