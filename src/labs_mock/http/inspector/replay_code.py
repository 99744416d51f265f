"""A request of the journal as code that sends it again: a command for a shell, a call of httpx, a test."""

import shlex
from base64 import b64encode
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from labs_mock.ids import fingerprint
from labs_mock.redaction import Redact
from labs_mock.state.record import Record

MAX_ARGUMENT = 100_000  # bytes; Linux takes at most 128 KiB in one argument
JSON_TYPE = "application/json"
_SAFE = "/:@!$&'()*+,;=~"  # in a path, beside letters and digits
_PRINTED = "".join(map(chr, range(0x21, 0x7F)))


class SentRequest(NamedTuple):
    """What of a request is sent again. `target` is path and query as they stand in a URL; the key is not in it."""

    number: int
    method: str
    url: str
    target: str
    with_key: bool
    body: bytes
    status: int


def sent_request(record: Record, url: str) -> SentRequest:
    """What of a record's request is sent again, to a server at `url` unless `LABS_URL` names another."""
    target = quote(record.path, safe=_SAFE)
    if record.query:  # as it came, which is nearly always ASCII
        target += f"?{quote(record.query.encode('latin-1'), safe=_PRINTED)}"
    return SentRequest(
        record.number,
        record.method,
        url,
        target,
        bool(record.key or record.credentials),
        record.body("request") or b"",
        record.status,
    )


def why_not(record: Record, redact: Redact) -> str:
    """Why a request cannot be sent again as it was; empty if it can."""
    body = record.body("request")
    if body is None or len(body) != record.size:
        return "Its body was not kept whole: the journal had no room for it, or the server did not read it."
    texts = (record.path, record.query, body.decode("utf-8", "replace"))
    path = f"{record.path}?{record.query}" if record.query else record.path
    kept = fingerprint(record.organisation or "", record.method, path, body)
    if any(redact(text) != text for text in texts) or kept != record.fingerprint:  # shared stores have keys masked
        return "There is a key in it, which is not shown."
    return ""


def as_curl(sent: SentRequest) -> str:
    """A command for a shell, which takes the key from `LABS_API_KEY`."""
    words = ["curl", "-sSg", *(["--head"] if sent.method == "HEAD" else ["-X", shlex.quote(sent.method)])]
    words.append(f'"${{LABS_URL:-{sent.url}}}"{shlex.quote(sent.target)}')
    if sent.with_key:
        words += ["-H", '"Authorization: Bearer $LABS_API_KEY"']
    before = ""
    if sent.body:
        words += ["-H", shlex.quote(f"Content-Type: {JSON_TYPE}")]
        text = _text(sent.body)
        if text is None or len(sent.body) > MAX_ARGUMENT:  # which no argument of a program can be
            before = f"printf %s {b64encode(sent.body).decode()} | base64 -d | "
            words += ["--data-binary", "@-"]
        else:
            words += ["--data-raw", shlex.quote(text)]
    return before + " ".join(words) + "\n"


def as_httpx(sent: SentRequest) -> str:
    """A Python program that prints the response."""
    return f"import os\n\nimport httpx\n\n{_call(sent, '')}print(response.status_code, response.text)\n"


def as_pytest(sent: SentRequest) -> str:
    """A module with one test, which wants the status that there was."""
    return (
        f"import os\n\nimport httpx\n\n\ndef test_request_{sent.number}() -> None:\n"
        f'    """Request {sent.number} of a labs-mock session, sent again to a server in the state that it met."""\n'
        f"{_call(sent, '    ')}    assert response.status_code == {sent.status}, response.text\n"
    )


def _call(sent: SentRequest, indent: str) -> str:
    """An httpx call, with its body as it was, byte for byte."""
    lines = [
        f'{indent}url = os.environ.get("LABS_URL", {sent.url!r})',
        f"{indent}response = httpx.request(",
        f"{indent}    {sent.method!r},",
        f"{indent}    url + {sent.target!r},",
    ]
    headers = ['"Authorization": f"Bearer {os.environ[\'LABS_API_KEY\']}"'] * sent.with_key
    headers += [f'"Content-Type": "{JSON_TYPE}"'] * bool(sent.body)
    if headers:
        lines.append(f"{indent}    headers={{{', '.join(headers)}}},")
    if sent.body:
        lines.append(f"{indent}    content={sent.body!r},")
    lines += [f"{indent}    timeout=60,", f"{indent})"]
    return "\n".join(lines) + "\n"


def _text(body: bytes) -> str | None:
    """A body as the text that it is; None for one that is none, or that no command line can have."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


FORMS: dict[str, Callable[[SentRequest], str]] = {"curl": as_curl, "httpx": as_httpx, "pytest": as_pytest}
"""What a request can be copied as."""
