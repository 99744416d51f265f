import socket

import pytest

from labs_mock.http.bearer import bearer_key
from tests.support import KEY, Live

AUTHORIZATION = b"authorization"


@pytest.mark.parametrize("scheme", [b"Bearer", b"bearer", b"BEARER", b"bEaReR"])
def test_the_scheme_is_in_any_case(scheme: bytes) -> None:
    """As HTTP has it (AUTH-1)."""
    assert bearer_key([(b"host", b"x"), (AUTHORIZATION, scheme + b" lab_one")]) == b"lab_one"


@pytest.mark.parametrize(
    "value", [b"", b"Bearer", b"lab_one", b"Basic lab_one", b"Bearerlab_one", b"Bearer\tlab_one", b" Bearer lab_one"]
)
def test_another_scheme_has_no_key(value: bytes) -> None:
    """Missing, without a space or another one: nothing that an account could have (AUTH-1)."""
    assert not bearer_key([(AUTHORIZATION, value)])


def test_a_key_is_read_byte_for_byte() -> None:
    """One space; what else there is of them is part of the key (AUTH-1)."""
    for key in (b" lab_one", b"lab_one ", b"\tlab_one", b"lab_one lab_one", b"\xff"):
        assert bearer_key([(AUTHORIZATION, b"Bearer " + key)]) == key


def test_two_headers_are_none() -> None:
    """Which of two keys counts nobody can say: neither, equal ones too (AUTH-1)."""
    assert bearer_key([]) is None
    assert bearer_key([(AUTHORIZATION, b"Bearer lab_one")] * 2) is None
    assert bearer_key([(AUTHORIZATION, b"Basic x"), (AUTHORIZATION, b"Bearer lab_one")]) is None


HEADERS = {
    f"Authorization: Bearer {KEY}": 200,
    f"authorization: BEARER {KEY}": 200,
    f"Authorization: Bearer  {KEY}": 401,
    f"Authorization: Bearer \t{KEY}": 401,
    f"Authorization: Bearer\t{KEY}": 401,
    f"Authorization: Bearer {KEY}.": 401,
    f"Authorization: Bearer {KEY}\r\nAuthorization: Bearer {KEY}": 401,
    f"Authorization: Bearer {KEY}\r\nauthorization: Bearer lab_other": 401,
    f"Authorization: Bearer lab_other\r\nauthorization: Bearer {KEY}": 401,
}


@pytest.mark.parametrize("lines", HEADERS)
def test_a_key_on_the_wire(server: Live, lines: str) -> None:
    """One header with one space and the key as it is; anything else is a 401 (AUTH-1)."""
    head = f"GET /api/v1/catalog HTTP/1.1\r\nhost: x\r\n{lines}\r\nconnection: close\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(64).split()[1] == b"%d" % HEADERS[lines]
