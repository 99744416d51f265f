"""The fault plan over the control plane: list it, add to it, remove from it."""

from collections.abc import Iterator

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.operations import OPERATIONS
from labs_mock.errors import NotFound
from labs_mock.http.control.resources import checked, json_of, resource
from labs_mock.http.exchange import Payload
from labs_mock.scenario.fault_file import FaultFile, check_fault
from labs_mock.world import World
from labs_mock.world.faults import Fault


def fault_routes(world: World, prefix: str) -> list[BaseRoute]:
    """`GET`, `POST` and `DELETE /faults`, `DELETE /faults/{id}`."""

    async def list_faults(_: Request) -> Payload:
        return {"faults": [_shown(world, fault) for fault in world.faults]}

    async def add_fault(request: Request) -> Payload:
        value = await json_of(request)
        return _shown(world, world.faults.add(checked(FaultFile, value, check_fault)))

    async def remove_faults(request: Request) -> Payload:
        name = request.path_params.get("id")
        if not world.faults.remove(name):
            raise NotFound("Fault not found; GET /_mock/faults lists them")
        return await list_faults(request)

    return [
        resource(f"{prefix}/faults", GET=list_faults, POST=add_fault, DELETE=remove_faults),
        resource(f"{prefix}/faults/{{id}}", DELETE=remove_faults),
    ]


def _shown(world: World, fault: Fault) -> Payload:
    """A fault, how often it fitted and was applied, and whether it can fit at all."""
    given = fault.file.model_dump(exclude_unset=True, exclude={"id"})
    counts = {"fitting": fault.fitting, "applied": fault.applied}
    return {"id": fault.id, **given, **counts, "findings": list(_findings(world, fault.file))}


def _findings(world: World, file: FaultFile) -> Iterator[str]:
    """What of its filters fits nothing that there is."""
    paths = [operation.full_path for operation in OPERATIONS if file.method in (None, operation.method)]
    if not any(_meet(file.path or "*", path.replace("{id}", "*")) for path in paths):
        yield "path: no operation of the API has a path like this" + (" and this method" if file.method else "")
    if file.dataset is not None and file.dataset.lower() not in {held.dataset.id for held in world.datasets}:
        yield "dataset: no dataset has this id"
    if file.organisation is not None and file.organisation not in {account.organisation for account in world.accounts}:
        yield "organisation: no key belongs to it"
    if not any(
        file.collection_slug in (None, scenario.collection) and file.scenario_slug in (None, scenario.slug)
        for scenario in world.library.scenarios
    ):
        yield f"{'scenario' if file.scenario_slug else 'collection'}_slug: no scenario is called so"


def _meet(one: str, other: str) -> bool:
    """Whether some text is like both patterns, in which * stands for anything."""
    reached, seen = [(one, other)], set()
    while reached:
        left, right = pair = reached.pop()
        if left == right == "":
            return True
        if pair not in seen:
            seen.add(pair)
            reached += [(left[1:], right)] * (left[:1] == "*") + [(left, right[1:])] * (right[:1] == "*")
            if left and right and (left[0] == right[0] or "*" in (left[0], right[0])):
                reached.append((left if left[0] == "*" else left[1:], right if right[0] == "*" else right[1:]))
    return False
