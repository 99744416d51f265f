import socket
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from labs_mock.config.server_file import KeyEntry
from labs_mock.http.control import PREFIX, control_routes, operation_routes
from labs_mock.http.control.guard import on_this_machine
from labs_mock.http.control.operations import CONTROL_OPERATIONS
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, result_of, world

CLOCK, HEALTH, READY, RESET = "/_mock/clock", "/_mock/health", "/_mock/ready", "/_mock/reset"
OPERATIONS = [
    (method, route.path.format(id="x", key="x", number="x"))
    for route in (*control_routes(), *operation_routes())
    if isinstance(route, Route)
    for method in sorted(route.methods or ())
]
WRITES = [(method, path) for method, path in OPERATIONS if method not in ("GET", "HEAD")]
"""Every operation of the control plane that is more than a look, whatever will be added."""

TOKEN = "0pen, sésame"
FOREIGN = ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:80", "mylocalhost"]
ODD = ["127.0.0.1@evil.example", "evil.example:127.0.0.1", "127.0.0.1:80:evil.example", "[::2]", "::1", "[::1", ":8765"]
FORMS = [
    {},
    {"content-type": "text/plain"},
    {"content-type": "text/plain; application/json"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "multipart/form-data; boundary=application/json"},
    {"content-type": "text/plain, application/json"},
    {"content-type": "application/jsonp"},
    {"content-type": "*/*"},
    {"content-type": ""},
]
"""No content type, those that a form of another origin can send, and some that look like JSON."""


def state(server: Live) -> list[Any]:
    """Everything that a write might have changed, as a program on this machine sees it."""
    others = {PREFIX + one.path for one in CONTROL_OPERATIONS if one.media != "application/json"} | {HEALTH}
    reads = [path for method, path in OPERATIONS if method == "GET" and path not in others and "/x" not in path]
    assert len(reads) >= 4
    return [{**server.client.get(path).json(), "path": path} for path in reads]


@pytest.fixture(scope="module")
def allowing() -> Iterator[Live]:
    """A server that accepts two more hosts."""
    with live(world(control_hosts="devbox, Mock.Internal,,")) as server:
        yield server


def test_there_are_writes_in_every_group() -> None:
    """What the design lists, so that no test of writes is about nothing."""
    listed = {(method, path.split("/")[2]) for method, path in WRITES}
    assert listed >= {
        ("POST", "reset"), ("PUT", "clock"), ("POST", "clock"), ("DELETE", "requests"), ("POST", "faults"),
        ("DELETE", "faults"), ("POST", "datasets"), ("PATCH", "datasets"), ("POST", "episodes"), ("POST", "explain"),
        ("POST", "keys"), ("PATCH", "keys"), ("POST", "scenarios"),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LocalHost", "LOCALHOST", "[::1]"])
@pytest.mark.parametrize("port", ["", ":8765", ":1", ":65535"])
def test_loopback_names_are_answered(server: Live, name: str, port: str) -> None:
    """With and without a port, in any case, for reads and writes."""
    host = {"host": name + port}
    assert server.client.get(CLOCK, headers=host).status_code == 200
    assert server.client.post(RESET, headers=host, json={}).status_code == 200


@pytest.mark.parametrize("host", [*FOREIGN, *ODD, "devbox", "0.0.0.0", ""])
def test_other_hosts_are_refused(server: Live, host: str) -> None:
    """A page whose name was rebound to this machine still says that name: 403, and which setting allows it (ERR-1)."""
    before = state(server)
    for response in (
        server.client.get(CLOCK, headers={"host": host}),
        server.client.post(f"{CLOCK}/advance", headers={"host": host}, json={"seconds": 5}),
        server.client.get("/_mock/nothing", headers={"host": host}),
    ):
        assert "control_hosts" in check_envelope(response, 403)
    assert state(server) == before


def test_a_request_without_a_host_is_refused(server: Live) -> None:
    """HTTP/1.0 knows no `Host`."""
    name, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((name, int(port)), timeout=5) as connection:
        connection.sendall(b"GET /_mock/clock HTTP/1.0\r\n\r\n")
        assert b" 403 " in connection.recv(65_536).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("devbox", 200), ("devbox:8765", 200), ("DEVBOX:80", 200), ("mock.internal", 200), ("MOCK.internal:1", 200),
        ("127.0.0.1", 200), ("localhost:8765", 200), ("internal", 403), ("x.devbox", 403), ("devbox.example", 403),
        ("", 403), ("devbox, Mock.Internal", 403), (",", 403),
    ],
)  # fmt: skip
def test_a_setting_allows_other_hosts(allowing: Live, host: str, status: int) -> None:
    """Names in `control_hosts` are allowed beside loopback, whole, in any case and with any port; empty ones never."""
    assert allowing.client.get(CLOCK, headers={"host": host}).status_code == status


@pytest.mark.parametrize(("method", "path"), WRITES, ids=lambda value: str(value).removeprefix("/_mock/"))
def test_every_write_wants_json(server: Live, method: str, path: str) -> None:
    """Without `application/json` each is a 400 that says so and changes nothing, whatever its body is (ERR-1)."""
    server.client.put(CLOCK, json={"now": "2026-02-01T00:00:00Z"})
    server.episode()
    before = state(server)
    for headers in FORMS:
        response = server.client.request(method, path, headers=headers, content=b'{"seconds": 90}')
        assert check_envelope(response, 400).startswith("Content-Type: expected application/json")
    assert state(server) == before
    for kind in ("application/json", "Application/JSON", "application/json; charset=utf-8"):
        responses = server.client.request(method, path, headers={"content-type": kind}, content=b"{}")
        assert "Content-Type" not in responses.text


def test_a_form_of_another_origin_cannot_drive_the_clock(server: Live) -> None:
    """A page can send JSON as the text of a form, and request permission to send it as JSON; neither helps."""
    origin = {"origin": "https://evil.example"}
    form = b'{"seconds": 86400, "x": "=\r\n"}'
    posted = server.client.post(f"{CLOCK}/advance", headers={**origin, "content-type": "text/plain"}, content=form)
    check_envelope(posted, 400)
    asking = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    for path in (f"{CLOCK}/advance", RESET, "/_mock/requests"):
        preflight = server.client.options(path, headers={**origin, **asking})
        assert not preflight.is_success
        assert not [name for name in (*posted.headers, *preflight.headers) if name.startswith("access-control")]
    assert server.client.get(CLOCK, headers=origin).json()["now"] == "2026-01-01T00:00:00Z"
    assert "access-control-allow-origin" not in server.client.get(CLOCK, headers=origin).headers


def test_a_token_is_wanted_where_one_is_set() -> None:
    """Reads and writes are 401 without it, and none of the API's keys stands for it; the API does not want it.

    With it the control plane responses by any name, and through a proxy.
    """
    header = b"Bearer " + TOKEN.encode()
    wrong = [
        KEY.encode(),
        b"Bearer",
        b"Bearer " + KEY.encode(),
        header[7:],
        header + b"x",
        header[:-1],
        b"Basic" + header[6:],
    ]
    with live(world(control_token=TOKEN)) as server:
        for headers in ({}, *({b"authorization": value} for value in wrong)):
            message = check_envelope(server.client.get(CLOCK, headers=headers), 401)
            assert "control_token" in message
            assert TOKEN not in message
            check_envelope(server.client.post(RESET, headers=headers, json={}), 401)
        right = {b"authorization": header}
        assert server.client.get(CLOCK, headers=right).json()["mode"] == "frozen"
        assert server.client.post(RESET, headers=right, json={}).status_code == 200
        elsewhere = {b"host": b"evil.example", b"x-forwarded-for": b"203.0.113.7"}
        assert server.client.get(CLOCK, headers={**right, **elsewhere}).status_code == 200
        check_envelope(server.client.post(RESET, headers=right, content=b"{}"), 400)
        assert server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize(
    ("peer", "own", "local"),
    [
        ("127.0.0.1", "127.0.0.1", True), ("127.8.9.10", "127.0.0.1", True), ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True), ("::ffff:127.0.0.1", "127.0.0.1", True),
        ("192.0.2.2", "192.0.2.2", True), ("::ffff:192.0.2.2", "192.0.2.2", True), ("fd00::2", "fd00::2", True),
        ("fe80::1%eth0", "fe80::1%eth0", True), ("127.0.0.1", "192.0.2.2", True),
        ("192.0.2.3", "192.0.2.2", False), ("::ffff:192.0.2.3", "::ffff:192.0.2.2", False), ("fd00::3", "fd00::2", False),
        ("192.0.2.3", "127.0.0.1", False), ("192.0.2.3", "0.0.0.0", False), ("172.17.0.1", "172.17.0.2", False),
        ("0.0.0.0", "127.0.0.1", False), ("128.0.0.1", "127.0.0.1", False), ("localhost", "localhost", False), ("", "", False),
        (None, "127.0.0.1", False), (None, None, False), ("192.0.2.3", None, False),
    ],
)  # fmt: skip
def test_who_is_on_this_machine(peer: str | None, own: str | None, local: bool) -> None:
    """Loopback addresses of either kind, and a peer whose address is the one at which it reaches the server; nobody else."""
    places = {"client": peer, "server": own}
    assert on_this_machine({name: host if host is None else (host, 80) for name, host in places.items()}) == local


def own_address() -> str | None:
    """An address of this machine beside loopback, by which it would reach others; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def from_address(
    source: str, target: tuple[str, int], *fields: str, path: str = CLOCK, host: str = "127.0.0.1"
) -> bytes:
    """What the control plane responds to a connection from an address of this machine."""
    with socket.create_connection(target, timeout=30, source_address=(source, 0)) as connection:
        lines = (f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *fields, "", "")
        connection.sendall("\r\n".join(lines).encode())
        with connection.makefile("rb") as stream:
            return stream.read()


@pytest.mark.skipif(own_address() is None, reason="this machine has no address beside loopback")
@pytest.mark.parametrize("token", ["", TOKEN])
def test_a_peer_elsewhere_needs_the_token(token: str) -> None:
    """Who comes from another address than it goes to is not known to be here, whatever its `Host` says: 403."""
    source = own_address()
    assert source is not None
    with live(world(control_token=token)) as server:
        target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        expected = (b" 401 ", b" 401 ") if token else (b" 403 ", b" 200 ")
        responses = [from_address(address, target) for address in (source, "127.0.0.1")]
        assert all(want in response.partition(b"\r\n")[0] for want, response in zip(expected, responses, strict=True))
        assert b"control_token" in responses[0]
        right = from_address(source, target, f"Authorization: Bearer {token}")
        assert right.startswith(b"HTTP/1.1 200 " if token else b"HTTP/1.1 403 ")


@pytest.mark.skipif(own_address() is None, reason="this machine has no address beside loopback")
def test_programs_here_may_use_any_address_of_this_machine() -> None:
    """A server that listens everywhere responds to them at each of its addresses."""
    address = own_address()
    assert address is not None
    with live(world(), host="0.0.0.0") as server:
        port = int(server.url.rpartition(":")[2])
        for source, target in ((address, address), ("127.0.0.1", "127.0.0.1")):
            assert from_address(source, (target, port)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Proto", "X-FORWARDED-X"]
)
def test_nobody_comes_through_a_proxy(server: Live, header: str) -> None:
    """A proxy on this machine brings others, and says so: 403, even for an empty header, and which setting allows it."""
    for value in ("for=127.0.0.1", ""):
        for path in (CLOCK, "/_mock/requests", "/_mock/nothing"):
            assert "control_token" in check_envelope(server.client.get(path, headers={header: value}), 403)
    assert server.client.get(HEALTH, headers={header: "x"}).status_code == 200


@pytest.mark.parametrize("settings", [{}, {"control": False}, {"control_token": "x"}, {"control_hosts": "devbox"}])
def test_health_always_answers(settings: dict[str, Any]) -> None:
    """Whatever host, token and settings: it identifies a server and no more; it is for reading only."""
    with live(world(keys=[KeyEntry(key=KEY, organisation="a")], **settings)) as server:
        for headers in (
            {},
            {"host": "evil.example"},
            {"authorization": "Bearer wrong"},
            {"content-type": "text/plain"},
        ):
            health = server.client.get(HEALTH, headers=headers).json()
            assert health["instance"] == server.world.instance
            assert set(health) == {"status", "instance", "version", "scenarios", "seed", "clock"}
            assert server.client.get(READY, headers=headers).json() == {"status": "ready"}
        assert server.client.head(HEALTH).status_code == 200
        assert check_envelope(server.client.post(HEALTH, content=b""), 405) == "Method not allowed; use GET, HEAD"


@pytest.mark.skipif(own_address() is None, reason="this machine has no address beside loopback")
@pytest.mark.parametrize("settings", [{}, {"control": False}, {"control_token": "x"}])
def test_probes_of_a_cluster_are_answered(settings: dict[str, Any]) -> None:
    """A kubelet comes from the node's address and names the pod's, without a token: 200 for health and readiness, and no more."""
    source = own_address()
    assert source is not None
    with live(world(keys=[KeyEntry(key=KEY, organisation="a")], **settings), host="0.0.0.0") as server:
        target = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        statuses = [
            from_address(source, target, "User-Agent: kube-probe/1.31", path=path, host="10.244.1.7:8765").split()[1]
            for path in (HEALTH, READY, CLOCK)
        ]
        assert statuses[:2] == [b"200", b"200"]
        assert statuses[2] in {b"401", b"403", b"404"}


@pytest.mark.parametrize("headers", [{}, {"host": "evil.example"}, {"content-type": "application/json"}])
def test_without_the_control_plane_there_is_nothing_to_refuse(headers: dict[str, str]) -> None:
    """Every operation but health and readiness is a 404, as an unknown path is, whatever the request has (GEN-3)."""
    with live(world(control=False, control_token="x")) as server:
        responses = {}
        for method, path in OPERATIONS:
            if path not in (HEALTH, READY) and method != "HEAD":
                responses[method, path] = server.client.request(method, path, headers=headers)
        assert {check_envelope(response, 404) for response in responses.values()} == {"Not found: no such path"}
        assert len(responses) > len(WRITES)
        assert server.now() == result_of(world().store.clock()).now()


def test_refusals_stand_in_no_journal(server: Live) -> None:
    """They are the control plane's, so nothing of them is kept."""
    refused = [server.client.get(CLOCK, headers={"host": host}) for host in FOREIGN]
    refused += [server.client.post(RESET, content=b"{}"), server.client.get("/_mock/nothing")]
    assert {response.status_code for response in refused} == {400, 403, 404}
    assert server.client.get("/_mock/requests").json()["count"] == 0


def test_only_its_own_paths_are_guarded() -> None:
    """A path that merely begins alike is an unknown one, as for anybody, and stands in the journal (GEN-3)."""
    with live(world()) as server:
        response = server.client.post("/_mockery", headers={"host": "example.com"}, content=b"x")
        assert (response.status_code, response.json()["message"]) == (404, "Not found: no such path")
        assert [record.path for record in server.records()] == ["/_mockery"]
