import re
from collections.abc import Iterator

import pytest

from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.responses import KeyDescribed, RateLimit
from labs_mock.ids import ID_PATTERN, key_id
from tests.http.test_envelope import check_envelope
from tests.support import KEY, Live, live, world

LISTED = KeyEntry(
    key="lab_nightly",
    organisation="acme",
    name="nightly tests",
    expires="2026-06-01T12:00:00+02:00",
    requests_per_minute=3,
)


@pytest.fixture
def server() -> Iterator[Live]:
    """A server with a key that has a name and an end, and one that has neither."""
    with live(world(keys=[LISTED, KeyEntry(key=KEY, organisation="acme")])) as running:
        yield running


def described(server: Live, key: str = KEY) -> KeyDescribed:
    """What a key says of itself."""
    response = server.client.get("/api/v1/key", headers={"authorization": f"Bearer {key}"})
    assert response.status_code == 200
    assert set(response.json()) == {"key_id", "name", "expires_at", "rate_limits", "request_id"}
    assert key not in response.text
    return KeyDescribed.model_validate_json(response.content)


def test_a_key_describes_itself(server: Live) -> None:
    """Its id, the name and end of `server.yaml`, and null for what it has not (KEY-1)."""
    nightly, plain = described(server, LISTED.key), described(server)
    assert (nightly.key_id, nightly.name, nightly.expires_at) == (
        key_id("lab_nightly"),
        "nightly tests",
        "2026-06-01T10:00:00Z",
    )
    assert (plain.key_id, plain.name, plain.expires_at) == (key_id(KEY), None, None)


def test_the_call_uses_quota_and_shows_what_is_left_after_it(server: Live) -> None:
    """One limit, as in the headers, in unix seconds; the fourth of three calls is a 429 (KEY-1, RL-1, RL-2)."""
    for left in (2, 1, 0):
        expected = RateLimit(limit=3, remaining=left, reset=1767225660)
        assert described(server, LISTED.key).rate_limits == [expected]
    response = server.client.get("/api/v1/key", headers={"authorization": f"Bearer {LISTED.key}"})
    assert check_envelope(response, 429) == "Rate limit exceeded"


def test_ids_have_nothing_of_the_key() -> None:
    """26 characters of a hash, each key its own, the same on every server (KEY-1, ID-1)."""
    ids = {key_id(f"lab_{number}") for number in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(f"key_{ID_PATTERN}", name) for name in ids)
    assert key_id("lab_1") == "key_2cgn7v7wadd55pzmt4m5n9etkj"


def test_a_name_can_be_given_and_changed(server: Live) -> None:
    """`name` is a term like any other in POST and PATCH /_mock/keys (KEY-1)."""
    made = server.client.post("/_mock/keys", json={"key": "lab_new", "organisation": "b", "name": "A name"})
    assert (made.json()["name"], made.json()["key_id"]) == ("A name", key_id("lab_new"))
    assert described(server, "lab_new").name == "A name"
    server.client.patch("/_mock/keys/lab_new", json={"name": None})
    assert described(server, "lab_new").name is None
    for wrong in ("", 7, "x" * 201):
        assert "name: expected" in check_envelope(server.client.patch("/_mock/keys/lab_new", json={"name": wrong}), 400)
