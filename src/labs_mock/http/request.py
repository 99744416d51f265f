"""A request whose body has arrived, and what it decides by itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Scope

from labs_mock.contract.findings import Finding
from labs_mock.contract.operations import Operation
from labs_mock.contract.requests import WireModel
from labs_mock.http.bearer import bearer_key
from labs_mock.http.bodies import read_body
from labs_mock.http.sending import CONNECTION
from labs_mock.redaction import credentials
from labs_mock.state import World
from labs_mock.state.account import key_digest
from labs_mock.state.arrival import Arrival

WorldOf = Callable[[bytes | None], World]
"""The world of a request with a bearer key, or without one."""

HEAD_TOO_LARGE = "labs_mock.head_too_large"
"""The extension of a scope whose head the server did not read to its end; of its fields nothing is known."""


@dataclass(slots=True)
class HttpRequest:
    """A request to a world.

    `query` is that of its URL, `key` the bearer key that came with it, valid or not, and `body` what was read of its body:
    if that is `too_large`, only a part of it. The checks of `http.order` that need no state add the `operation` with the
    `parameters` of its path, the `model` of the body and its `findings`, or the `refusal` of a check that it did not pass,
    with the place of that check in the order.
    """

    world: World
    scope: Scope
    method: str
    path: str
    query: str
    headers: Mapping[bytes, bytes]
    key: bytes | None
    body: bytes
    too_large: bool
    operation: Operation | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    model: WireModel | None = None
    findings: list[Finding] = field(default_factory=list)
    refusal: Exception | None = None
    refused_at: int = 0

    def arrival(self, api: bool) -> Arrival:
        """What the store gets of it; `api` says that it is a request of the API, with a head of a legal size."""
        key = None if self.key is None else key_digest(self.key)
        return Arrival(self.method, self.path, self.query, self.body, key, api, api and self.refusal is None)

    @property
    def size(self) -> int:
        """The bytes of its body, as far as they are known: one that is too large is not read."""
        declared = self.headers.get(b"content-length", b"") if self.too_large else b""
        return int(declared[:20]) if declared.isdigit() else len(self.body)

    @property
    def peer(self) -> tuple[str, int] | None:
        """Address and port of its connection; None without one of our own server, since others make them up."""
        peer: tuple[str, int] | None = self.scope["client"] if CONNECTION in self.scope.get("extensions", ()) else None
        return peer

    @property
    def credentials(self) -> tuple[str, ...]:
        """What its `Authorization` headers offer as a proof, be it a key or not; each once."""
        return tuple(dict.fromkeys(credentials(self.scope["headers"])))


async def read_request(world_of: WorldOf, scope: Scope, receive: Receive) -> HttpRequest:
    """A request with its body. Raises `Disconnected` if the client leaves before all of it has come."""
    headers, key = dict(scope["headers"]), bearer_key(scope["headers"])
    world = world_of(key)
    body, too_large = await read_body(receive, headers.get(b"content-length"), world.settings.max_body)
    query = scope["query_string"].decode("latin-1")
    return HttpRequest(world, scope, scope["method"], scope["path"], query, headers, key, body, too_large)
