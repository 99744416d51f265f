"""Verdicts over the control plane: the processes that come to them post them, so that whoever looks at the server sees them."""

from typing import Annotated

from pydantic import StringConstraints
from starlette.requests import Request
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.contract.control import MAX_VERDICT
from labs_mock.contract.parsing import read_model
from labs_mock.http.control.resources import arrived_of, json_of, resource, world_of
from labs_mock.http.exchange import Payload
from labs_mock.redaction import Redact
from labs_mock.scenario.files.fields import FileModel
from labs_mock.state.posted_verdict import PostedVerdict


class NewVerdict(FileModel):
    """A verdict to post: its label, such as `in_place`, and what `str(verdict)` says."""

    label: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    text: Annotated[str, StringConstraints(max_length=MAX_VERDICT)]


def verdict_routes(prefix: str) -> list[BaseRoute]:
    """`GET` and `POST /verdicts`."""

    async def list_verdicts(request: Request) -> Payload:
        world = world_of(request)
        return {"verdicts": [_shown(one, world.redactor) for one in await world.store.verdicts()]}

    async def add_verdict(request: Request) -> Payload:
        world, value = world_of(request), read_model(NewVerdict, await json_of(request))
        verdict = PostedVerdict(arrived_of(request).now, value.label, value.text)
        await world.store.add_verdict(verdict)
        return _shown(verdict, world.redactor)

    return [resource(f"{prefix}/verdicts", GET=list_verdicts, POST=add_verdict)]


def _shown(verdict: PostedVerdict, redact: Redact) -> Payload:
    return {"posted": instant_text(verdict.posted), "label": redact(verdict.label), "text": redact(verdict.text)}
