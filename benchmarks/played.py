"""Turns of new episodes that were made beforehand, since what they say does not depend on what they are answered."""

from itertools import islice

import orjson

from benchmarks.client import Client
from benchmarks.library import LONG_CLAIM
from benchmarks.templates import MARK, content, numbers, post


def new_turns(client: Client, length: int, episodes: int, turns: int) -> list[list[bytes]]:
    """Create episodes; their first turns, their second ones, and so on, each with one message of a length. They reach no end."""
    created = client.send([post("/episodes", LONG_CLAIM | {"config": {"n": n}}) for n in islice(numbers(), episodes)])
    names = [orjson.loads(body)["episode_id"] for body in created]
    number = numbers()

    def turn(name: str) -> bytes:
        text = content(length, next(number) % 49).replace(MARK, str(next(number)))
        return post(f"/episodes/{name}/turns", {"id": name, "messages": [{"role": "assistant", "content": text}]})

    return [[turn(name) for name in names] for _ in range(turns)]
