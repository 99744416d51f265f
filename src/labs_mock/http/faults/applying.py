"""The faults that a request triggers: an error in place of its response, or changes of its results and of its response."""

from labs_mock.contract.wording import FAULTED, NO_SUBSCRIPTION, RATE_LIMITED, UNAUTHORIZED
from labs_mock.errors import Faulted, RateLimited
from labs_mock.http.delivery import Delivery
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.faults.kinds import RESPONSE_FAULTS, RESULT_FAULTS
from labs_mock.http.faults.response import FaultyResponse
from labs_mock.http.faults.results import Changes
from labs_mock.http.sending import Stream
from labs_mock.state.quota import spent

MESSAGES = {401: UNAUTHORIZED, 403: NO_SUBSCRIPTION, 429: RATE_LIMITED}
"""The message of an error by status, where the fault has none of its own."""


def check_faults(exchange: Exchange) -> None:
    """Raises `Faulted` if a fault that the request triggers is an error; the request is then not handled at all."""
    arrived = exchange.arrived
    for fault in arrived.faults:
        status = fault.entry.status
        if status is not None:
            if status == RateLimited.status and arrived.account is not None:
                exchange.add_quota(spent(arrived.account, arrived.now))
            raise Faulted(fault.entry.message or MESSAGES.get(status, FAULTED), status)


def change_results(exchange: Exchange, delivery: Delivery, body: Payload) -> None:
    """Apply those faults that change the results of a batch; nothing else has results."""
    if "results" not in body:
        return
    changes = Changes()
    for name, apply in RESULT_FAULTS.items():
        for fault in exchange.arrived.faults:
            value = getattr(fault.entry, name)
            if value is not None:
                apply(changes, value)
    body["results"] = changes.apply(body["results"], delivery)


def faulty_response(exchange: Exchange, delivery: Delivery, content: Payload | Stream, body: bytes) -> FaultyResponse:
    """The response to a request, with all faults that change it; `body` is the JSON of what is not a stream."""
    if isinstance(content, Stream):
        own = [(b"content-type", content.content_type), *content.headers]
        headers = dict([*own, *exchange.response_headers])
        response = FaultyResponse(200, headers, content.chunks, delivery, content.close)
    else:
        own = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        response = FaultyResponse(exchange.status, dict([*own, *exchange.response_headers]), iter([body]), delivery)
    for name, apply in RESPONSE_FAULTS.items():
        for fault in exchange.arrived.faults:
            value = getattr(fault.entry, name)
            if value is not None:
                apply(response, value)
    for fault in exchange.arrived.faults:
        response.delays[fault.entry.before or "head"] += fault.seconds
    delivery.note_delays(response.delays)
    return response
