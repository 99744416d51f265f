"""Files that a program writes: `make generated` writes them anew, and a test holds that they are as they would be.

The examples of the OpenAPI document are what a server of the shipped library answers; only their requests are
written by hand.
"""

import json
from collections.abc import Callable
from pathlib import Path

from labs_mock.contract.operations import OPERATIONS
from labs_mock.scenario.loader import load_library, shipped_library
from labs_mock.scenario.printing import KINDS, schema_text
from labs_mock.settings import settings_from
from labs_mock.world import World
from tests.pages import ROOT
from tests.support import KEY, live

EXAMPLES = ROOT / "src/labs_mock/contract/examples.json"


def examples() -> str:
    """`examples.json`, with the answers of a fresh server to its requests, sent in the table's order."""
    given = json.loads(EXAMPLES.read_text())
    served = World(settings_from({"clock": "frozen"}), load_library(shipped_library()))
    with live(served) as server:
        server.client.patch(f"/_mock/keys/{KEY}", json={"subscriptions": ["case-management"]}).raise_for_status()
        episode = ""
        for operation in OPERATIONS:
            example = given[operation.name]
            if "id" in example.get("request", ()):
                example["request"]["id"] = episode
            answer = server.client.request(
                operation.method,
                operation.full_path.format(id=episode),
                json=example.get("request"),
                headers={"authorization": f"Bearer {KEY}"},
            )
            example["answer"] = answer.raise_for_status().json()
            episode = example["answer"].get("episode_id", episode)
    return json.dumps(given, indent=2, ensure_ascii=False) + "\n"


GENERATED: dict[Path, Callable[[], str]] = {
    EXAMPLES: examples,
    **{ROOT / f"scenarios/.schema/{kind}.json": lambda kind=kind: schema_text(kind) for kind in KINDS},  # type: ignore[misc]
}

if __name__ == "__main__":
    for path, text in GENERATED.items():
        path.write_text(text(), encoding="utf-8")
