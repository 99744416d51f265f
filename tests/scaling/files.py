"""The files of `examples/scaling` as tests see them."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.pages import ROOT

FOLDER = ROOT / "examples/scaling"
COMPOSE = FOLDER / "compose.yaml"
KUBERNETES = FOLDER / "kubernetes.yaml"
SECRETS = {"STORE_PASSWORD": "a-password", "CONTROL_TOKEN": "a-token", "LABS_MOCK_IMAGE": "an-image"}
SECRET_KEYS = {"store-password": SECRETS["STORE_PASSWORD"], "control-token": SECRETS["CONTROL_TOKEN"]}


class Deployed(NamedTuple):
    """What a file starts: environment and command of a server and of the store, and the paths that are probed."""

    server: dict[str, str]
    command: list[str]
    store: dict[str, str]
    store_command: list[str]
    probed: list[str]


def compose() -> Any:
    """The file for compose, with the variables replaced as compose does."""
    return yaml.safe_load(re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: SECRETS[found[1]], COMPOSE.read_text("utf-8")))


def objects() -> dict[tuple[str, str], Any]:
    """The objects of the file for Kubernetes by kind and name."""
    found = yaml.safe_load_all(KUBERNETES.read_text("utf-8"))
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


def by_compose() -> Deployed:
    """What the file for compose starts."""
    services = compose()["services"]
    server, store = services["one"], services["store"]
    command = [word.replace("$$", "$") for word in store["command"]]
    probed = re.findall(r"/_mock/\w+", server["healthcheck"]["test"][-1])
    return Deployed(server["environment"], server["command"], store["environment"], command, probed)


def by_kubernetes() -> Deployed:
    """What the file for Kubernetes starts."""
    made = objects()
    server = container_of(made["Deployment", "labs-mock"])
    store = container_of(made["StatefulSet", "labs-mock-store"])
    probed = [server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")]
    return Deployed(_environment(server), server["command"], _environment(store), store["command"], probed)


def container_of(workload: Any) -> Any:
    """The one container of a pod."""
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return container


def _environment(container: Any) -> dict[str, str]:
    return {
        one["name"]: one["value"] if "value" in one else SECRET_KEYS[one["valueFrom"]["secretKeyRef"]["key"]]
        for one in container["env"]
    }


def schema() -> Path:
    """The JSON Schema of compose files."""
    return Path(__file__).with_name("compose-spec.json")
