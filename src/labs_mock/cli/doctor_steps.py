"""The calls that `labs-mock doctor` makes, in one table, and what it learns from each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from labs_mock.cli.diagnoses import SCENARIO
from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.contract.operations import BY_NAME
from labs_mock.escapes import printable

OPERATOR = {"role": "assistant", "content": "Hello, please tell me what happened."}
OPENING = 80  # characters of the persona's opening that are shown


@dataclass
class Visit:
    """What is known of the server so far: a scenario that the catalog lists, an episode of it, and how that begins."""

    collection: str = ""
    scenario: str = ""
    episode: str = ""
    opening: str = ""

    @property
    def slugs(self) -> dict[str, str]:
        """The scenario as requests name it."""
        return {"collection_slug": self.collection, "scenario_slug": self.scenario}


class Missing(Exception):
    """A response has not what a client needs."""


class DoctorStep(NamedTuple):
    """A row: the operation, the steps without which it makes no sense, its body, and what its response says.

    `read` raises `Missing` for a response without what a client needs.
    """

    operation: str
    needs: tuple[str, ...]
    body: Callable[[Visit], Mapping[str, Any] | None]
    read: Callable[[Visit, Mapping[str, Any]], str]

    @property
    def method(self) -> str:
        """The method of the call."""
        return BY_NAME[self.operation].method

    @property
    def summary(self) -> str:
        """What the call does."""
        return BY_NAME[self.operation].summary

    def path(self, visit: Visit) -> str:
        """The path of the call; before there is an episode, `{id}` stands for it."""
        path = BY_NAME[self.operation].full_path
        return path.replace("{id}", quote(visit.episode, safe="")) if visit.episode else path


def _read_key(_: Visit, body: Mapping[str, Any]) -> str:
    limits = body.get("rate_limits")
    left = [
        f"{one['remaining']:,} of {one['limit']:,} requests are left in this minute"
        for one in (limits if isinstance(limits, list) else ())
        if isinstance(one, dict) and all(isinstance(one.get(name), int) for name in ("limit", "remaining"))
    ]
    expires = body.get("expires_at")
    return "; ".join([f"Its id is {_text(body, 'key_id')}", *([f"it expires at {expires}"] if expires else []), *left])


def _read_catalog(visit: Visit, body: Mapping[str, Any]) -> str:
    collections = _find(body, list, "collections")
    found = [(_text(one, "slug"), _text(each, "slug")) for one in collections for each in _find(one, list, "scenarios")]
    if not found:
        raise Missing(SCENARIO)
    visit.collection, visit.scenario = found[0]
    return f"Scenarios: {len(found):,}, in {len(collections):,} collections; the first one is {visit.collection}/{visit.scenario}"


def _read_episode(visit: Visit, body: Mapping[str, Any]) -> str:
    visit.episode = _text(body, "episode_id")
    visit.opening = _text(_find(body, dict, "initial_observation"), "content")
    return f"The persona begins: {visit.opening[:OPENING]}{'…' * (len(visit.opening) > OPENING)}"


def _read_turn(_: Visit, body: Mapping[str, Any]) -> str:
    _text(_find(body, dict, "observation"), "content")
    return f"The persona answers, and the reward is {_reward(body)}"


def _read_evaluation(_: Visit, body: Mapping[str, Any]) -> str:
    return f"The reward is {_reward(body)}"


STEPS = {
    "key": DoctorStep("describe_key", (), lambda _: None, _read_key),
    "catalog": DoctorStep("list_catalog", ("key",), lambda _: None, _read_catalog),
    "episode": DoctorStep(
        "create_episode", ("catalog",), lambda visit: {**visit.slugs, "score_turns": True}, _read_episode
    ),
    "turn": DoctorStep(
        "take_turn",
        ("episode",),
        lambda visit: {"id": visit.episode, "messages": [OPERATOR]},
        _read_turn,
    ),
    "evaluation": DoctorStep(
        "evaluate",
        ("catalog",),
        lambda visit: {**visit.slugs, "messages": [{"role": "user", "content": visit.opening or "Hello."}, OPERATOR]},
        _read_evaluation,
    ),
}
STAYS_OPEN = f"The episode stays open for {EPISODE_LIFETIME // 3600} hours: the API has no call that ends one."


def _find(value: Any, kind: type, name: str) -> Any:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise Missing(f"`{name}`")
    return found


def _text(value: Any, name: str) -> str:
    return printable(_find(value, str, name), keep="")


def _reward(body: Mapping[str, Any]) -> float:
    found = body.get("reward")
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        raise Missing("`reward` in [0, 1]")
    return found
