"""The fault plan over the control plane: list it, add to it, remove from it."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.config.fault_entry import FaultEntry, check_fault
from labs_mock.config.fault_warnings import KnownNames, fault_warnings
from labs_mock.errors import NotFound
from labs_mock.http.control.resources import checked, json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.redaction import masked
from labs_mock.state import World
from labs_mock.state.fault_plan import Fault


def fault_routes(prefix: str) -> list[BaseRoute]:
    """`GET`, `POST` and `DELETE /faults`, `DELETE /faults/{id}`."""

    async def list_faults(request: Request) -> Payload:
        world = world_of(request)
        return {"faults": [_shown(world, fault) for fault in world.faults]}

    async def add_fault(request: Request) -> Payload:
        world = world_of(request)
        value = await json_of(request)
        return _shown(world, world.faults.add(checked(FaultEntry, value, check_fault)))

    async def remove_faults(request: Request) -> Payload:
        world = world_of(request)
        name = request.path_params.get("id")
        if not world.faults.remove(name):
            raise NotFound("Fault not found; GET /_mock/faults lists them")
        return await list_faults(request)

    return [
        resource(f"{prefix}/faults", GET=list_faults, POST=add_fault, DELETE=remove_faults),
        resource(f"{prefix}/faults/{{id}}", DELETE=remove_faults),
    ]


def _shown(world: World, fault: Fault) -> Payload:
    """A fault, how many requests it matched and was applied to, and warnings of filters that match nothing."""
    entry = fault.file.model_dump(exclude_unset=True, exclude={"id"})
    if fault.file.key is not None:
        entry["key"] = masked(fault.file.key)
    known = KnownNames(
        scenarios=[(scenario.collection, scenario.slug) for scenario in world.library.scenarios],
        datasets=[held.dataset.id for held in world.datasets],
        organisations=[account.organisation for account in world.accounts],
        keys=[account.key for account in world.accounts],
    )
    warnings = [f"{name}: {reason}" for name, reason in fault_warnings(fault.file.model_dump(), known)]
    return {"id": fault.id, **entry, "matched": fault.fitting, "applied": fault.applied, "warnings": warnings}
