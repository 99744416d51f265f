"""The fault plan: what each fault does, how often it was triggered, a form for another one."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from labs_mock.config.fault_entry import BESIDE, KINDS, WHEN
from labs_mock.http.control.faults import shown_faults
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.inspector.fault_form import fault_of, form_groups
from labs_mock.http.inspector.rendering import page

ROWS = 200
COUNTED = ("id", "matched", "applied", "warnings")


def fault_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /faults`."""

    async def list_faults(request: Request) -> Response:
        faults = await shown_faults(world_of(request))
        rows = [_row(fault) for fault in faults[:ROWS]]
        return await page(request, "faults", rows=rows, more=len(faults) - len(rows), form=form_groups())

    async def add_fault(request: Request) -> Response:
        entry, mistakes = fault_of(await json_of(request))
        if entry is None:
            return JSONResponse({"mistakes": mistakes}, 400)
        return JSONResponse({"id": (await world_of(request).store.add_fault(entry)).id})

    return [resource(f"{prefix}/faults", GET=list_faults, POST=add_fault)]


def _row(fault: dict[str, Any]) -> dict[str, Any]:
    """A fault in parts: which requests it matches, when it is triggered, what happens then."""
    parts = {"rules": WHEN, "happens": (*KINDS, *BESIDE)}
    chosen = {part: {name: fault[name] for name in names if name in fault} for part, names in parts.items()}
    known = (*COUNTED, *WHEN, *KINDS, *BESIDE)
    return {**fault, **chosen, "filters": {name: value for name, value in fault.items() if name not in known}}
