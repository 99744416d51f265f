"""GRPO on rewards of Labs: a tiny random model, made here, learns which sentences to say. Put yours in its place."""

import os
import time
from contextlib import suppress

import httpx
from datasets import Dataset
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed
from trl import GRPOConfig, GRPOTrainer

URL, KEY = os.environ.get("LABS_URL", "http://127.0.0.1:8765"), os.environ.get("LABS_API_KEY", "lab_local")
SCENARIO = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
PHRASES = [
    "Please tell me what happened.",
    "That sounds hard, thank you for telling me.",
    "Do you feel any numbness or tingling?",
    "Do you have any other work, a second job perhaps?",
    "You should have been more careful.",
]
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}"
HTTP = httpx.Client(base_url=f"{URL}/api/v1", headers={"Authorization": f"Bearer {KEY}"}, timeout=10)


def call(path, body):
    """The answer, None if the service fails three times. What it refuses raises, and ends the training."""
    for pause in (1, 4, 0):
        with suppress(httpx.TransportError, ValueError):  # no answer, or one that is no JSON
            response = HTTP.post(path, json=body)
            if response.status_code == 429:
                time.sleep(max(1, int(response.headers["X-RateLimit-Reset"]) - time.time()))
                continue
            if response.status_code < 500:
                return response.raise_for_status().json()
        time.sleep(pause)
    return None


def labs(prompts, completions, **_):
    """The reward of each completion, None where there is none: TRL leaves that one out."""
    conversations = [one + other for one, other in zip(prompts, completions, strict=True)]
    items = [{"id": str(number), **SCENARIO, "messages": one} for number, one in enumerate(conversations)]
    answer = call("/batch/evaluate", {"items": items}) or {"results": []}  # up to 100 items
    rewards = {result["id"]: result.get("reward") for result in answer["results"]}
    return [rewards.get(item["id"]) for item in items]


def tiny_policy():
    """A model with random weights, and its tokenizer: a token is a phrase, and all else is unknown."""
    words = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "<end>": 2}, "<unk>"))
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "<end>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, chat_template=TEMPLATE, **special)
    tokenizer.add_tokens(PHRASES)
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    set_seed(0)
    config = LlamaConfig(vocab_size=len(tokenizer), pad_token_id=0, eos_token_id=2, bos_token_id=None, **size)
    return LlamaForCausalLM(config), tokenizer


def train(**options):  # of `GRPOConfig`, beside ours or in their place
    opening = call("/episodes", SCENARIO)["initial_observation"]["content"]  # known only by creating an episode
    model, tokenizer = tiny_policy()
    only_phrases = {"suppress_tokens": [0, 1], "min_new_tokens": 1}
    group = {"per_device_train_batch_size": 16, "num_generations": 16, "max_completion_length": 4, "max_steps": 20}
    laptop = {"use_cpu": True, "bf16": False, "report_to": "none", "save_strategy": "no", "logging_steps": 1}
    config = GRPOConfig("out", learning_rate=0.05, generation_kwargs=only_phrases, **{**group, **laptop, **options})
    dataset = Dataset.from_list([{"prompt": [{"role": "user", "content": opening}]}])
    trainer = GRPOTrainer(model, labs, config, dataset, processing_class=tokenizer)
    trainer.train()
    return trainer


def main():
    means = [entry["reward"] for entry in train().state.log_history if "reward" in entry]
    print(f"mean reward {means[0]:.3f} -> {means[-1]:.3f}")


if __name__ == "__main__":
    main()
