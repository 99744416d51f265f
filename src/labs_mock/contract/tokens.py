"""The canonical tokens (TOK-1)."""

import re

NO_RESPONSE = "<no_response/>"
"""Deliberate silence: exactly this is the whole content of an assistant message."""

_NEAR_MISS = re.compile(r"\s*<\s*no[_\- ]?response\s*/?\s*>\s*", re.IGNORECASE)


def is_near_miss(content: str) -> bool:
    """Whether a content was probably meant to be the token and is not (finding `near_miss_token`)."""
    return len(content) <= 40 and content != NO_RESPONSE and _NEAR_MISS.fullmatch(content) is not None
