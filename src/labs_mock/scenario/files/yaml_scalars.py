"""Plain scalars by the YAML 1.2 core schema: `no` is text, `1_000` is text, `0o17` and `0x1f` are numbers."""

import re
from typing import Any

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
MAX_DIGITS = 80  # more than 64 bits in any base, leading zeros aside
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), lambda text: int(text[:MAX_DIGITS])),
    (re.compile(r"0o[0-7]+"), lambda text: int(text[:MAX_DIGITS], 0)),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text[:MAX_DIGITS], 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda _: float("nan")),
)


def plain_scalar(text: str) -> Any:
    """The value of a scalar without quotes and tag: None, a bool, an int, a float or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "-+.0123456789":
        for pattern, convert in _NUMBERS:
            if pattern.fullmatch(text):
                return convert(text)
    return text
