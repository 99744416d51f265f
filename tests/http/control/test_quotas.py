from labs_mock.config.server_file import KeyEntry
from tests.support import KEY, live, world


def test_what_is_left_of_quotas_is_listed() -> None:
    """For each key, masked, in their order; to look uses none, and with the next minute all is there again (RL-1)."""
    keys = [
        KeyEntry(key=KEY, organisation="local", requests_per_minute=2),
        KeyEntry(key="lab_other", organisation="acme"),
    ]
    with live(world(keys=keys)) as server:
        for left in (2, 1, 0, 0):
            first, other = server.client.get("/_mock/quotas").json()["quotas"]
            assert first == {
                "key": "lab_*****",
                "key_id": first["key_id"],
                "organisation": "local",
                "limit": 2,
                "remaining": left,
                "reset": "2026-01-01T00:01:00Z",
            }
            assert (other["organisation"], other["remaining"]) == ("acme", other["limit"])
            server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"})
        server.advance(60)
        assert server.client.get("/_mock/quotas").json()["quotas"][0]["remaining"] == 2
