import re
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import pytest

from labs_mock.contract.openapi import row_features
from labs_mock.testing import LabsMock

datasets = pytest.importorskip("datasets")
trl = pytest.importorskip("trl")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("ignore:.gradient_checkpointing. is deprecated"),  # TRL's own default
]

FEATURES = datasets.Features.from_dict(orjson.loads(row_features()))
TEMPLATE = (Path(trl.__file__).parent / "chat_templates" / "qwen3_training.jinja").read_text()
"""A template that shows thoughts, and marks what the model itself is to say."""
THOUGHTS = re.compile("<think>.*?</think>", re.DOTALL)


@pytest.fixture
def model(tokenizer: Any) -> Any:
    """A language model of a few thousand random weights."""
    transformers.set_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=len(tokenizer), **size))


def trainer(model: Any, tokenizer: Any, dataset: Any, folder: Path, **options: Any) -> Any:
    """TRL's trainer for two steps on the processor, without any setting about the dataset's format."""
    given = {"max_steps": 2, "per_device_train_batch_size": 2, "use_cpu": True, "report_to": "none"}
    config = trl.SFTConfig(output_dir=str(folder), save_strategy="no", disable_tqdm=True, **given, **options)
    tokenizer.chat_template = TEMPLATE
    return trl.SFTTrainer(model, args=config, train_dataset=dataset, processing_class=tokenizer)


@pytest.mark.parametrize("name", ["by-hand", "check-ins"])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "streaming"])
@pytest.mark.parametrize("features", [None, FEATURES], ids=["inferred", "published"])
def test_a_model_is_trained_on_rows(
    features: Any, streaming: bool, name: str, model: Any, tokenizer: Any, exports: dict[str, Path], tmp_path: Path
) -> None:
    """`SFTTrainer` takes an export for conversations and learns from it (ROW-1, ROW-2)."""
    dataset = datasets.load_dataset(
        "json",
        data_files=str(exports[name]),
        split="train",
        streaming=streaming,
        features=features,
        cache_dir=str(tmp_path),
    )
    before = [weights.detach().clone() for weights in model.parameters()]
    result = trainer(model, tokenizer, dataset, tmp_path).train()
    assert result.global_step == 2
    assert 0 < result.training_loss < 20
    assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


def test_what_is_learned_is_what_operators_said(
    model: Any, tokenizer: Any, exports: dict[str, Path], labs_mock: LabsMock, tmp_path: Path
) -> None:
    """Asked to learn the assistant's part only, it takes each operator's message, thoughts and silence too (TOK-1, TOK-2)."""
    rows = [orjson.loads(line) for line in exports["check-ins"].read_bytes().splitlines()[:10]]
    dataset = datasets.load_dataset(
        "json", data_files=str(exports["check-ins"]), split="train", features=FEATURES, cache_dir=str(tmp_path)
    ).select(range(len(rows)))
    options = {"assistant_only_loss": True, "max_length": None, "shuffle_dataset": False}
    prepared = trainer(model, tokenizer, dataset, tmp_path, **options).train_dataset
    texts = [
        [tokenizer.decode([*part]) for learned, part in groupby(labels, lambda label: label != -100) if learned]
        for labels in prepared["labels"]
    ]
    conversations = [row["messages"] for row in rows]
    assert any(message["content"] == "<no_response/>" for messages in conversations for message in messages)
    labs_mock.assert_trained(texts, conversations, special=["<|im_end|>", THOUGHTS])
    for spans, messages in zip(texts, conversations, strict=True):
        operators = [message for message in messages if message["role"] == "assistant"]
        for span, message in zip(spans, operators, strict=True):
            assert message.get("thinking", "") in span
