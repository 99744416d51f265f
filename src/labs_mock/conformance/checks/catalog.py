"""The catalog (CAT-1, CAT-2); the envelope judges its fields."""

from labs_mock.conformance.checks import check
from labs_mock.conformance.judgements import shown
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.strategies import operator, without
from labs_mock.conformance.target import Json
from labs_mock.conformance.violations import Skip


@check("CAT-1", "CAT-2")
def collections_are_sorted_by_slug(lab: Lab) -> None:
    """Each is listed once, with each of its scenarios once."""
    collections = _collections(lab)
    slugs = [one["slug"] for one in collections]
    lab.expect("CAT-2", slugs == sorted({*slugs}), "every collection once, sorted by slug", slugs)
    for one in collections:
        inner = [scenario["slug"] for scenario in one["scenarios"]]
        lab.expect("CAT-1", len({*inner}) == len(inner), f"every scenario of {one['slug']} once", inner)


@check("CAT-1")
def the_catalog_stays_the_same(lab: Lab) -> None:
    """Asked for twice, it lists the same."""
    one, other = (without(lab.wanted("list_catalog")) for _ in range(2))
    lab.expect("CAT-1", one == other, f"the same catalog, {shown(one)}", other)


@check("CAT-1", "CAT-2")
def what_is_listed_can_be_played(lab: Lab) -> None:
    """A listed scenario has episodes, with the tools that the catalog names, and can be evaluated."""
    listed = {(one["slug"], inner["slug"]): inner for one in _collections(lab) for inner in one["scenarios"]}
    for scenario in lab.each(lab.every_scenario):
        entry: Json = listed.get((scenario.collection, scenario.slug), {})
        lab.expect("CAT-1", bool(entry), f"{scenario} in the catalog still", sorted(listed))
        sent = lab.ask("create_episode", scenario.where)
        lab.refused(sent, 200, "CAT-1", why="a scenario of the catalog")
        names = [tool["id"] for tool in sent.json["tools"]]
        lab.expect("CAT-2", entry["tools"] == names, f"the tools of its episodes, {shown(names)}", entry["tools"])
        sent = lab.ask("evaluate", {**scenario.where, "messages": [operator("Hello.")]})
        lab.refused(sent, 200, "CAT-1", why="a scenario of the catalog")


def _collections(lab: Lab) -> list[Json]:
    """The collections that the catalog lists. Raises `Skip` if it lists none."""
    collections: list[Json] = lab.wanted("list_catalog")["collections"]
    if not collections:
        raise Skip("the catalog lists no collection for this key")
    return collections
