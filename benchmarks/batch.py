"""`/batch/evaluate` of 25 prompts with 4 completions each, against as many single requests."""

from typing import NamedTuple

from benchmarks.figures import Figure, ratio
from benchmarks.load import load
from benchmarks.servers import LABS_MOCK, running
from benchmarks.templates import CLAIM, SHORT, content, conversation, evaluations, post

ROUNDS = 5
PROMPTS, COMPLETIONS = 25, 4
BATCHES = 20  # templates


class Batch(NamedTuple):
    """Conversations a second."""

    items: Figure


def batch() -> Batch:
    """Measure in alternating rounds."""
    batches, singles = [_batch(draw) for draw in range(BATCHES)], evaluations(SHORT)
    items, single = [], []
    with running(*LABS_MOCK) as server:
        for round_ in range(ROUNDS + 1):
            of_batches = load(server.port, batches).rate * PROMPTS * COMPLETIONS
            of_singles = load(server.port, singles).rate
            if round_:  # the first one is for the server to get warm
                items.append(of_batches)
                single.append(of_singles)
    return Batch(ratio(items, single, "conversations/s"))


def _batch(draw: int) -> bytes:
    """Prompts of five messages, each with completions that differ; every conversation of it is another one."""
    items = []
    for prompt in range(PROMPTS):
        start = conversation(SHORT, (draw * PROMPTS + prompt) * 7_919, messages=5)
        start[0]["content"] = f"{prompt:02} {start[0]['content']}"[:SHORT]
        for completion in range(COMPLETIONS):
            text = f"{completion} {content(SHORT, prompt + completion)}"[:SHORT]
            messages = [*start, {"role": "assistant", "content": text}]
            items.append({"id": f"{prompt}-{completion}", **CLAIM, "messages": messages})
    return post("/batch/evaluate", {"items": items})
