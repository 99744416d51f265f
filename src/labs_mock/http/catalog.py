"""The catalog: what a key may play (section 2)."""

from labs_mock.http.exchange import Exchange, Payload
from labs_mock.scenario.files.loader import Collection


async def list_catalog(exchange: Exchange, _: None) -> Payload:
    """`GET /catalog`: the subscribed collections, sorted by slug, with their scenarios."""
    account = exchange.account
    library = await exchange.world.library(exchange.arrived.revision)
    collections = library.collections.values()
    return {"collections": [_entry(collection) for collection in collections if account.may_use(collection.slug)]}


def _entry(collection: Collection) -> Payload:
    scenarios = [
        {
            "slug": scenario.slug,
            "name": scenario.file.name,
            "description": scenario.file.description,
            "difficulty": scenario.file.difficulty,
            "shape": scenario.file.shape,
            "max_turns": scenario.file.max_turns,
            "tools": list(scenario.tools),
        }
        for scenario in collection.scenarios.values()
    ]
    return {
        "slug": collection.slug,
        "name": collection.name,
        "description": collection.description,
        "scenarios": scenarios,
    }
