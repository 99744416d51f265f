"""Curl lines: what a report gives to reproduce a failure by hand."""

import os
import shutil
import subprocess
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.server_file import KeyEntry
from labs_mock.conformance.client import WITH_SECOND_KEY, Client
from labs_mock.conformance.http_response import KEY_PLACEHOLDER, SECOND_KEY_PLACEHOLDER, expression
from tests.support import KEY, Live, live, world

LARGE = b'{"a":"' + b"x" * 3_000_000 + b'","b":[' + b'{"c":1},' * 900 + b"0]}"
BODIES = (b"", b'{"a": "it\'s $HOME `x` \\n"}', '{"a": "\N{SNOWMAN} \'"}'.encode(), b'{"a": "\xff"}', LARGE)
needs_shell = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("python3")), reason="no curl or python3")


@needs_shell
@pytest.mark.parametrize("body", BODIES, ids=["empty", "odd", "unicode", "binary", "large"])
def test_a_line_sends_the_same_request(server: Live, body: bytes) -> None:
    """A shell sends the same bytes, with the key from its environment (ERR-2)."""
    with Client(server.url, KEY) as client:
        response = client.send("POST", "/api/v1/evaluate", body, {"content-type": "application/json"})
    line = response.curl()
    assert KEY not in line
    assert len(line) < 1_500
    subprocess.run(["bash", "-c", line], check=True, capture_output=True, env={**os.environ, "LABS_API_KEY": KEY})
    one, other = deque(server.records(), maxlen=2)
    assert (one.method, one.path, one.status) == (other.method, other.path, other.status)
    assert one.request == other.request
    assert one.credentials == other.credentials == (KEY,)


@given(st.text(max_size=200), st.integers(1, 300))
def test_long_bodies_become_short_expressions(text: str, times: int) -> None:
    """The expression that stands for a body is that body, written as a product where it repeats."""
    body = text * times + "end"
    assert eval(expression(body), {}) == body


def test_the_key_is_masked_wherever_it_is(server: Live) -> None:
    """In requests and in responses; on the wire it is the key itself (ERR-2)."""
    with Client(server.url, KEY) as client:
        response = client.send(
            "POST", "/api/v1/evaluate", f'{{"{KEY_PLACEHOLDER}": 1}}'.encode(), {"content-type": "application/json"}
        )
    (record,) = server.records()
    assert record.credentials == (KEY,)
    assert KEY not in repr(response)
    assert KEY_PLACEHOLDER.encode() in (response.request_body or b"")


@needs_shell
def test_a_second_key_is_masked_likewise() -> None:
    """Even where one key begins with the other; the line takes it from a variable of its own (ERR-2)."""
    other = f"{KEY}_other"
    keys = [KeyEntry(key=KEY, organisation="a"), KeyEntry(key=other, organisation="b")]
    with live(world(keys=keys)) as running:
        with Client(running.url, KEY, second_key=other) as client:
            body = f'{{"{KEY_PLACEHOLDER} {SECOND_KEY_PLACEHOLDER}": 1}}'.encode()
            response = client.send(
                "POST", "/api/v1/evaluate", body, {"content-type": "application/json"}, WITH_SECOND_KEY
            )
        line = response.curl()
        assert KEY not in repr(response) + line
        shell = {**os.environ, "LABS_API_KEY": KEY, "LABS_SECOND_API_KEY": other}
        subprocess.run(["bash", "-c", line], check=True, capture_output=True, env=shell)
        one, again = running.records()
    assert (one.organisation, one.credentials) == (again.organisation, again.credentials) == ("b", (other,))
    assert one.request == again.request


def test_keys_in_a_response_are_masked() -> None:
    """Whatever comes back in headers and bodies, placeholders stand for the keys (ERR-2)."""
    other = f"{KEY}_other"
    with Client("http://127.0.0.1:9", KEY, second_key=other) as client:
        masked = client._without_keys(f"{other}, {KEY}".encode())
    assert masked == f"{SECOND_KEY_PLACEHOLDER}, {KEY_PLACEHOLDER}".encode()
