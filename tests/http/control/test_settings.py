from dataclasses import fields

import orjson

from labs_mock.config.settings import Settings
from tests.support import live, world

SECRET = {"api_key", "control_token", "state_password"}


def test_settings_are_shown_without_secrets() -> None:
    """All of them by name, but for keys, tokens and passwords, which stand nowhere in it."""
    with live(world(seed=7, control_token="a-token", state_password="a-password", api_key="lab_secret")) as server:
        response = server.client.get("/_mock/settings", headers={"authorization": "Bearer a-token"})
    shown = response.json()["settings"]
    assert set(shown) == {field.name for field in fields(Settings)} - SECRET
    assert (shown["seed"], shown["clock"], shown["scenarios"]) == (7, "frozen", None)
    assert not any(secret in orjson.dumps(shown).decode() for secret in ("a-token", "a-password", "lab_secret"))
