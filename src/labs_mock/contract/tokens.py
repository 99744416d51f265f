"""The token of silence (TOK-1), and what leaks into a message of a model beside it (section 7)."""

import re2

NO_RESPONSE = "<no_response/>"
"""Deliberate silence: exactly this is the whole content of an assistant message."""
LONGEST_CUT = 2 * len(NO_RESPONSE)
"""Characters of a content that is a cut token, with the white space around it."""

_CUT = frozenset(
    [NO_RESPONSE[:end] for end in range(3, len(NO_RESPONSE))]  # `<no`, …, `<no_response/`
    + [NO_RESPONSE[start:] for start in range(1, 5)]  # `no_response/>`, …, `response/>`
    + ["no_response", "no_response/"]
)
# RE2 takes linear time on any text. `<no response yet>` is a placeholder and not the token.
_TOKEN = re2.compile(r"(?i)<[\s\pZ]*/?[\s\pZ]*no(?:[_-]?response(?:[^\pL\pN_-]|$)|[\s\pZ]response[\s\pZ]*/?[\s\pZ]*>)")
_MARK = re2.compile(r"<[|｜][^\s\pZ<>|｜]{1,40}[|｜]>|\[/?INST\]|</?think>")  # noqa: RUF001 - some templates have wide bars
_END = "</s>"


def is_near_miss(content: str) -> bool:
    """Whether a content was probably meant to be the token and is not (finding `near_miss_token`).

    The token in another spelling, cut or doubled, or with any text around it; not talk of no response.
    """
    if "<" in content and _TOKEN.search(content) is not None:
        return content != NO_RESPONSE
    return len(content) <= LONGEST_CUT and content.strip().lower() in _CUT


def has_leaked_markup(content: str) -> bool:
    """Whether a content has marks of a chat template (finding `leaked_markup`).

    `<|im_end|>` and its like, `[INST]`, `<think>`, and `</s>` at the end unless it closes an `<s>` of HTML.
    """
    if ("<" in content or "[" in content) and _MARK.search(content) is not None:
        return True
    return _END in content and content.rstrip().endswith(_END) and content.count("<s>") < content.count(_END)
