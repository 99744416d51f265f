"""The fault plan over the control plane: list it, add to it, remove from it."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.config.fault_entry import FaultEntry, check_fault
from labs_mock.config.fault_warnings import KnownNames, fault_warnings
from labs_mock.errors import NotFound
from labs_mock.http.control.resources import checked, json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state import World
from labs_mock.state.planned_fault import PlannedFault


def fault_routes(prefix: str) -> list[BaseRoute]:
    """`GET`, `POST` and `DELETE /faults`, `DELETE /faults/{id}`."""

    async def list_faults(request: Request) -> Payload:
        return {"faults": await shown_faults(world_of(request))}

    async def add_fault(request: Request) -> Payload:
        world = world_of(request)
        entry = checked(FaultEntry, await json_of(request), check_fault)
        return _shown(await world.store.add_fault(entry), await _known_names(world))

    async def remove_faults(request: Request) -> Payload:
        if not await world_of(request).store.remove_faults(request.path_params.get("id")):
            raise NotFound("Fault not found; GET /_mock/faults lists them")
        return await list_faults(request)

    return [
        resource(f"{prefix}/faults", GET=list_faults, POST=add_fault, DELETE=remove_faults),
        resource(f"{prefix}/faults/{{id}}", DELETE=remove_faults),
    ]


async def shown_faults(world: World) -> list[Payload]:
    """The plan as JSON, in its order."""
    known = await _known_names(world)
    return [_shown(fault, known) for fault in await world.store.faults()]


async def _known_names(world: World) -> KnownNames:
    """What the filters of faults may name; keys by their digests."""
    library, accounts = await world.library(), await world.store.accounts()
    return KnownNames(
        scenarios=[(scenario.collection, scenario.slug) for scenario in library.scenarios],
        datasets=[state.dataset.id for state in await world.store.datasets()],
        organisations=[account.organisation for account in accounts],
        keys=[account.key_digest.hex() for account in accounts],
    )


def _shown(fault: PlannedFault, known: KnownNames) -> Payload:
    """A fault, how many requests it matched and was applied to, and warnings of filters that match nothing."""
    fields = fault.entry.model_dump(exclude_unset=True, exclude={"id"})
    filters = fault.entry.model_dump()
    if fault.key is not None:
        fields["key"], filters["key"] = fault.key.masked, fault.key.digest.hex()
    warnings = [f"{name}: {reason}" for name, reason in fault_warnings(filters, known)]
    return {"id": fault.id, **fields, "matched": fault.matched, "applied": fault.applied, "warnings": warnings}
