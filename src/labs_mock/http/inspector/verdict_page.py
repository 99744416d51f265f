"""The verdicts that were posted, newest first."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock.clock import instant_text
from labs_mock.http.control.resources import resource, world_of
from labs_mock.http.inspector.conversation import fair_limit, text_size
from labs_mock.http.inspector.rendering import page

TEXTS = 50_000  # bytes that all texts together may take


def verdict_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET /verdicts`."""

    async def list_verdicts(request: Request) -> Response:
        world = world_of(request)
        verdicts = [
            {
                "posted": instant_text(one.posted),
                "label": world.redactor(one.label),
                "text": world.redactor(one.text),
                "good": one.label == "in_place",
            }
            for one in reversed(await world.store.verdicts())
        ]
        limit = fair_limit((text_size(str(one["text"])) for one in verdicts), TEXTS)
        return await page(request, "verdicts", verdicts=verdicts, limit=limit)

    return [resource(f"{prefix}/verdicts", GET=list_verdicts)]
