"""What a server offers: its scenarios from the catalog, their tools and openings from episodes, and datasets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What to judge; all that the server offers where nothing is named.

    Scenarios are slugs, or `<collection>/<slug>`. Datasets are ids, which the API cannot list. Talks are what operators say in a
    scenario of a collection, a message a turn, which is known to earn something.
    """

    collections: Sequence[str] = ()
    scenarios: Sequence[str] = ()
    datasets: Sequence[str] = ()
    talks: Mapping[tuple[str, str], Sequence[Sequence[Json]]] = field(default_factory=dict)

    def want(self, collection: str, slug: str) -> bool:
        """Whether a scenario is to be judged."""
        wanted = not self.scenarios or slug in self.scenarios or f"{collection}/{slug}" in self.scenarios
        return wanted and (not self.collections or collection in self.collections)

    def missing(self, offered: "Sequence[TargetScenario]") -> list[str]:
        """What is named and not among the scenarios that a catalog lists."""
        collections = {one.collection for one in offered}
        scenarios = {name for one in offered for name in (one.slug, repr(one))}
        return [one for one in self.collections if one not in collections] + [
            one for one in self.scenarios if one not in scenarios
        ]


class TargetClock(NamedTuple):
    """What a labs-mock server says of its own clock: unix seconds, and `real`, `frozen` or `x<number>`."""

    now: float
    mode: str


@dataclass(frozen=True)
class TargetTool:
    """A tool as an episode lists it: `options` of a decision, or the JSON Schema of an artifact's input (EP-2)."""

    id: str
    type: str
    options: Sequence[str] = ()
    json_schema: Json | None = None
    name: str = ""
    description: str = ""

    @classmethod
    def of(cls, listed: Json) -> "TargetTool":
        """A tool of an answer."""
        texts = [listed.get(name) or "" for name in ("name", "description")]
        return cls(listed["id"], listed["type"], listed.get("options") or (), listed.get("json_schema"), *texts)


@dataclass(frozen=True)
class TargetScenario:
    """A scenario; name, shape and `max_turns` are the catalog's, `opening` and `tools` those of an episode.

    `talk` are the operator's first messages, after which a reward was above 0: none where whatever is said earns something,
    and None where nothing was found that does.
    """

    collection: str
    slug: str
    name: str = ""
    description: str = ""
    shape: str = ""
    max_turns: int | None = None
    opening: str = ""
    tools: Sequence[TargetTool] = field(default=(), hash=False)
    talk: Sequence[Json] | None = field(default=None, hash=False)

    @property
    def where(self) -> Json:
        """The fields that name it in a request."""
        return {"collection_slug": self.collection, "scenario_slug": self.slug}

    def __repr__(self) -> str:
        return f"{self.collection}/{self.slug}"


def listed(catalog: Any, options: Options) -> list[TargetScenario]:
    """The scenarios of a catalog that are to be judged; those that the options name in full if there is no catalog."""
    if isinstance(catalog, dict):
        collections = _objects(catalog.get("collections"))
        every = [(one["slug"], inner) for one in collections for inner in _objects(one.get("scenarios"))]
        return [_scenario(slug, one) for slug, one in every if options.want(slug, one["slug"])]
    named = [name.partition("/") for name in options.scenarios if "/" in name]
    named += [(one, "/", name) for one in options.collections for name in options.scenarios if "/" not in name]
    return [TargetScenario(collection, slug) for collection, _, slug in named]


def chosen(scenarios: Sequence[TargetScenario], most: int) -> list[TargetScenario]:
    """So many of them: the one that ends first, one of every shape, and then as they are listed."""
    by_length = sorted(scenarios, key=lambda one: one.max_turns or 0)
    first: list[TargetScenario] = by_length[:1]
    for one in scenarios:
        if one.shape not in {other.shape for other in first}:
            first.append(one)
    return [*first, *(one for one in scenarios if one not in first)][:most]


def _objects(value: Any) -> list[Json]:
    """What can be used of a list: its objects with a slug. What is wrong with the others was judged before."""
    return [one for one in value if isinstance(one, dict) and "slug" in one] if isinstance(value, list) else []


def _scenario(collection: str, listed: Json) -> TargetScenario:
    known = {name: listed[name] for name in ("name", "description", "shape", "max_turns") if name in listed}
    return TargetScenario(collection, listed["slug"], **known)
