"""What can be wrong between a client and the service, in plain words: two tables."""

import ssl
from collections.abc import Callable
from http.client import BadStatusLine, HTTPException, IncompleteRead
from socket import gaierror
from typing import NamedTuple

from labs_mock.cli.doctor_call import DoctorCall
from labs_mock.contract.limits import BASE_PATH, WINDOW
from labs_mock.contract.wording import NO_SUBSCRIPTION

SCENARIO = "a scenario"
"""What is missing in an empty catalog."""
TLS_ALERT = "\x15\x03"  # how the answer of a TLS server to plain HTTP begins
PATIENCE = 5.0  # seconds: the timeout of httpx, where nobody sets another
SKEW = 2 * WINDOW  # seconds beyond the present window
FIRST = ("/key", "/catalog")  # paths that exist wherever the API does


class Diagnosis(NamedTuple):
    """A row: when it applies, what is so, and what to do. The words of a call stand in for `{…}`."""

    name: str
    applies: Callable[[DoctorCall], bool]
    says: str
    remedy: str


def _trouble(*kinds: type[Exception]) -> Callable[[DoctorCall], bool]:
    return lambda call: isinstance(call.trouble, kinds)


def _status(*statuses: int) -> Callable[[DoctorCall], bool]:
    return lambda call: call.status in statuses


def _wants_tls(call: DoctorCall) -> bool:
    plain = call.base.startswith("http:")
    alert = isinstance(call.trouble, BadStatusLine) and str(call.trouble).startswith((TLS_ALERT, repr(TLS_ALERT)[:-1]))
    return plain and (alert or (call.status == 400 and call.body is None and b"HTTPS" in call.content))


def _is_page(call: DoctorCall) -> bool:
    return call.body is None and (call.content.lstrip()[:1] == b"<" or "html" in call.headers.get("content-type", ""))


AGAIN = "Try again in some minutes; if it stays so, ask whoever runs the service."
PATH = "Write the URL without /api/v1 and without the path of a page: only what stands before /api/v1, such as {root}."

PROBLEMS = (
    # Nothing came that is a response.
    Diagnosis("proxy", lambda call: bool(call.trouble and call.proxy), "There is no answer through the proxy {proxy}, which the environment names in {variable}: {detail}.",
              "Your client goes through it, too, if it reads the environment, as most do. Correct {variable}, or name {host} in NO_PROXY."),
    Diagnosis("unknown-host", _trouble(gaierror), "The name {host} is not known: {detail}.",
              "Look for a mistake in the URL. In a container or without the VPN, the name may not be known here."),
    Diagnosis("refused", _trouble(ConnectionRefusedError), "Nothing listens at {place}.",
              "Start the server there, or correct host and port in the URL. In a container, 127.0.0.1 is the container itself."),
    Diagnosis("certificate", _trouble(ssl.SSLCertVerificationError), "The certificate of {host} is not trusted: {detail}.",
              "If a private authority signed it, name the file with its certificate in SSL_CERT_FILE. Else look at the host in the URL, and at the date of this machine."),
    Diagnosis("no-tls", _trouble(ssl.SSLError), "The URL says https, and what listens at {place} does not speak TLS: {detail}.",
              "If the server speaks plain HTTP, as labs-mock does, write http:// in the URL."),
    Diagnosis("wants-tls", _wants_tls, "The URL says http, and what listens at {place} speaks TLS.", "Write https:// in the URL."),
    Diagnosis("timeout", _trouble(TimeoutError), "There is no answer in time from {place}: {detail}.",
              "A firewall may drop the packets, or the server hangs. " + AGAIN),
    Diagnosis("cut", _trouble(IncompleteRead), "The answer ended before it was complete.", "A proxy or a load balancer may have been restarted. " + AGAIN),
    Diagnosis("closed", _trouble(ConnectionError), "The server closed the connection without an answer: {detail}.",
              "If the server speaks TLS, write https:// in the URL. Else a proxy or a load balancer may have been restarted. " + AGAIN),
    Diagnosis("no-http", _trouble(HTTPException), "What listens at {place} does not speak HTTP: {detail}.", "Correct host and port in the URL."),
    Diagnosis("unreachable", lambda call: call.trouble is not None, "The server cannot be reached: {detail}.", "Look at the network of this machine, and at the URL."),
    # A response says it.
    Diagnosis("redirect", lambda call: 300 <= call.status < 400, "The server sends every client on to {location} (status {status}). The key was not sent there.",
              "If the API is there, write that address, up to what stands before /api/v1, as the URL. If it is a login page, something before the service wants you to log in."),
    Diagnosis("key", _status(401), "The service does not accept the key: {message} (status 401).",
              "The key may be misspelt, expired, revoked, or of another server. Make a new one if in doubt. For labs-mock it is the one that `labs-mock serve` prints."),
    Diagnosis("subscription", lambda call: call.status == 403 and call.message == NO_SUBSCRIPTION, "The key has no subscription for this collection (status 403).",
              "Subscribe your organisation to the collection, or use one that the catalog lists."),
    Diagnosis("forbidden", _status(403), "Access is refused: {message} (status 403).", "Something before the service, such as a firewall, may refuse it. Ask whoever runs that."),
    Diagnosis("proxy-login", _status(407), "The proxy {proxy} wants a login: {message} (status 407).", "Write user and password into {variable}, or name {host} in NO_PROXY."),
    Diagnosis("path", lambda call: call.status in (404, 405) and call.path.removeprefix(BASE_PATH) in FIRST, "There is no Labs API under this URL: {message} (status {status}).", PATH),
    Diagnosis("gone", _status(404), "The service does not find what it named before: {message} (status 404).",
              "Its scenarios may have changed in this moment, or several servers answer that do not share their state. Run this again."),
    Diagnosis("rate-limit", _status(429), "The rate limit of the key is used up: {message} (status 429).",
              "Wait for a minute. A client waits until the time in X-RateLimit-Reset; its plan may be too small for so many rollouts."),
    Diagnosis("refused-request", lambda call: 400 <= call.status < 500, "The service refuses the request: {message} (status {status}).",
              "It may have another version of the API. `labs-mock conformance` shows where it differs."),
    Diagnosis("unavailable", _status(502, 503, 504), "The service is not available: {message} (status {status}).", AGAIN),
    Diagnosis("broken", lambda call: call.status >= 500, "The service has failed: {message} (status {status}).", AGAIN),
    Diagnosis("status", lambda call: call.status != 200, "The service answers with status {status}, which the API does not use.", PATH),
    # The response is none of the API.
    Diagnosis("page", _is_page, "A web page comes back, and no JSON: {message}",
              "It may be a login page of something before the service, or another program at this address. " + PATH),
    Diagnosis("no-json", lambda call: call.body is None, "What comes back is no JSON object: {message}", "Another program may answer at this address. " + PATH),
    Diagnosis("empty-catalog", lambda call: call.missing == SCENARIO, "The key works, and its catalog is empty.", "Subscribe the key's organisation to a collection."),
    Diagnosis("shape", lambda call: bool(call.missing), "The answer has no {missing}, which every client needs.",
              "The service may have another version of the API. `labs-mock conformance` shows where it differs."),
)  # fmt: skip
"""The first that applies is what is wrong; where none does, the call works."""

NOTES = (
    Diagnosis("proxied", lambda call: bool(call.proxy), "It went through the proxy {proxy}, which the environment names in {variable}.",
              "If your client should not, name {host} in NO_PROXY."),
    Diagnosis("slow", lambda call: call.seconds > PATIENCE, f"It took {{seconds}} s. A client with a timeout of {PATIENCE:g} s, which is the default of httpx, gives up before.",
              "Give your client a timeout of 30 s."),
    Diagnosis("clock", lambda call: abs(call.skew) > SKEW, "By X-RateLimit-Reset, the server's clock is {skew}.",
              "A client that waits until then waits too long, or not at all. A labs-mock with a frozen clock is meant to be so; else correct the date of this machine."),
)  # fmt: skip
"""All that apply are worth a word where the call works."""


def problem(call: DoctorCall) -> Diagnosis | None:
    """What is wrong; None where nothing is."""
    return next((row for row in PROBLEMS if row.applies(call)), None)


def notes(call: DoctorCall) -> list[Diagnosis]:
    """What is worth a word."""
    return [row for row in NOTES if row.applies(call)]
