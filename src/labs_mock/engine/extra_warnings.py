"""Warnings of scenarios that take too long where a server starts: `labs-mock validate` and the inspector look for them."""

from collections.abc import Iterator
from typing import Any

from labs_mock.engine.requires_check import check_requires
from labs_mock.scenario.files.feasibility import impossible_parts
from labs_mock.scenario.files.paths import Mistake
from labs_mock.scenario.files.public_texts import check_public_texts


def extra_warnings(data: dict[str, Any]) -> Iterator[Mistake]:
    """All of them, of the data of a file without mistakes."""
    for check in (impossible_parts, check_requires, check_public_texts):
        yield from check(data)
