"""The faults of one request: triggered before it is handled, then applied to its results and its response."""

from labs_mock.contract.wording import FAULTED, NO_SUBSCRIPTION, RATE_LIMITED, UNAUTHORIZED
from labs_mock.errors import Faulted, RateLimited
from labs_mock.http.delivery import Delivery
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.faults.kinds import RESPONSE_FAULTS, RESULT_FAULTS
from labs_mock.http.faults.response import FaultyResponse
from labs_mock.http.faults.results import Changes
from labs_mock.http.faults.target import target_of
from labs_mock.http.sending import Stream

MESSAGES = {401: UNAUTHORIZED, 403: NO_SUBSCRIPTION, 429: RATE_LIMITED}
"""The message of an error by status, where the fault has none of its own."""


def trigger_faults(exchange: Exchange) -> None:
    """Count a request in the fault plan, and keep the faults that it triggers in `exchange.faults`.

    Raises `Faulted` if one of them is an error; the request is then not handled at all.
    """
    if not exchange.world.faults:
        return
    exchange.faults = exchange.world.faults.due(target_of(exchange))
    if exchange.faults:
        exchange.delivery = Delivery(exchange.findings)
    for fault, _ in exchange.faults:
        status = fault.file.status
        if status is not None:
            if status == RateLimited.status and exchange.valid_account is not None:
                exchange.add_quota(exchange.world.limits.spent(exchange.valid_account, exchange.now))
            raise Faulted(fault.file.message or MESSAGES.get(status, FAULTED), status)


def change_results(exchange: Exchange, body: Payload) -> None:
    """Apply those faults that change the results of a batch; nothing else has results."""
    if "results" not in body or exchange.delivery is None:
        return
    changes = Changes()
    for name, apply in RESULT_FAULTS.items():
        for fault, _ in exchange.faults:
            value = getattr(fault.file, name)
            if value is not None:
                apply(changes, value)
    body["results"] = changes.apply(body["results"], exchange.delivery)


def faulty_response(exchange: Exchange, delivery: Delivery, content: Payload | Stream, body: bytes) -> FaultyResponse:
    """The response to a request, with all faults that change it; `body` is the JSON of what is not a stream."""
    if isinstance(content, Stream):
        own = [(b"content-type", content.content_type), *content.headers]
        response = FaultyResponse(
            200, dict([*own, *exchange.response_headers]), content.chunks, delivery, content.chunks.close
        )
    else:
        own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        response = FaultyResponse(exchange.status, dict([*own, *exchange.response_headers]), iter([body]), delivery)
    for name, apply in RESPONSE_FAULTS.items():
        for fault, _ in exchange.faults:
            value = getattr(fault.file, name)
            if value is not None:
                apply(response, value)
    for fault, seconds in exchange.faults:
        response.delays[fault.file.before or "head"] += seconds
    return response
