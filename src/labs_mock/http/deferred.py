"""Routes that few clients need: what they import is imported with the first request to one of them."""

from collections.abc import Callable, Sequence
from functools import cached_property

from starlette.routing import BaseRoute, Match, Router
from starlette.types import Receive, Scope, Send


class DeferredRoutes(BaseRoute):
    """All routes to certain paths, as one; `make` is called once, by the first request that comes.

    This is done for the start of a server alone, which it makes shorter by a tenth (`benchmarks/startup.py`).
    """

    def __init__(self, covers: Callable[[str], bool], make: Callable[[], Sequence[BaseRoute]]) -> None:
        self._covers = covers
        self._make = make

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is to one of the paths; which of its routes, and whether with a method of that, is decided later."""
        covered = scope["type"] == "http" and self._covers(scope["path"])
        return (Match.FULL if covered else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the routes respond; as a router does, raise 404 and 405."""
        await self._router(scope, receive, send)

    @cached_property
    def _router(self) -> Router:
        return Router(self._make(), redirect_slashes=False)
