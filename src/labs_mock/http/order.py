"""The order in which a request of the API is checked (RL-1). The first check that it does not pass is what its response reports."""

from collections.abc import Callable
from typing import NamedTuple

from labs_mock.contract import wording
from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.unknown_fields import duplicate_keys, unknown_fields
from labs_mock.contract.wording import RATE_LIMITED, UNAUTHORIZED
from labs_mock.errors import BodyTooLarge, HeadTooLarge, RateLimited, Unauthorized
from labs_mock.http.endpoints import ENDPOINTS
from labs_mock.http.exchange import Exchange
from labs_mock.http.faults.applying import check_faults
from labs_mock.http.request import HEAD_TOO_LARGE, HttpRequest
from labs_mock.http.routes import ROUTES


def check_head(request: HttpRequest) -> None:
    """Raises `HeadTooLarge` for a head that the server did not read to its end."""
    if HEAD_TOO_LARGE in request.scope.get("extensions", ()):
        raise HeadTooLarge(wording.HEAD_TOO_LARGE)


def find_operation(request: HttpRequest) -> None:
    """Raises `NotFound` for an unknown path, and `MethodNotAllowed`."""
    request.operation, request.parameters = ROUTES.find(request.method, request.path)


def authenticate(exchange: Exchange) -> None:
    """Raises `Unauthorized` without a valid key. Findings of the body are recorded for those who have one."""
    account = exchange.arrived.account
    if account is None:
        raise Unauthorized(UNAUTHORIZED)
    exchange.account = account
    exchange.findings += exchange.request.findings


def check_size(request: HttpRequest) -> None:
    """Raises `BodyTooLarge`."""
    if request.too_large:
        raise BodyTooLarge(f"body: expected at most {request.world.settings.max_body:,} bytes")


def read_body_model(request: HttpRequest) -> None:
    """Raises `BadRequest` for a body that is not what the operation takes; an operation without a body ignores one."""
    assert request.operation is not None
    model = request.operation.request
    if model is not None:
        value = read_json(request.body, request.headers.get(b"content-type"))
        request.findings = unknown_fields(model, value) + duplicate_keys(request.body, value)
        request.model = read_model(model, value)


def check_operation(request: HttpRequest) -> None:
    """Raises `BadRequest` for what the operation itself refuses without looking at any state."""
    assert request.operation is not None
    check = ENDPOINTS[request.operation.name].check
    if check is not None:
        check(request.parameters, request.model)


def check_quota(exchange: Exchange) -> None:
    """Raises `RateLimited` if nothing was left of the key's quota; every response from here on has its headers."""
    quota = exchange.arrived.quota
    assert quota is not None
    exchange.add_quota(quota)
    if not quota.allowed:
        raise RateLimited(RATE_LIMITED)


class ByRequest(NamedTuple):
    """A check that needs nothing but the request."""

    check: Callable[[HttpRequest], None]


class ByState(NamedTuple):
    """A check that needs to know what there was before."""

    check: Callable[[Exchange], None]


ORDER: tuple[ByRequest | ByState, ...] = (
    ByRequest(check_head),  # 431 (GEN-3)
    ByState(check_faults),  # the status that the fault has
    ByRequest(find_operation),  # 404 or 405 (GEN-3)
    ByState(authenticate),  # 401 (AUTH-1)
    ByRequest(check_size),  # 413 (GEN-3)
    ByRequest(read_body_model),  # 400 (GEN-3, GEN-6)
    ByRequest(check_operation),  # 400 (such as EP-6, NORM-1, DS-5)
    ByState(check_quota),  # 429 (RL-2)
)
"""All checks in their order, each with the status that it may lead to. What else needs state is up to the operation."""

_PLACES: dict[Callable[..., None], int] = {step.check: place for place, step in enumerate(ORDER)}
_BY_REQUEST = [(_PLACES[step.check], step.check) for step in ORDER if isinstance(step, ByRequest)]
_BY_STATE = [step.check for step in ORDER if isinstance(step, ByState)]


def check_request(request: HttpRequest) -> None:
    """Make the checks that need no state, up to the first that the request does not pass, and note that one."""
    for place, check in _BY_REQUEST:
        try:
            check(request)
        except Exception as error:
            request.refusal, request.refused_at = error, place
            return


def check_exchange(exchange: Exchange) -> None:
    """Make the other checks at their places in the order. Raises a `RequestError` for the first check that is not passed."""
    refusal, refused_at = exchange.request.refusal, exchange.request.refused_at
    for check in _BY_STATE:
        if refusal is not None and _PLACES[check] > refused_at:
            break
        check(exchange)
    if refusal is not None:
        raise refusal
