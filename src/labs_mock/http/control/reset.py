"""Back to the start over the control plane."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.contract.parsing import read_model
from labs_mock.contract.wording import quote
from labs_mock.errors import BadRequest
from labs_mock.http.control.resources import json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.scenario.files.fields import FileModel
from labs_mock.state.store import PARTS
from labs_mock.text import did_you_mean


class ResetOfAll(FileModel):
    """Whether other servers that have the same state are meant, too."""

    shared: bool = False


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
        await _check_shared(request)
        return {"reset": await world.reset(*parts)}

    return [resource(f"{prefix}/reset", POST=reset)]


async def _check_shared(request: Request) -> None:
    """Raises `BadRequest` where other servers have the same state, and the request does not say that they are meant, too."""
    others = await world_of(request).store.other_servers()
    if others and not (await request.body() and read_model(ResetOfAll, await json_of(request)).shared):
        raise BadRequest(
            f"shared: {others} other server{'s have' if others > 1 else ' has'} this state, too; "
            'expected {"shared": true} if that is to be reset for all'
        )
