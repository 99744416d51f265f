"""What holds for every response, checked as soon as it is there."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from labs_mock.conformance.http_response import Response
from labs_mock.contract.clauses import Part
from labs_mock.contract.operations import Operation
from labs_mock.contract.responses import DatasetState, ErrorBody
from labs_mock.ids import ID_LENGTH

Expect = Callable[..., None]  # `Verdicts.expect`, for this one response

FIELDS = {  # parts of clauses that say what stands in a field, wherever that is
    "key_id": Part("KEY-1", inferred=True),
    "name": Part("KEY-1"),
    "expires_at": Part("KEY-1"),
    "rate_limits": Part("KEY-1"),
    "reward": Part("EP-5"),
    "reward_a": Part("EP-5"),
    "reward_b": Part("EP-5"),
    "scores": Part("RC-4", inferred=True),
    "score_breakdown": Part("AUTH-3"),
    "tools": Part("EP-2"),
    "terminal_reason": Part("EP-11"),
    "normalized": Part("NORM-1"),
    "results": Part("BAT-2", inferred=True),
    "status": Part("DS-1"),
}
NULLS = {  # and those that say that a field is absent rather than null
    **{name: Part("AUTH-3", inferred=True) for name in ("scores", "score_breakdown")},
    "description": Part("EP-2", inferred=True),
}
REWARDS = ("reward", "reward_a", "reward_b")
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
_LIMITED = {
    200: True,
    202: True,
    403: True,
    409: True,
    429: True,
    500: True,
    **dict.fromkeys((401, 405, 413, 431), False),
}
_ERRORS = range(400, 600)
NO_OPERATION = (400, 401, 403, 404, 405, 413, 429, 431, 500)  # of paths and methods that are none

_REQUEST_ID = re.compile(r"req_[0-9a-hjkmnp-tv-z]+")
_SECRET = re.compile(
    r"criteri|objective|optimal|expected|exemplar|secret|hidden|reveal|trigger|rubric_|rule|solution|gate|weight|persona"
    r"|operator|state|fact|explain|prompt",
    re.IGNORECASE,
)


def check_response(expect: Expect, response: Response, operation: Operation | None, limited: bool | None) -> None:
    """Check one response.

    `operation` is None for paths and methods that are none. `limited` says whether it came from behind the rate limit;
    None where only the check could know.
    """
    statuses: Iterable[int] = operation.statuses if operation else NO_OPERATION
    listed = ", ".join(map(str, sorted(statuses)))
    expect("GEN-2", response.status in statuses, f"one of {listed}", response.status, inferred=False)
    _check_request_id(expect, response)
    _check_limits(expect, response, _behind_limiter(response, operation) if limited is None else limited)
    _check_headers(expect, response)
    if operation and operation.streams and response.status == 200:
        return  # lines are checked by `checks.rows`
    kind = response.headers.get("content-type", "")
    plain = re.fullmatch(r'application/json(; *charset="?utf-8"?)?', kind, re.IGNORECASE)
    expect("GEN-1", plain is not None, "content-type: application/json", kind or "no content type")
    expect("GEN-1", isinstance(response.json, dict), "a JSON object", response.content[:200])
    if isinstance(response.json, dict):
        _check_body(expect, response, operation)


def rewards(body: Any) -> Iterator[float]:
    """The rewards in a body, those of the items of a batch among them; none where they are no numbers."""
    if isinstance(body, dict):
        results = body.get("results")
        for one in (body, *(results if isinstance(results, list) else ())):
            found = [one.get(name) for name in REWARDS] if isinstance(one, dict) else []
            yield from (value for value in found if isinstance(value, int | float))


def secret(name: str) -> bool:
    """Whether a field that is not documented sounds like one that gives away how conversations are scored (NEVER-1)."""
    return _SECRET.search(name) is not None


def wrong_in(error: ErrorDetails) -> str:
    """What is wrong with a field, in the words of JSON."""
    return (
        error["msg"].removeprefix("Input ").replace("a valid dictionary", "an object").replace("valid string", "text")
    )


def _check_body(expect: Expect, response: Response, operation: Operation | None) -> None:
    body = response.json
    state = operation is not None and operation.streams and response.status in operation.states and "status" in body
    if response.status in _ERRORS and not state:
        data = body.get("data")
        whole = isinstance(body.get("message"), str) and isinstance(data, dict) and "request_id" in data
        expect("ERR-1", whole, "message and data.request_id", body, inferred=False)
        exact = not whole or (set(data) == {"request_id"} and set(body) == set(ErrorBody.model_fields))
        expect("ERR-1", exact, "nothing beside message and data.request_id", body, inferred=True)
        _check_repeated(expect, response, data.get("request_id") if isinstance(data, dict) else None)
        return
    _check_repeated(expect, response, body.get("request_id"))
    if operation is None:
        return
    if state:
        _check_shape(expect, body, DatasetState, Part("DS-3"))
        expect("DS-3", "request_id" in body, "the status with a request_id", body, inferred=True)
    elif response.status == 200:
        assert operation.shape is not None, "lines have shapes of their own"
        _check_shape(expect, body, operation.response, operation.shape)
        if operation.consistency is not None:
            part, expected, holds = operation.consistency
            expect(part.clause, holds(body), expected, body, inferred=part.inferred)


def _check_request_id(expect: Expect, response: Response) -> None:
    name = response.headers.get("x-request-id")
    known = name is not None and _REQUEST_ID.fullmatch(name) is not None
    expect("ID-1", known, "X-Request-ID: req_ and base-32 characters", name or "no such header", inferred=False)
    if name is not None and known:
        expect("ID-1", len(name) == len("req_") + ID_LENGTH, f"{ID_LENGTH} characters", name, inferred=True)
        expect("ID-1", name[len("req_")] in "01234567", "0 to 7 as the first of them", name, inferred=True)


def _check_repeated(expect: Expect, response: Response, repeated: Any) -> None:
    name = response.headers.get("x-request-id")
    expect(
        "ID-2",
        name is not None and repeated == name,
        f"the body repeats {name or 'the id of its header'}",
        repeated,
        inferred=False,
    )


def _behind_limiter(response: Response, operation: Operation | None) -> bool | None:
    """Whether a response came from behind the limiter (RL-1); of a 400 only the check can know."""
    return operation is not None if response.status == 404 else _LIMITED.get(response.status)


def _check_limits(expect: Expect, response: Response, limited: bool | None) -> None:
    present = [name for name in RATE_HEADERS if name in response.headers]
    inferred = response.status != 200 or limited is False
    wanted = {
        True: "all three X-RateLimit headers",
        False: "no X-RateLimit header",
        None: "all X-RateLimit headers or none",
    }
    holds = len(present) in {True: (3,), False: (0,), None: (0, 3)}[limited]
    expect("RL-1", holds, f"{wanted[limited]} on a {response.status}", present or "none", inferred=inferred)
    values = [response.headers[name] for name in present]
    numbers = [int(value) for value in values if value.isascii() and value.isdigit()]
    expect("RL-1", len(numbers) == len(values), "whole numbers", values, inferred=False)
    if len(numbers) == len(RATE_HEADERS):
        limit, remaining, _ = numbers
        expect("RL-1", remaining <= limit, f"at most {limit} remaining", remaining, inferred=False)


def _check_headers(expect: Expect, response: Response) -> None:
    leaks = [name for name in response.headers if secret(name)]
    expect("NEVER-1", not leaks, "no header that gives away how conversations are scored", leaks)


def _check_shape(expect: Expect, body: dict[str, Any], model: type[BaseModel], shape: Part) -> None:
    """The fields of a response: all that must be there, and null only where it means something."""
    wrong: list[tuple[Part, str]] = []
    try:
        model.model_validate(body)
    except ValidationError as error:
        mistakes = [(_part_of(mistake, shape), mistake) for mistake in error.errors() if _is_own(mistake)]
        wrong = [(part, f"{_place(mistake)}: {wrong_in(mistake)}") for part, mistake in mistakes if part is not None]
    if not wrong:
        wrong = [(NULLS.get(name, FIELDS.get(name, shape)), f"{name}: null") for name in _nulls(body, model)]
    for part, seen in wrong:
        expect(part.clause, False, "the documented fields; what is absent is not null", seen, inferred=part.inferred)
    for part in {shape, Part("NEVER-1"), *(FIELDS[name] for name in body if name in FIELDS)}:
        expect(part.clause, True, "", "", inferred=part.inferred)


def _is_own(error: ErrorDetails) -> bool:
    """Whether a mistake is none of those that ID-1, ID-2 and EP-1 have reported."""
    names = error["loc"]
    return names[-1] not in ("request_id", "episode_id") or (error["type"] == "missing" and names[-1] == "episode_id")


def _part_of(error: ErrorDetails, shape: Part) -> Part | None:
    """The part of a clause that a mistake violates; None for a further field, where no clause says that there are none."""
    names = [step for step in error["loc"] if isinstance(step, str)]
    kind, first, last = error["type"], names[0], names[-1]
    if kind in ("extra_forbidden", "missing") and (first, last) == ("results", "reward"):
        return Part("BAT-2")
    if kind == "extra_forbidden":
        return Part("NEVER-1") if secret(last) else shape if shape.inferred else None
    if kind == "union_tag_invalid" and first == "tools":
        return Part("EP-2", inferred=True)
    if kind == "missing" and len(names) == 1:
        return shape
    return FIELDS.get(last if last in REWARDS else first, shape)


def _place(error: ErrorDetails) -> str:
    return ".".join(map(str, error["loc"]))


def _nulls(value: Any, model: type[BaseModel]) -> list[str]:
    """Optional fields that are null instead of absent, in lists and objects of the models' own, too."""
    found = []
    for name, field in model.model_fields.items():
        inside = value.get(name, ...)
        if inside is None and not field.is_required():
            found.append(name)
        for one in inside if isinstance(inside, list) else [inside]:
            found += _nulls_within(one, field.annotation)
    return found


def _nulls_within(value: Any, annotation: Any) -> list[str]:
    if not isinstance(value, Mapping):
        return []
    models = [one for one in _models(annotation) if set(one.model_fields) >= set(value)]
    return _nulls(value, models[0]) if models else []


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    inner = [one for one in get_args(annotation) if one is not NoneType]
    return [model for one in inner for model in _models(one)]
