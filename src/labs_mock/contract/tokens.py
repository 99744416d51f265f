"""The canonical tokens (TOK-1)."""

import re

NO_RESPONSE = "<no_response/>"
"""Deliberate silence: exactly this is the whole content of an assistant message."""

NEAR_MISS = 40
"""No longer content is taken for a misspelt token."""

_PATTERN = re.compile(r"\s*<\s*no[_\- ]?response\s*/?\s*>\s*", re.IGNORECASE)


def is_near_miss(content: str) -> bool:
    """Whether a content was probably meant to be the token and is not (finding `near_miss_token`)."""
    return len(content) <= NEAR_MISS and content != NO_RESPONSE and _PATTERN.fullmatch(content) is not None
