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
from labs_mock.contract.operations import OPERATIONS
from labs_mock.scenario.files.known_files import TABLE, scenario_line, value_line
from labs_mock.scenario.files.loader import Loader
from labs_mock.scenario.files.yaml_document import YamlDocument
from labs_mock.state import World
from tests.broken_clients.page import broken_clients
from tests.drills_page import drills
from tests.fidelity_page import fidelity
from tests.findings_page import findings
from tests.mutants_page import mutants
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
