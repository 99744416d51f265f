"""The catalog (CAT-1, CAT-2); the `every_response` checks its fields."""

from labs_mock.conformance.checks import check
from labs_mock.conformance.offered import Json
from labs_mock.conformance.strategies import comparable, operator
from labs_mock.conformance.target import Target
from labs_mock.conformance.verdicts import shown
from labs_mock.conformance.violations import Skip


@check("CAT-1", "CAT-2")
def collections_are_sorted_by_slug(target: Target) -> None:
    """Each is listed once, with each of its scenarios once."""
    collections = _collections(target)
    slugs = [one["slug"] for one in collections]
    target.expect("CAT-2", slugs == sorted({*slugs}), "every collection once, sorted by slug", slugs)
    for one in collections:
        inner = [scenario["slug"] for scenario in one["scenarios"]]
        target.expect("CAT-1", len({*inner}) == len(inner), f"every scenario of {one['slug']} once", inner)


@check("CAT-1")
def the_catalog_stays_the_same(target: Target) -> None:
    """Asked for twice, it lists the same."""
    one, other = (comparable(target.require("list_catalog")) for _ in range(2))
    target.expect("CAT-1", one == other, f"the same catalog, {shown(one)}", other)


@check("CAT-1", "CAT-2")
def what_is_listed_can_be_played(target: Target) -> None:
    """A listed scenario has episodes, with the tools that the catalog names, and can be evaluated."""
    listed = {(one["slug"], inner["slug"]): inner for one in _collections(target) for inner in one["scenarios"]}
    for scenario in target.each(target.every_scenario):
        entry: Json = listed.get((scenario.collection, scenario.slug), {})
        target.expect("CAT-1", bool(entry), f"{scenario} in the catalog still", sorted(listed))
        response = target.request("create_episode", scenario.slugs)
        target.expect_status(response, 200, "CAT-1", why="a scenario of the catalog")
        names = [tool["id"] for tool in response.json["tools"]]
        target.expect("CAT-2", entry["tools"] == names, f"the tools of its episodes, {shown(names)}", entry["tools"])
        response = target.request("evaluate", {**scenario.slugs, "messages": [operator("Hello.")]})
        target.expect_status(response, 200, "CAT-1", why="a scenario of the catalog")


def _collections(target: Target) -> list[Json]:
    """The collections that the catalog lists. Raises `Skip` if it lists none."""
    collections: list[Json] = target.require("list_catalog")["collections"]
    if not collections:
        raise Skip("the catalog lists no collection for this key")
    return collections
