"""What breaks the API as a whole: GEN, AUTH, ID, ERR, RL, CAT, NEVER."""

from typing import Any

import orjson
from pydantic import BaseModel

from labs_mock.contract import parsing
from labs_mock.contract.wording import NO_SUBSCRIPTION
from labs_mock.errors import BadRequest, MethodNotAllowed, NotFound, RequestError, Unauthorized
from labs_mock.http import app, evaluation, exchange, order, request
from labs_mock.http.routes import Routes
from labs_mock.state.arrival import Arrival, Arrived
from labs_mock.state.memory.quotas import Quotas
from labs_mock.state.memory.store import MemoryStore
from labs_mock.state.world import World
from tests.conformance.mutants import UNSUBSCRIBED, ChangedResponse, constant, instead, on_response
from tests.support import KEY

ERRORS = range(400, 500)

# GEN


@on_response("GEN-1", "the content type is text/plain", "list_catalog")
def _(response: ChangedResponse) -> None:
    response.headers["content-type"] = "text/plain; charset=utf-8"


@on_response("GEN-1", "the body is a list", "compare")
def _(response: ChangedResponse) -> None:
    response.body = [response.body]


@instead("GEN-1", "a charset in the content type is refused", parsing, "_is_json")
def _(_original: Any, _type: bytes | None) -> bool:
    return False


@instead("GEN-1", "characters beyond the basic plane are refused", order, "read_json", wide=True)
def _(original: Any, body: bytes, kind: bytes | None) -> Any:
    if any(byte >= 0xF0 for byte in body):
        raise BadRequest("body: expected UCS-2")
    return original(body, kind)


@on_response("GEN-2", "an episode is 201 Created", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    response.status = 201


@on_response("GEN-2", "what is wrong with a body is a 422", status=400, wide=True, inferred=False)
def _(response: ChangedResponse) -> None:
    response.status = 422


@on_response("GEN-2", "a complete episode is a 410", "take_turn", status=400, inferred=False)
def _(response: ChangedResponse) -> None:
    if "complete" in response.body["message"]:
        response.status = 410


@instead("GEN-3", "the key is looked at before the path", Routes, "find")
def _(original: Any, self: Routes, method: str, path: str) -> Any:
    try:
        return original(self, method, path)
    except RequestError:
        raise Unauthorized("Invalid or missing API key") from None


@on_response("GEN-3", "a 405 has no Allow", status=405)
def _(response: ChangedResponse) -> None:
    del response.headers["allow"]


@instead("GEN-3", "another method is a 404", app, "_as_request_error")
def _(original: Any, raised: Exception, name: str) -> Any:
    return original(NotFound("No.") if isinstance(raised, MethodNotAllowed) else raised, name)


@instead("GEN-3", "a trailing slash is taken away", Routes, "find")
def _(original: Any, self: Routes, method: str, path: str) -> Any:
    return original(self, method, path.rstrip("/"))


@instead("GEN-3", "paths are compared in lower case", Routes, "find")
def _(original: Any, self: Routes, method: str, path: str) -> Any:
    return original(self, method, path.lower() if "evaluate" in path.lower() else path)


@instead("GEN-3", "any content type is taken for JSON", parsing, "_is_json")
def _(_original: Any, _type: bytes | None) -> bool:
    return True


@on_response("GEN-3", "a body that is not JSON is a 500", status=400)
def _(response: ChangedResponse) -> None:
    if response.body["message"].startswith("body: expected JSON;"):
        response.refuse(500)


constant("GEN-3", "a head may be as large as it likes", order, "HEAD_TOO_LARGE", "no extension")


@on_response("GEN-3", "a large head is a 400", status=431)
def _(response: ChangedResponse) -> None:
    response.refuse(400)


@on_response("GEN-3", "a large body is a 400", status=413)
def _(response: ChangedResponse) -> None:
    response.refuse(400)


@instead("GEN-4", "a field that is not documented is refused", order, "unknown_fields")
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    for found in original(model, value):
        raise BadRequest(f"{found.place}: is not a known name")
    return []


@instead("GEN-4", "`temperature` changes the reward", order, "read_model")
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    if "temperature" in value and "messages" in value:
        value["reward_config"] = {"quality_weights": {}}
    return original(model, value)


@instead("GEN-5", "`reward_config: null` is refused", order, "read_model", inferred=False)
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    if value.get("reward_config", {}) is None and "collection_slug" in value:
        raise BadRequest("reward_config: expected an object")
    return original(model, value)


@instead("GEN-5", "`normalization_windows: null` is refused", order, "read_model", inferred=True)
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    if value.get("normalization_windows", []) is None:
        raise BadRequest("normalization_windows: expected a list")
    return original(model, value)


@instead("GEN-5", "`score_turns: null` is refused", order, "read_model", inferred=True)
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    if value.get("score_turns", False) is None:
        raise BadRequest("score_turns: expected true or false")
    return original(model, value)


@instead("GEN-6", "NaN is a number", order, "read_json")
def _(original: Any, body: bytes, kind: bytes | None) -> Any:
    return original(body.replace(b":NaN", b":0"), kind)


@instead("GEN-6", "1e400 is a number", order, "read_json")
def _(original: Any, body: bytes, kind: bytes | None) -> Any:
    return original(body.replace(b"1e400", b"0"), kind)


@instead("GEN-6", "lone surrogates are replaced", order, "read_json")
def _(original: Any, body: bytes, kind: bytes | None) -> Any:
    return original(body.replace(rb"\ud800", b"?").replace(rb"\udc00", b"?"), kind)


@instead("GEN-6", "65 levels are not too deep", parsing, "_deeper_than")
def _(original: Any, body: bytes, value: Any, levels: int) -> Any:
    return original(body, value, levels + 1)


@instead("GEN-6", "64 levels are too deep", parsing, "_deeper_than")
def _(original: Any, body: bytes, value: Any, levels: int) -> Any:
    return original(body, value, levels - 1)


@instead("GEN-6", "1,001 messages are not too many", order, "read_model")
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    messages = value.get("messages")
    return original(model, {**value, "messages": messages[:1000]} if isinstance(messages, list) else value)


@instead("GEN-6", "101 tool calls are not too many", order, "read_model")
def _(original: Any, model: type[BaseModel], value: Any) -> Any:
    for message in value.get("messages") or () if isinstance(value.get("messages"), list) else ():
        if isinstance(message, dict) and len(message.get("tool_calls") or ()) == 101:
            message["tool_calls"].pop()
    return original(model, value)


@instead("GEN-6", "the first of equal keys counts", order, "read_json")
def _(original: Any, body: bytes, kind: bytes | None) -> Any:
    value = original(body, kind)
    head = next((part for part in (b'{"messages":7,', b'{"messages":[],') if body.startswith(part)), None)
    return value | orjson.loads(head[:-1] + b"}") if head else value


# AUTH


@instead("AUTH-1", "any scheme is taken", request, "bearer_key", inferred=False)
def _(_original: Any, headers: Any) -> Any:
    return dict(headers).get(b"authorization", b"").partition(b" ")[2]


@instead("AUTH-1", "a key needs no scheme", request, "bearer_key", inferred=False)
def _(original: Any, headers: Any) -> Any:
    found = dict(headers).get(b"authorization", b"")
    return original(headers) if b" " in found else found


@instead("AUTH-1", "a key may go on", request, "key_digest", inferred=False)
def _(original: Any, key: bytes) -> Any:
    return original(key[: len(KEY)])


@instead("AUTH-1", "spaces around the key do not count", request, "bearer_key", inferred=False)
def _(original: Any, headers: Any) -> Any:
    return (original(headers) or b"").strip(b" ")


@instead("AUTH-1", "the scheme must be in this case", request, "bearer_key", inferred=True)
def _(original: Any, headers: Any) -> Any:
    return original((name, value) for name, value in headers if not value.startswith((b"bearer", b"BEARER")))


@instead("AUTH-1", "of two Authorization headers the last one counts", request, "bearer_key", inferred=True)
def _(original: Any, headers: Any) -> Any:
    return original(dict(headers).items())


@instead("AUTH-1", "a key in X-API-Key counts", app, "read_request", inferred=False)
async def _(original: Any, world: World, scope: Any, receive: Any) -> Any:
    found = [b"Bearer " + value for name, value in scope["headers"] if name == b"x-api-key"]
    return await original(
        world, {**scope, "headers": [*scope["headers"], *((b"authorization", one) for one in found)]}, receive
    )


@on_response("AUTH-1", "no key is a 403", status=401, inferred=False)
def _(response: ChangedResponse) -> None:
    response.status = 403


@on_response("AUTH-1", "the message of a 401 is another one", status=401, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["message"] = "Unauthorized"


@on_response("AUTH-3", "one sentence of the breakdown is missing", "evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["score_breakdown"] = dict(list(response.body["score_breakdown"].items())[1:])


@on_response("AUTH-3", "the breakdown comes without scores", "evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.body["scores"]


@on_response("AUTH-3", "scores are null where they might not be seen", "take_turn", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body.setdefault("score_breakdown", None)


@on_response("AUTH-3", "items of a batch have no breakdown", "batch_evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    for result in response.body["results"]:
        result.pop("score_breakdown", None)


# KEY


@on_response("KEY-1", "expires_at is a number", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["expires_at"] = 1_800_000_000


@on_response("KEY-1", "expires_at is no time", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["expires_at"] = "next year"


@on_response("KEY-1", "a limit does not say when it starts anew", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.body["rate_limits"][0]["reset"]


@on_response("KEY-1", "the name is a list", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["name"] = [response.body["name"]]


@on_response("KEY-1", "a key has a number", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["key_id"] = 7


@on_response("KEY-1", "the path is a 404", "describe_key", inferred=False)
def _(response: ChangedResponse) -> None:
    response.refuse(404)


@on_response("KEY-1", "a name that is null is left out", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["name"] is None:
        del response.body["name"]


@on_response("KEY-1", "the id is the key", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["key_id"] = response.request_headers["authorization"].partition(" ")[2]


@on_response("KEY-1", "the id is another one each time", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["key_id"] = response.headers["x-request-id"].replace("req_", "key_")


@on_response("KEY-1", "the key has expired", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["expires_at"] = "2020-01-01T00:00:00Z"


@on_response("KEY-1", "there are no limits", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["rate_limits"] = None


@on_response("KEY-1", "what is left is what was before the call", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["rate_limits"][0]["remaining"] += 1


@on_response("KEY-1", "reset is in seconds from now", "describe_key", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["rate_limits"][0]["reset"] = 60


@instead("KEY-1", "the call costs nothing", MemoryStore, "arrive", inferred=True)
async def _(original: Any, self: MemoryStore, arrival: Arrival) -> Arrived:
    used = arrival.key and self._quotas._used.get(arrival.key)
    arrived: Arrived = await original(self, arrival)
    if arrival.path.endswith("/key") and arrival.key and used:
        self._quotas._used[arrival.key] = used
    return arrived


# ID, ERR


@on_response("ID-1", "errors have no X-Request-ID", status=ERRORS, inferred=False)
def _(response: ChangedResponse) -> None:
    del response.headers["x-request-id"]


@on_response("ID-1", "an export has no X-Request-ID", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.headers["x-request-id"]


@instead("ID-1", "it is in upper case", exchange, "request_id", inferred=False)
def _(original: Any, *arguments: Any) -> Any:
    return "req_" + original(*arguments)[4:].upper()


@instead("ID-1", "it is one character shorter", exchange, "request_id", inferred=True)
def _(original: Any, *arguments: Any) -> Any:
    return original(*arguments)[:-1]


@instead("ID-1", "its first character is one of 32", exchange, "request_id", inferred=True)
def _(original: Any, *arguments: Any) -> Any:
    return original(*arguments).replace("req_0", "req_z").replace("req_1", "req_8")


@instead("ID-1", "it is the same for equal requests", exchange, "request_id", inferred=True)
def _(original: Any, seed: int, identity: bytes, _attempt: int) -> Any:
    return original(seed, identity, 0)


@on_response("ID-1", "a client's own id comes back", "evaluate", inferred=True)
def _(response: ChangedResponse) -> None:
    own = response.request_headers.get("x-request-id", "")
    if len(own) == 30:
        response.headers["x-request-id"] = response.body["request_id"] = own


@on_response("ID-2", "the body does not repeat it", "create_episode", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.body["request_id"]


@on_response("ID-2", "an error repeats another one", status=404, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["data"]["request_id"] = "req_" + "0" * 26


@on_response("ERR-1", "an error says its status, too", status=ERRORS, inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["data"]["status"] = response.status


@on_response("ERR-1", "an error has a detail", status=400, inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["detail"] = response.body["message"]


@on_response("ERR-1", "the message is a list", status=404, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["message"] = [response.body["message"]]


@on_response("ERR-2", "the message is always the same", "evaluate", status=400)
def _(response: ChangedResponse) -> None:
    response.body["message"] = "Validation failed"


@on_response("ERR-2", "the message tells the field without its place", "evaluate", status=400)
def _(response: ChangedResponse) -> None:
    response.body["message"] = response.body["message"].replace("messages.0.", "")


@instead("ERR-2", "unknown slugs are quoted in full", World, "player")
async def _(original: Any, self: World, revision: int, account: Any, collection: str, slug: str) -> Any:
    try:
        return await original(self, revision, account, collection, slug)
    except NotFound as error:
        raise NotFound(f"{error.message} ({collection}/{slug})") from None


@instead("ERR-2", "what is wrong is quoted in full", parsing, "_got")
def _(_original: Any, value: Any) -> str:
    return f", got {value}"


# RL


@on_response("RL-1", "an evaluation does not tell the quota", "evaluate", inferred=False)
def _(response: ChangedResponse) -> None:
    response.drop_rate_limits()


@on_response("RL-1", "an export does not tell when the window ends", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.headers["x-ratelimit-reset"]


@on_response("RL-1", "the reset is a date", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["x-ratelimit-reset"] = "Thu, 01 Jan 2026 00:01:00 GMT"


@on_response("RL-1", "more remains than the limit", "compare", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["x-ratelimit-remaining"] = str(int(response.headers["x-ratelimit-limit"]) + 1)


@on_response("RL-1", "a 401 tells the quota", status=401, inferred=True)
def _(response: ChangedResponse) -> None:
    response.headers |= {f"x-ratelimit-{name}": "60" for name in ("limit", "remaining", "reset")}


@on_response("RL-1", "a 404 for a scenario does not tell the quota", "evaluate", status=404, inferred=True)
def _(response: ChangedResponse) -> None:
    response.drop_rate_limits()


@on_response("RL-1", "a turn after the end does not tell the quota", "take_turn", status=400, inferred=True)
def _(response: ChangedResponse) -> None:
    response.drop_rate_limits()


@on_response("RL-1", "a cancelled export does not tell the quota", "export_dataset", status=409, inferred=True)
def _(response: ChangedResponse) -> None:
    response.drop_rate_limits()


@instead("RL-1", "a request that is refused by itself uses the quota", request.HttpRequest, "arrival", inferred=True)
def _(original: Any, self: request.HttpRequest, api: bool) -> Arrival:
    arrival: Arrival = original(self, api)
    return arrival._replace(valid=True) if isinstance(self.refusal, BadRequest) else arrival


@instead("RL-1", "every request uses two", Quotas, "take", inferred=True)
def _(original: Any, self: Quotas, *arguments: Any) -> Any:
    original(self, *arguments)
    return original(self, *arguments)


@instead("RL-1", "nothing is used", Quotas, "take", inferred=True)
def _(original: Any, self: Quotas, *arguments: Any) -> Any:
    self.reset()
    return original(self, *arguments)


@on_response("RL-2", "windows start when they like", inferred=True)
def _(response: ChangedResponse) -> None:
    response.headers["x-ratelimit-reset"] = str(int(response.headers["x-ratelimit-reset"]) + 7)


@instead("RL-1", "a conversation without the operator uses the quota", evaluation, "require_assistant", inferred=True)
def _(_original: Any, *_given: Any) -> None:
    return None


# CAT, NEVER


@on_response("CAT-1", "a scenario is listed that there is not", "list_catalog", wide=True)
def _(response: ChangedResponse) -> None:
    scenarios = response.body["collections"][0]["scenarios"]
    scenarios.insert(0, {**scenarios[0], "slug": "nowhere", "max_turns": 1})


@on_response("CAT-1", "scenarios are listed twice", "list_catalog")
def _(response: ChangedResponse) -> None:
    response.body["collections"][0]["scenarios"] *= 2


@on_response("CAT-1", "a collection without a subscription is listed", "list_catalog", wide=True)
def _(response: ChangedResponse) -> None:
    collections = response.body["collections"]
    collections.append({**collections[-1], "slug": UNSUBSCRIBED})


@on_response("CAT-1", "the catalog is a 404", "list_catalog")
def _(response: ChangedResponse) -> None:
    response.refuse(404, NO_SUBSCRIPTION)


@on_response("CAT-2", "collections are in reverse order", "list_catalog")
def _(response: ChangedResponse) -> None:
    response.body["collections"].reverse()


@on_response("CAT-2", "a scenario has no difficulty", "list_catalog")
def _(response: ChangedResponse) -> None:
    del response.body["collections"][-1]["scenarios"][0]["difficulty"]


@on_response("CAT-2", "tools are objects", "list_catalog")
def _(response: ChangedResponse) -> None:
    for one in (inner for collection in response.body["collections"] for inner in collection["scenarios"]):
        one["tools"] = [{"id": tool} for tool in one["tools"]]


@on_response("CAT-2", "a tool is not listed", "list_catalog")
def _(response: ChangedResponse) -> None:
    for one in (inner for collection in response.body["collections"] for inner in collection["scenarios"]):
        one["tools"] = one["tools"][1:]


@on_response("NEVER-1", "the catalog tells the criteria", "list_catalog")
def _(response: ChangedResponse) -> None:
    response.body["collections"][0]["scenarios"][0]["success_criteria"] = ["Find out when it began."]


@on_response("NEVER-1", "a turn tells what was revealed", "take_turn")
def _(response: ChangedResponse) -> None:
    response.body["revealed_state"] = ["onset"]


@on_response("NEVER-1", "a header tells the gate", "evaluate")
def _(response: ChangedResponse) -> None:
    response.headers["x-gate-factor"] = "0.5"
