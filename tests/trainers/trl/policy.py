"""Tiny random models that say whole phrases, and runs of TRL's trainers with them. Nothing is fetched."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT

datasets = pytest.importorskip("datasets")
pandas = pytest.importorskip("pandas")
tokenizers = pytest.importorskip("tokenizers")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
trl = pytest.importorskip("trl")

torch.set_num_threads(1)  # more only wait for each other

MARKS = [
    pytest.mark.trainers,
    pytest.mark.labs_mock(canary=True),
    pytest.mark.usefixtures("labs_mock_env"),
    pytest.mark.filterwarnings("ignore:.*is deprecated and will be removed in v6:FutureWarning"),  # TRL's own calls
    pytest.mark.filterwarnings("ignore:You are using '(rollout_func|environment_factory)', which is an experimental"),
]
"""Marks of modules that train with rewards."""

SLUGS: dict[str, Any] = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
OPENING = "Hello, I'm calling about my workers' compensation claim."
PROMPT = [{"role": "user", "content": OPENING}]
PHRASES = (
    "Please tell me what happened.",
    "That sounds hard, thank you for telling me.",
    "Do you feel any numbness or tingling?",
    "Do you have any other work, a second job perhaps?",
    "Did you report it, and did anyone see it?",
    "Are you worried about going back?",
    "You should have been more careful.",
    "I will call you when I have the papers.",
)
"""What the scenario rewards, in parts, and what it does not."""

TEMPLATE = (Path(trl.__file__).parent / "chat_templates" / "qwen2_5.jinja").read_text()
"""One that takes tool calls, and does not change what stands before a new message."""

READ = (TEMPLATE, (ROOT / "scenarios" / "case-management" / "lower-back-claim.yaml").read_text(encoding="utf-8"))
"""Texts with the words that a policy has to read."""

Messages = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Policy:
    """A model whose every token is a phrase or the end, so that random weights earn varied rewards."""

    model: Any
    tokenizer: Any
    first: int

    @classmethod
    def of(cls, phrases: tuple[str, ...] = PHRASES) -> "Policy":
        """A new one, always with the same weights. Its other tokens are for reading."""
        special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
        pieces = tokenizers.Tokenizer(tokenizers.models.BPE())
        pieces.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        pieces.decoder = tokenizers.decoders.ByteLevel()
        alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
        options = {"special_tokens": special, "initial_alphabet": alphabet, "show_progress": False}
        pieces.train_from_iterator(READ, tokenizers.trainers.BpeTrainer(vocab_size=2000, **options))
        tokenizer = transformers.PreTrainedTokenizerFast(
            tokenizer_object=pieces, pad_token=special[0], eos_token=special[2], chat_template=TEMPLATE
        )
        first = len(tokenizer)
        tokenizer.add_tokens([tokenizers.AddedToken(f"{phrase} ", normalized=False) for phrase in phrases])
        transformers.set_seed(0)
        size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
        ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
        config = transformers.LlamaConfig(vocab_size=len(tokenizer), **size, **ends)
        return cls(transformers.LlamaForCausalLM(config), tokenizer, first)

    def says(self, phrases: int) -> dict[str, Any]:
        """Options of generation: from one to so many phrases, and then the end."""
        end = self.tokenizer.eos_token_id
        others = [token for token in range(self.first) if token != end]
        ends = {"forced_eos_token_id": end, "min_new_tokens": 1, "max_new_tokens": phrases + 1}
        return {"suppress_tokens": others, **ends}

    def weights(self) -> list[Any]:
        """A copy of its weights."""
        return [weights.detach().clone() for weights in self.model.parameters()]


def options(folder: Path, **more: Any) -> dict[str, Any]:
    """Options of all trainers: two steps on the processor, in float32, with nothing but logs."""
    common = {"output_dir": str(folder), "use_cpu": True, "bf16": False, "report_to": "none", "save_strategy": "no"}
    return {**common, "max_steps": 2, "logging_steps": 1, "disable_tqdm": True, **more}


def train_grpo(
    policy: Policy, folder: Path, *, prompt: Messages = PROMPT, phrases: int = 3, config: Any = (), **trainer: Any
) -> "Log":
    """Two steps of `GRPOTrainer`, each of four groups of four rollouts; what it logged, and what its loss was computed on."""
    given = {"per_device_train_batch_size": 16, "num_generations": 4, "learning_rate": 0.01, **dict(config)}
    logs = {"log_completions": True, "num_completions_to_print": 0}
    args = trl.GRPOConfig(**options(folder, generation_kwargs=policy.says(phrases), **logs, **given))
    dataset = datasets.Dataset.from_dict({"prompt": [prompt] * 4})
    grpo = trl.GRPOTrainer(policy.model, args=args, train_dataset=dataset, processing_class=policy.tokenizer, **trainer)
    trained: dict[float, list[str]] = {}
    compute_loss = grpo.compute_loss

    def recorded(model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        trained.update(zip(inputs["advantages"].tolist(), trained_texts(policy.tokenizer, inputs), strict=True))
        return compute_loss(model, inputs, *rest, **named)

    grpo.compute_loss = recorded
    before = policy.weights()
    grpo.train()
    return Log(folder, trained, any(not torch.equal(*pair) for pair in zip(before, policy.weights(), strict=True)))


def trained_texts(tokenizer: Any, inputs: Any) -> Iterator[list[str]]:
    """The spans of each completion that count in the loss."""
    masks = inputs["completion_mask"] * inputs.get("tool_mask", 1)
    for ids, mask in zip(inputs["completion_ids"].tolist(), masks.tolist(), strict=True):
        spans = groupby(zip(ids, mask, strict=True), key=itemgetter(1))
        yield [tokenizer.decode([token for token, _ in span]) for counts, span in spans if counts]


@dataclass(frozen=True, slots=True)
class Log:
    """What `GRPOTrainer` wrote with `log_completions`: a table a step, a row a rollout, over all processes.

    `trained` has the texts that the loss of this process was computed on, by the advantage: TRL shuffles rollouts before.
    `learned`: whether weights have changed.
    """

    folder: Path
    trained: dict[float, list[str]] = field(default_factory=dict)
    learned: bool = False

    @property
    def tables(self) -> list[Any]:
        """The tables, step by step."""
        return [pandas.read_parquet(path) for path in sorted(self.folder.glob("completions/*.parquet"))]

    def column(self, name: str) -> list[Any]:
        """A column of all steps, such as `advantage` or that of a reward function."""
        return [value for table in self.tables for value in table[name]]

    def conversations(self) -> Iterator[Messages]:
        """Prompts and completions, one after the other."""
        for prompt, completion in zip(self.column("prompt"), self.column("completion"), strict=True):
            yield [{"role": one["role"], "content": one["content"]} for one in [*prompt, *completion]]

    def texts(self) -> list[list[str]]:
        """The texts of each rollout that the loss was computed on."""
        return [self.trained[advantage] for advantage in self.column("advantage")]

    def groups(self, size: int = 4) -> list[range]:
        """The numbers of the rollouts of each group."""
        return [range(start, start + size) for start in range(0, len(self.column("advantage")), size)]
