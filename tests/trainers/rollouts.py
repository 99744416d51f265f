"""Rollouts for tests of trainers: models that have a script, and a tokenizer of bytes. No two scripts have the same reward."""

import gc
from typing import Any

import httpx
import pytest

THEIRS = [
    pytest.mark.trainers,
    pytest.mark.filterwarnings("ignore"),  # of theirs there are many
]
"""Marks of a module that runs somebody else's trainer."""

CLAIM: dict[str, Any] = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
OPENING = {"role": "user", "content": "Hello, I'm calling about my workers' compensation claim."}
"""How the persona begins: a dataset of prompts has it, and a trainer learns it by creating an episode."""

TELL, FEEL = "Please tell me what happened.", "I understand, that must be hard for you."
REPORT, DOCTOR = "Did you report it, and did anyone see it?", "Have you seen a doctor, and is there any numbness?"
JOB, BEFORE = "Do you have any other work, a second job perhaps?", "Have you had back problems before?"
WORRIED, PAPERS = "Are you worried about going back?", "I will call you when I have the papers."

SCRIPTS = [
    [TELL, REPORT, DOCTOR],
    [BEFORE, PAPERS, JOB],
    [FEEL, TELL, PAPERS],
    [JOB, DOCTOR, FEEL],
    [FEEL, JOB, WORRIED],
    [TELL, JOB, BEFORE],
    [REPORT, FEEL, PAPERS],
    [TELL, FEEL, WORRIED],
]
"""What eight operators say in three turns. For a single response they say it at once."""

RESPONSES = [" ".join(script) for script in SCRIPTS]


def conversation(*texts: str) -> list[dict[str, Any]]:
    """Turns of an operator with something before each; what that says makes no difference."""
    heard = [OPENING, *[{"role": "user", "content": "Yes."}] * len(texts)]
    return [
        one
        for prompt, text in zip(heard, texts, strict=False)
        for one in (prompt, {"role": "assistant", "content": text})
    ]


CONVERSATIONS = [conversation(*script) for script in SCRIPTS]
ANSWERED = [conversation(response) for response in RESPONSES]
"""The conversations of single responses."""


def tokenizer_of_bytes(*special: str) -> Any:
    """A tokenizer of transformers with a token a byte, so that decoding gives back every text, and tokens of its own for marks."""
    tokenizers, transformers = pytest.importorskip("tokenizers"), pytest.importorskip("transformers")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    pieces = tokenizers.Tokenizer(tokenizers.models.BPE(dict(zip(alphabet, range(256), strict=True)), []))
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pieces.decoder = tokenizers.decoders.ByteLevel()
    marks = {"eos_token": special[0], "pad_token": "<pad>", "additional_special_tokens": [*special[1:]]}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=pieces, **marks)


def close_clients() -> None:
    """Close the connections of modules that keep a client until the process ends, as examples do."""
    for client in [one for one in gc.get_objects() if isinstance(one, httpx.Client)]:
        client.close()
