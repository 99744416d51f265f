"""Back to the start over the control plane."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.wording import quote
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.state.store import PARTS
from labs_mock.text import did_you_mean


def reset_routes(prefix: str) -> list[BaseRoute]:
    """`POST /reset`, of everything or, with `?only=journal,episodes`, of parts."""

    async def reset(request: Request) -> Payload:
        world = world_of(request)
        for name in request.query_params:
            if name != "only":  # misspelt, it would reset everything
                raise BadRequest(f"{quote(name)}: unknown parameter; did you mean 'only'?")
        parts = [name for value in request.query_params.getlist("only") for name in value.split(",")]
        for name in parts:
            if name not in PARTS:
                raise BadRequest(f"only: unknown part; {did_you_mean(name, PARTS)}")
        return {"reset": await world.reset(*parts)}

    return [resource(f"{prefix}/reset", POST=reset)]
