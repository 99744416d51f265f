"""Requests that no server has seen before: templates, in which a mark stands for a number that is used once."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import orjson

MARK = "##########"
POOL = 1_009  # templates that say different things
SENTENCES = (
    "Could you tell me what happened on that day, in your own words, from the beginning? ",
    "That sounds hard, and I am glad that you called; take all the time that you need for it. ",
    "Do you have any other work at the moment, a second job perhaps, or something at weekends? ",
    "Are you worried about going back, and is there somebody who could help you with it? ",
    "I understand. Thank you for telling me, I will write it down as you said it just now. ",
    "Before anything is decided we should wait for the results, whatever they will be. ",
    "The weather has been rather good this week, so the roads should be dry all the way. ",
)
FILLER = "I would like to understand the situation a little better before we go on with it. " * 18
SHORT, LONG = 85, 1_500  # characters of a message
CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}

_blocks = count(1_000)


def numbers() -> Iterator[int]:
    """A million numbers of ten digits that were never used in this run."""
    first = next(_blocks) * 1_000_000
    return iter(range(first, first + 1_000_000))


def content(length: int, draw: int) -> str:
    """A mark, two sentences that `draw` chooses, and filler up to a number of characters."""
    return f"{MARK} {SENTENCES[draw % 7]}{SENTENCES[draw // 7 % 7]}{FILLER}"[:length]


def conversation(length: int, draw: int, messages: int) -> list[dict[str, str]]:
    """Messages of a user and an assistant in turn; `draw` chooses what they say."""
    made = []
    for index in range(messages):
        made.append({"role": ("user", "assistant")[index % 2], "content": content(length, draw)})
        draw = draw // 5 + index
    return made


def evaluations(length: int, scenario: dict[str, str] = CLAIM, messages: int = 6) -> list[bytes]:
    """Templates of evaluations of messages of a length."""
    conversations = [conversation(length, draw * 7_919, messages) for draw in range(POOL)]
    return [post("/evaluate", scenario | {"messages": each}) for each in conversations]


def post(path: str, body: Any) -> bytes:
    """A POST of JSON under `/api/v1`."""
    encoded = orjson.dumps(body)
    head = (
        f"POST /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer lab_local\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(encoded)}\r\n\r\n"
    )
    return head.encode() + encoded


def fresh(templates: Sequence[bytes]) -> Iterator[bytes]:
    """Templates again and again, each time with another number."""
    split = [template.split(MARK.encode()) for template in templates]
    for number in numbers():
        yield (b"%d" % number).join(split[number % len(split)])
