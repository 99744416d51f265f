"""The state of a server that tests start, if it is in Redis: how that is reached, and a namespace that no other server has."""

import os
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from labs_mock.config.settings import PREFIX, from_environment

LIFETIME = 60 * 60
"""Seconds of real time for which an own namespace stays where nobody could drop it, since its process was killed."""
VARIABLES = [f"{PREFIX}STATE_PASSWORD", f"{PREFIX}STATE_CA"]


def with_access(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name with what the environment says of how to reach their store, if they name one.

    Raises `SettingsError` that names the variable.
    """
    if not settings.get("state"):
        return {**settings}
    present = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return {**from_environment(present), **settings}


def own_namespace(settings: Mapping[str, Any], *words: str) -> str:
    """The name of a namespace that no other server has: the one that the settings name, some words, and random digits."""
    return "-".join([settings.get("state_name") or "labs-mock", *words, token_hex(8)])
