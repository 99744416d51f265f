"""What a server offers to a key: scenarios, as its catalog lists them and its episodes begin, and their tools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """What of an offer is checked; all of it where nothing is named.

    Scenarios are slugs, or `<collection>/<slug>`. Datasets are ids, which the API cannot list. `earning` are conversations
    by collection and scenario that are known to earn something, each as its operator's messages, one a turn.
    """

    collections: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    datasets: Sequence[str] = ()
    earning: Mapping[tuple[str, str], Sequence[Sequence[Json]]] = field(default_factory=dict)

    def includes(self, collection: str, slug: str) -> bool:
        """Whether a scenario is selected."""
        named = not self.scenarios or slug in self.scenarios or f"{collection}/{slug}" in self.scenarios
        return named and (not self.collections or collection in self.collections)

    def not_offered(self, offered: "Sequence[OfferedScenario]") -> list[str]:
        """What is named and not among the scenarios that a catalog lists."""
        collections = {one.collection for one in offered}
        scenarios = {name for one in offered for name in (one.slug, repr(one))}
        return [one for one in self.collections if one not in collections] + [
            one for one in self.scenarios if one not in scenarios
        ]


class ServerClock(NamedTuple):
    """What a labs-mock server reports of its own clock: unix seconds, and `real`, `frozen` or `x<number>`."""

    now: float
    mode: str


@dataclass(frozen=True)
class OfferedTool:
    """A tool as an episode lists it: `options` of a decision, or the JSON Schema of an artifact's input (EP-2)."""

    id: str
    type: str
    options: Sequence[str] = ()
    json_schema: Json | None = None
    name: str = ""
    description: str = ""

    @classmethod
    def from_json(cls, tool: Json) -> "OfferedTool":
        """A tool of a response."""
        texts = [tool.get(name) or "" for name in ("name", "description")]
        return cls(tool["id"], tool["type"], tool.get("options") or (), tool.get("json_schema"), *texts)


@dataclass(frozen=True)
class OfferedScenario:
    """A scenario; name, shape and `max_turns` are the catalog's, `opening` and `tools` those of an episode.

    `earning` are the operator's first messages, after which a reward was above 0: none where every conversation earns
    something, and None where nothing was found that does.
    """

    collection: str
    slug: str
    name: str = ""
    description: str = ""
    shape: str = ""
    max_turns: int | None = None
    opening: str = ""
    tools: Sequence[OfferedTool] = field(default=(), hash=False)
    earning: Sequence[Json] | None = field(default=None, hash=False)

    @property
    def slugs(self) -> Json:
        """The fields that name it in a request."""
        return {"collection_slug": self.collection, "scenario_slug": self.slug}

    def __repr__(self) -> str:
        return f"{self.collection}/{self.slug}"


def listed_scenarios(catalog: Any, selection: Selection) -> list[OfferedScenario]:
    """The selected scenarios of a catalog; those that the selection names in full if there is no catalog."""
    if isinstance(catalog, dict):
        collections = _with_slugs(catalog.get("collections"))
        every = [(one["slug"], inner) for one in collections for inner in _with_slugs(one.get("scenarios"))]
        return [_scenario(slug, one) for slug, one in every if selection.includes(slug, one["slug"])]
    named = [name.partition("/") for name in selection.scenarios if "/" in name]
    named += [(one, "/", name) for one in selection.collections for name in selection.scenarios if "/" not in name]
    return [OfferedScenario(collection, slug) for collection, _, slug in named]


def most_varied(scenarios: Sequence[OfferedScenario], most: int) -> list[OfferedScenario]:
    """At most so many of them: the one that ends first, one of every shape, and then as they are listed."""
    by_length = sorted(scenarios, key=lambda one: one.max_turns or 0)
    first: list[OfferedScenario] = by_length[:1]
    for one in scenarios:
        if one.shape not in {other.shape for other in first}:
            first.append(one)
    return [*first, *(one for one in scenarios if one not in first)][:most]


def _with_slugs(value: Any) -> list[Json]:
    """What can be used of a list: its objects with a slug. What is wrong with the others was reported before."""
    return [one for one in value if isinstance(one, dict) and "slug" in one] if isinstance(value, list) else []


def _scenario(collection: str, listed: Json) -> OfferedScenario:
    known = {name: listed[name] for name in ("name", "description", "shape", "max_turns") if name in listed}
    return OfferedScenario(collection, listed["slug"], **known)
