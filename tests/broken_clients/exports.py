"""Clients of exports and comparisons, each a few lines: sound ones, and one with a mistake."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx

from tests.broken_clients.conversations import SCENARIO, Messages

DATASET = "0a9d5c7e-3e21-4b6f-b8f0-62d4e1a7c938"  # a shipped one that is ready
EXPORT = f"/training-datasets/{DATASET}/export"


def sound(http: httpx.Client, _: object) -> list[Any]:
    """As many rows as `X-Row-Count` says, or another attempt."""
    for _attempt in range(3):
        with suppress(httpx.TransportError):
            response = http.get(EXPORT).raise_for_status()
            rows = [json.loads(line) for line in response.text.split("\n") if line]
            if len(rows) == int(response.headers["X-Row-Count"]):
                return rows
    raise RuntimeError("no whole export in three attempts")


def sound_pairs(http: httpx.Client, conversations: Sequence[Messages]) -> list[tuple[Messages, Messages]]:
    """Pairs of a better and a worse conversation, by what `/compare` finds; none for a tie."""
    pairs = []
    for a, b in zip(conversations[::2], conversations[1::2], strict=True):
        body = {**SCENARIO, "response_a": {"messages": a}, "response_b": {"messages": b}}
        winner = http.post("/compare", json=body).raise_for_status().json()["winner"]
        pairs += {"a": [(a, b)], "b": [(b, a)]}.get(winner, [])
    return pairs


def accepted(http: httpx.Client, _: object) -> list[Any]:
    """The lines that came, whether or not that was all."""
    rows = []
    with suppress(httpx.TransportError), http.stream("GET", EXPORT) as response:
        for line in response.iter_lines():
            with suppress(ValueError):
                rows.append(json.loads(line))
    return rows
