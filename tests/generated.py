"""Files that a program writes: `make generated` writes them anew, and a test holds that they are as they would be.

The examples of the OpenAPI document are what a server of the shipped library answers; only their requests are
written by hand.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from labs_mock.config.library import load_library, read_library, shipped_library
from labs_mock.config.printing import KINDS as FILES
from labs_mock.config.printing import schema_text
from labs_mock.config.settings import settings_from
from labs_mock.conformance.verdicts import UNSEEN
from labs_mock.contract.clauses import BY_NAME, PARTS, SECTIONS
from labs_mock.contract.findings import KINDS, RUN_KINDS
from labs_mock.contract.operations import OPERATIONS
from labs_mock.scenario.files.known_files import TABLE, scenario_line, value_line
from labs_mock.scenario.files.loader import Loader
from labs_mock.scenario.files.yaml_document import YamlDocument
from labs_mock.state import World
from tests.broken_clients.page import broken_clients
from tests.conformance.mutants import Mutant, every
from tests.drills_page import drills
from tests.fidelity_page import fidelity
from tests.pages import ROOT
from tests.support import KEY, live

EXAMPLE_TERMS = {"subscriptions": ["case-management"], "name": "nightly tests", "expires": "2027-01-01T00:00:00Z"}
EXAMPLES = ROOT / "src/labs_mock/contract/examples.json"


def examples() -> str:
    """`examples.json`, with the answers of a fresh server to its requests, sent in the table's order."""
    given = json.loads(EXAMPLES.read_text())
    served = World(settings_from({"clock": "frozen"}), load_library(shipped_library()))
    with live(served) as server:
        server.client.patch(f"/_mock/keys/{KEY}", json=EXAMPLE_TERMS).raise_for_status()
        for operation in OPERATIONS:
            example = given[operation.name]
            if operation.name == "take_turn":
                example["id"] = example["request"]["id"] = given["create_episode"]["response"]["episode_id"]
            answer = server.client.request(
                operation.method,
                operation.full_path.format(id=example.get("id")),
                json=example.get("request"),
                headers={"authorization": f"Bearer {KEY}"},
            ).raise_for_status()
            example["response"] = answer.text if operation.streams else answer.json()
    return json.dumps(given, indent=2, ensure_ascii=False) + "\n"


def known_files() -> str:
    """`known-files.txt`: the files of the shipped library, all of them checked, and none of them with a warning."""
    loader = Loader(shipped_library())
    library = read_library(loader)
    loader.problems.complain()
    assert not library.warnings
    scenarios = {f"{one.collection}/{one.slug}.yaml": one for one in library.scenarios}
    lines = []
    for path in sorted(loader.folder.rglob("*.yaml")):
        name, text = loader.name(path), path.read_bytes()
        if name in scenarios:
            lines.append(scenario_line(name, text, scenarios[name]))
        else:
            lines.append(value_line(name, text, YamlDocument(name, text).value))
    return "".join(line.decode() + "\n" for line in lines)


def findings() -> str:
    """`docs/findings.md`: every code with its cause and its cure."""
    single, over_run = (
        "\n".join(f"| `{code}` | {kind.severity} | {kind.cause} | {kind.cure} |" for code, kind in kinds.items())
        for kinds in (KINDS, RUN_KINDS)
    )
    return f"{FINDINGS}{single}\n{OVER_RUN}{over_run}\n{OF_A_SERVER}"


FINDINGS = """\
<!-- Written by `make generated` from the table of findings. -->

# Findings

A finding reports something that the service would accept silently and that was probably not meant. It changes nothing of the
response but the header `X-Mock-Findings`, of refused requests too: the one thing that this mock adds under `/api/v1`.

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

Findings are separated by commas. `place` is a path in the request's body; characters other than printable ASCII are shown as
`?`. After ten of them `and_more;count=…` counts the others. A `warning` is probably a mistake; an `info`
is a habit that works, and may work less well elsewhere.

A request that got a 503 since the [store](scaling.md) of the server's state did not answer (GEN-2) is in no journal, and has no findings.

| code | severity | cause | cure |
|---|---|---|---|
"""

OVER_RUN = """
## Over a run

Some mistakes show only in several requests. They are looked for when somebody asks: at the end of a test by the
[plugin](pytest.md#what-fails-a-test), by `labs_mock.findings()`, by `GET /_mock/findings` and by `labs-mock findings`. They stand in
no header and on no single request, but name the numbers of those that prove them. A *retry* is a request with the same method, path,
body and key as an earlier one, which arrived after the answer to that had gone out.

Many tasks that share a key may each get a 429, even for equal requests, and wait: that is none of these, since each of the requests
comes again later. A cut export whose error your client raises looks like one that was taken for whole: after such a test call
`labs_mock.forget_requests()`.

| code | severity | cause | cure |
|---|---|---|---|
"""
OF_A_SERVER = """
## Of a running server

While a trainer runs against `labs-mock serve`, or after it, this prints all findings with their requests and with what to change:

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
Compare its spelling with the documentation; remove it if it is none of the API's.
  request 1: POST /api/v1/evaluate -> 200 at mesages: did you mean 'messages'?

retried_on_400 (warning): 1 finding
A request that was answered 400, 401, 403 or 404 was sent again, unchanged, at least twice. It was refused for what it is, so the next answer is the same.
Retry after 429, 5xx and broken connections alone; raise what is refused.
  requests 2, 3 and 4: POST /api/v1/evaluate -> 404: answered 404, and sent again twice

http://127.0.0.1:8765: 2 warnings, 0 infos
```

With `--format json` it is one object with all of it, with `--format junit` a test case for each code. The exit code is 1 if there is a
warning, 2 if the server refuses (it may have a `control_token`, which is given as `--control-token`), and 3 if nothing responds.
"""


def mutants() -> str:
    """`docs/mutants.md`: the broken servers of each clause, and the parts of clauses that have none."""
    parts = [MUTANTS.format(count=len(every.MUTANTS))]
    for section, title in SECTIONS.items():
        rows = [_mutant(one) for one in every.MUTANTS if BY_NAME[one.part.clause].section == section]
        if rows:
            parts += [f"## {title}\n", "| clause | basis | broken so |\n|---|---|---|", *rows, ""]
    parts += ["## What cannot be seen from outside\n", "| clause | basis | since |\n|---|---|---|", *_unbroken()]
    return "\n".join(parts) + "\n"


def _mutant(mutant: Mutant) -> str:
    return f"| {mutant.part.clause} | {mutant.part.basis} | {mutant.sentence} |"


def _unbroken() -> list[str]:
    """The parts of clauses that no mutant breaks, since they are not checked."""
    broken = {mutant.part for mutant in every.MUTANTS}
    return [f"| {part.clause} | {part.basis} | {UNSEEN[part.clause]} |" for part in PARTS if part not in broken]


MUTANTS = """\
<!-- Written by `make generated` from the mutants in `tests/conformance/mutants`. -->

# What the conformance suite finds

A suite that cannot fail shows nothing. So `labs-mock conformance` is tried on {count} servers that are broken on purpose: each is
this mock with one small change, and the suite must report it under the clause that it breaks, whether the service documents
that or we inferred it. The server without a change must pass, whatever the seed.
"""

GENERATED: dict[Path, Callable[[], str]] = {
    TABLE: known_files,
    EXAMPLES: examples,
    ROOT / "docs/broken-clients.md": broken_clients,
    ROOT / "docs/fidelity.md": fidelity,
    ROOT / "docs/drills.md": drills,
    ROOT / "docs/findings.md": findings,
    ROOT / "docs/mutants.md": mutants,
    **{ROOT / f"scenarios/.schema/{kind}.json": partial(schema_text, kind) for kind in FILES},
}

if __name__ == "__main__":
    for path, text in GENERATED.items():
        path.write_text(text(), encoding="utf-8")
