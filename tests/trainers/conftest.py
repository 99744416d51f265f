"""Exports of the shipped library as files, and a tokenizer that is made here. Nothing is fetched."""

import atexit
import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.state import World
from tests.support import KEY, live, world

SHIPPED = {
    "by-hand": "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938",
    "check-ins": "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d",
    "pension-talks": "b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a31",
}
"""Datasets of the shipped library: by hand, of 200 rows, and of 10,000."""

if find_spec("datasets"):  # which reads these when it is imported
    os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="labs-mock-trainers-")
    os.environ["HF_HUB_OFFLINE"] = "1"
    atexit.register(shutil.rmtree, os.environ["HF_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shipped datasets by name, each as a client stores what it is sent."""
    folder = tmp_path_factory.mktemp("exports")
    headers = {"authorization": f"Bearer {KEY}"}
    with live(World(world().settings, load_library(shipped_library()))) as server:
        for name, number in SHIPPED.items():
            url = f"/api/v1/training-datasets/{number}"
            while server.client.get(f"{url}/status", headers=headers).raise_for_status().json()["status"] != "ready":
                pass
            answer = server.client.get(f"{url}/export", headers=headers).raise_for_status()
            (folder / f"{name}.jsonl").write_bytes(answer.content)
    return {name: folder / f"{name}.jsonl" for name in SHIPPED}


@pytest.fixture(scope="session")
def conversations(exports: dict[str, Path]) -> list[list[dict[str, str]]]:
    """The messages of some exported rows: with silence, with `thinking`, and without."""
    lines = [line for path in exports.values() for line in path.read_bytes().splitlines()[:25]]
    return [orjson.loads(line)["messages"] for line in lines]


@pytest.fixture(scope="session")
def tokenizer(conversations: list[list[dict[str, str]]]) -> Any:
    """A small tokenizer that was trained on the texts of the rows; it has no chat template."""
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    pieces = tokenizers.Tokenizer(tokenizers.models.BPE())
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = tokenizers.decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=list(special.values()),
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator((message["content"] for messages in conversations for message in messages), trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, **special)
