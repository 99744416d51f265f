"""Heads of requests: what the server that read one has to say of it (GEN-3)."""

from starlette.types import Scope

from labs_mock.contract.wording import HEAD_TOO_LARGE as MESSAGE
from labs_mock.errors import HeadTooLarge

HEAD_TOO_LARGE = "labs_mock.head_too_large"
"""The extension of a scope whose head the server did not read to its end; of its fields nothing is known."""


def check_head(scope: Scope) -> None:
    """Raises `HeadTooLarge` for a head that was too large to be read."""
    if HEAD_TOO_LARGE in scope.get("extensions", ()):
        raise HeadTooLarge(MESSAGE)
