"""Conversations that were given whole: a table of the requests, and each with its conversations as they were scored."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from labs_mock.contract.limits import BASE_PATH
from labs_mock.contract.operations import OPERATIONS
from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import BatchItem, Compare, Evaluate
from labs_mock.errors import BadRequest, NotFound
from labs_mock.http.control.journal import newest_first, number_of, record_of, redactor_of, settled, summary_of
from labs_mock.http.control.resources import arrived_of, resource, world_of
from labs_mock.http.delivery import is_spoilt
from labs_mock.http.exchange import MAX_BODY
from labs_mock.http.inspector.chat_lines import Submitted
from labs_mock.http.inspector.conversation import (
    HALF_PAGE,
    WHOLE_PAGE,
    AnsweredReward,
    ConversationView,
    Room,
    plain_view,
    submitted_view,
)
from labs_mock.http.inspector.rendering import page
from labs_mock.state import World
from labs_mock.state.record import JournalCounts, Record

ROWS = 50
NAMES = ("evaluate", "batch_evaluate", "compare")
PATHS = {BASE_PATH + operation.path: operation.name for operation in OPERATIONS if operation.name in NAMES}

Json = dict[str, Any]


class Given(NamedTuple):
    """A conversation of a request, by its place there, and the reward that it was answered with."""

    place: str
    collection: str
    slug: str
    submitted: Submitted
    reward: float | None


class ShownConversation(NamedTuple):
    """A conversation and its view; `problem` says why it was not scored."""

    given: Given
    view: ConversationView
    problem: str


def evaluation_page_routes(prefix: str) -> list[BaseRoute]:
    """`GET /evaluations`, `/evaluations/{number}` and, for an item of a batch, `/evaluations/{number}/{item}`."""

    async def list_evaluations(request: Request) -> Response:
        world, text = world_of(request), request.query_params.get("before")
        before = number_of(text, "before") if text else None
        await settled()
        counts = await world.store.journal_counts()
        rows, older = await _rows(world, counts, before)
        return await page(request, "evaluations", rows=rows, older=older, before=before, counts=counts)

    async def show_evaluation(request: Request) -> Response:
        record = await _record(request)
        data = await _shared(request, record)
        if data["operation"] == "batch_evaluate":
            count = len(_list(data["sent"], "items"))
            items = [_item(world_of(request), record, data, index) for index in range(count)]
            return await page(request, "batch", record=data, items=items)
        found = _given(record, data["operation"], data["sent"])
        room = WHOLE_PAGE if len(found) == 1 else HALF_PAGE
        shown = [await _shown(request, record, one, room) for one in found]
        return await page(request, "evaluation", record=data, conversations=shown)

    async def show_item(request: Request) -> Response:
        record = await _record(request)
        data = await _shared(request, record)
        items, text = _list(data["sent"], "items"), request.path_params["item"]
        index = int(text) if text.isdecimal() and len(text) < 18 else len(items)
        if data["operation"] != "batch_evaluate" or index >= len(items):
            raise NotFound("The journal has no such item, or no longer")
        row = _item(world_of(request), record, data, index)
        found = _item_given(record, items[index], index)
        shown = [] if found is None else [await _shown(request, record, found, WHOLE_PAGE)]
        return await page(request, "evaluation", record={**data, "item": row}, conversations=shown)

    return [
        resource(f"{prefix}/evaluations", GET=list_evaluations),
        resource(f"{prefix}/evaluations/{{number}}", GET=show_evaluation),
        resource(f"{prefix}/evaluations/{{number}}/{{item}}", GET=show_item),
    ]


def _operation(record: Record) -> str | None:
    """The name of the operation, if it is one of those that are given conversations."""
    return PATHS.get(record.path) if record.method == "POST" else None


async def _record(request: Request) -> Record:
    """The record that a path names. Raises `NotFound` for one that is not there, or is none of an evaluation."""
    text = request.path_params["number"]
    record = await record_of(world_of(request), int(text)) if text.isdecimal() and len(text) < 18 else None
    if record is None or _operation(record) is None:
        raise NotFound("The journal has no evaluation with this number, or no longer")
    return record


async def _rows(world: World, counts: JournalCounts, before: int | None) -> tuple[list[Json], int | None]:
    """The newest evaluations, and the number before which there are more; None if there are none."""
    rows: list[Json] = []
    async for record in newest_first(world, counts, before):
        operation = _operation(record)
        if operation is not None:
            if len(rows) == ROWS:
                return rows, rows[-1]["number"]
            rows.append({**_summary(world, record), "operation": operation})
    return rows, None


def _summary(world: World, record: Record) -> Json:
    redact = redactor_of(record, world)
    sent = _object(record.body("request"))
    return {
        **summary_of(record, redact),
        "failed": record.status >= 400 or is_spoilt(record.delivery),
        "rewards": record.rewards,
        "scenarios": [redact(name) for name in dict.fromkeys(map(_name, _list(sent, "items") or [sent])) if name],
        "findings": list(dict.fromkeys((finding.code, finding.severity) for finding in record.findings)),
    }


async def _shared(request: Request, record: Record) -> Json:
    """What the page of every evaluation shows."""
    world, redact = world_of(request), redactor_of(record, world_of(request))
    answer = _object(record.body("response"))
    version, present = answer.get("scoring_version"), (await world.library()).scoring_version
    return {
        **_summary(world, record),
        "operation": _operation(record),
        "sent": _object(record.body("request")),
        "answer": answer,
        "winner": redact(str(answer.get("winner", ""))),
        "margin": answer.get("margin"),
        "item": None,
        "missing": _missing(record),
        "refusal": redact(str(answer.get("message", ""))) if record.status >= 400 else "",
        "other_version": version if version != present else None,
        "canary": world.settings.canary,
    }


def _missing(record: Record) -> str:
    """Why a request's body is not there; empty if it is."""
    if record.body("request") is not None:
        return ""
    if record.size > MAX_BODY:
        return f"it had {record.size:,} bytes, and the journal keeps no body of more than {MAX_BODY:,}"
    return "the journal dropped it, to make room for newer ones"


def _given(record: Record, operation: str, sent: Json) -> list[Given]:
    """The conversations of a request; none where it cannot be read."""
    try:
        if operation == "evaluate":
            one = read_model(Evaluate, sent)
            submitted = Submitted(one.messages, one.reward_config)
            return [Given("", one.collection_slug, one.scenario_slug, submitted, _reward(record, 0))]
        both = read_model(Compare, sent)
    except BadRequest:
        return []
    slugs = both.collection_slug, both.scenario_slug
    return [
        Given(place, *slugs, Submitted(response.messages), _reward(record, index))
        for index, (place, response) in enumerate((("a", both.response_a), ("b", both.response_b)))
    ]


def _item_given(record: Record, item: Any, index: int) -> Given | None:
    try:
        one = read_model(BatchItem, item)
    except BadRequest:
        return None
    return Given("", one.collection_slug, one.scenario_slug, Submitted(one.messages), _reward(record, index))


def _reward(record: Record, index: int) -> float | None:
    return record.rewards[index] if index < len(record.rewards) else None


async def _shown(request: Request, record: Record, given: Given, room: Room) -> ShownConversation:
    """A conversation as the scenarios of now score it."""
    world = world_of(request)
    redact = redactor_of(record, world)
    reward = None if given.reward is None else AnsweredReward(given.reward, record.number)
    try:
        player = await world.player(arrived_of(request).revision, None, given.collection, given.slug)
        return ShownConversation(given, submitted_view(player, given.submitted, reward, redact, room), "")
    except (NotFound, BadRequest) as error:
        return ShownConversation(given, plain_view(given.submitted.messages, redact, room), redact(error.message))


def _item(world: World, record: Record, data: Json, index: int) -> Json:
    """An item of a batch with its result."""
    redact = redactor_of(record, world)
    item, results = _list(data["sent"], "items")[index], _list(data["answer"], "results")
    result = results[index] if index < len(results) and isinstance(results[index], dict) else {}
    return {
        "index": index,
        "id": redact(str(item.get("id", ""))) if isinstance(item, dict) else "",
        "scenario": redact(_name(item)),
        "messages": len(_list(item, "messages")),
        "reward": _reward(record, index),
        "error": redact(str(result.get("error", ""))),
    }


def _object(body: bytes | None) -> Json:
    """The JSON object in a body; an empty one where there is none."""
    try:
        value = orjson.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else []


def _name(sent: Any) -> str:
    """The scenario that a request or an item names; empty for none."""
    if not isinstance(sent, Mapping) or "scenario_slug" not in sent:
        return ""
    return f"{sent.get('collection_slug')}/{sent['scenario_slug']}"
