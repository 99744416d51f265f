"""`docs/findings.md`, written by `make generated`: every code with its cause and its cure."""

from labs_mock.contract.findings import KINDS, RUN_KINDS, Kind


def findings() -> str:
    """The page: findings of single requests, findings over a run, and those of a running server."""
    return f"{HEAD}{_rows(KINDS)}\n{OVER_RUN}{_rows(RUN_KINDS)}\n{OF_A_SERVER}"


def _rows(kinds: dict[str, Kind]) -> str:
    return "\n".join(f"| `{code}` | {kind.severity} | {kind.cause} | {kind.cure} |" for code, kind in kinds.items())


HEAD = """\
<!-- Written by `make generated` from the table of findings. -->

# Findings

A finding reports something about a request that the service would accept silently and that was probably not meant, such as a misspelt
field. It is for people who write a client or a trainer. Nothing has to be turned on: a finding stands in the response header
`X-Mock-Findings`, which is the only thing that this mock adds under `/api/v1`. Refused requests have it, too.

```sh
curl -s -o /dev/null -D - http://127.0.0.1:8765/api/v1/evaluate \\
  -H "Authorization: Bearer lab_local" -H "Content-Type: application/json" \\
  -d '{"collection_slug": "case-management", "scenario_slug": "lower-back-claim", "mesages": [],
       "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "What happened?"}]}' |
  grep -i findings
```

```text
x-mock-findings: unknown_field;severity=warning;place="mesages"
```

Where else findings are shown:

| in | how |
|---|---|
| a test | [the pytest plugin](pytest.md#findings) fails a test that has a warning |
| a terminal | [`labs-mock findings URL`](#of-a-running-server) lists all findings of a running server |
| Python | `labs_mock.findings()` and `labs_mock.assert_no_findings()` |
| any language | `GET /_mock/findings` ([control plane](control.md#over-http)) |
| the browser | [the inspector](inspector.md) |

A `warning` is probably a mistake. An `info` is a habit that works here, and may work less well elsewhere.

## Of single requests

In the header, findings are separated by commas. `place` is a path in the request's body; characters other than printable ASCII are
shown as `?`. At most ten findings are listed; `and_more;count=…` counts the others.

| code | severity | cause | what to do |
|---|---|---|---|
"""

OVER_RUN = """
## Over a run

Some mistakes show only in several requests. These findings are in no header and belong to no single request: they name the numbers of
all requests that prove them. They are looked for at the end of a test by the [plugin](pytest.md#what-fails-a-test), and whenever
`labs_mock.findings()`, `GET /_mock/findings` or `labs-mock findings` is called.

| code | severity | cause | what to do |
|---|---|---|---|
"""

OF_A_SERVER = """
A *retry* is a request with the same method, path, body and key as an earlier one, which arrives after the response to that one was sent.

Two things to know:

- Many tasks that share a key may each get a 429, even for equal requests, and wait. That is no finding, because each of the requests comes
  again after the reset.
- A cut export whose error your client raises looks the same as one that was taken for complete. After a test of that, call
  `labs_mock.forget_requests()`.

## Of a running server

While a trainer runs against `labs-mock serve`, or after it, this command lists all findings with their requests and what to change:

<!-- ends: 1 -->
```sh
for attempt in 1 2 3; do
  curl -s -o /dev/null http://127.0.0.1:8765/api/v1/evaluate -H "Authorization: Bearer lab_local" \\
    -H "Content-Type: application/json" -d '{"collection_slug": "case-management", "scenario_slug": "lower-back-clam",
      "messages": [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "What happened?"}]}'
done
labs-mock findings http://127.0.0.1:8765
```

```text
unknown_field (warning): 1 finding
The request has a field that is not documented. It was ignored (GEN-4).
Compare its spelling with the documentation. Remove it if the API has no such field.
  request 1: POST /api/v1/evaluate -> 200 at mesages: did you mean 'messages'?

retried_on_400 (warning): 1 finding
A request whose response was a 400, 401, 403 or 404 was sent again, unchanged, at least twice. The request itself is wrong, so the next response is the same.
Retry only after a 429, a 5xx or a broken connection. Raise an error for what is refused.
  requests 2, 3 and 4: POST /api/v1/evaluate -> 404: answered 404, and sent again twice

http://127.0.0.1:8765: 2 warnings, 0 infos
```

`--format json` prints one object with all findings, `--format junit` a test case for each code.

| exit code | |
|---|---|
| 0 | there is no warning |
| 1 | there is a warning |
| 2 | the server refuses; it may need `--control-token` |
| 3 | nothing responds at that address |

A request that got a 503 because the [store](scaling.md) of the server's state did not respond (GEN-2) is in no journal, and has no findings.
"""
