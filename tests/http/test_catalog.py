from labs_mock.config.library import load_library, shipped_library
from labs_mock.config.server_file import KeyEntry
from labs_mock.contract.responses import CatalogListed
from labs_mock.state import World
from labs_mock.state.account import Account
from tests.support import KEY, Live, live, world


def test_the_catalog_lists_collections_and_scenarios(server: Live) -> None:
    """Exactly the fields of CAT-2, and none of the scenario's secrets (CAT-1, CAT-2, NEVER-1)."""
    response = server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {KEY}"})
    assert response.json() == {
        "collections": [
            {
                "slug": "case-management",
                "name": "Case-Management",
                "description": "About it.",
                "scenarios": [
                    {
                        "slug": "back-claim",
                        "name": "Back claim",
                        "description": "A worker reports a back injury; decide the claim.",
                        "difficulty": "easy",
                        "shape": "conversation",
                        "max_turns": 12,
                        "tools": ["order_imaging", "claim_status"],
                    }
                ],
            }
        ],
        "request_id": response.headers["x-request-id"],
    }
    assert response.headers["x-ratelimit-remaining"] == "999999"


def test_only_subscribed_collections_are_listed_and_sorted() -> None:
    """A key sees the collections of its subscriptions, sorted by slug (CAT-2, AUTH-2)."""
    keys = [
        KeyEntry(key="lab_all", organisation="a"),
        KeyEntry(key="lab_some", organisation="a", subscriptions=["healthcare", "coaching"]),
    ]
    accounts = {entry.key: Account.from_entry(entry) for entry in keys}
    served = World(world().settings, load_library(shipped_library()), accounts=accounts)
    with live(served) as server:
        listed = {}
        for key in ("lab_all", "lab_some"):
            response = server.client.get("/api/v1/catalog", headers={"authorization": f"Bearer {key}"})
            listed[key] = CatalogListed.model_validate_json(response.content).collections
        refused = server.client.get("/api/v1/catalog")
    assert [one.slug for one in listed["lab_all"]] == ["case-management", "coaching", "finance", "healthcare"]
    assert [one.slug for one in listed["lab_some"]] == ["coaching", "healthcare"]
    assert all([s.slug for s in one.scenarios] == sorted(s.slug for s in one.scenarios) for one in listed["lab_all"])
    assert refused.status_code == 401


def test_a_body_on_a_get_is_ignored(server: Live) -> None:
    """The catalog takes no body, and one that comes is not read as anything."""
    headers = {"authorization": f"Bearer {KEY}"}
    with_body = server.client.request("GET", "/api/v1/catalog", content=b"{", headers=headers)
    plain = server.client.get("/api/v1/catalog", headers=headers)
    assert with_body.json()["collections"] == plain.json()["collections"]
