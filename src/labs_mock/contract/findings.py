"""Findings: what the real service would take silently (section 7 of the contract)."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from labs_mock.text import redacted

Severity = Literal["info", "warning"]

SEVERITIES: dict[str, Severity] = {
    "all_assistant_history": "info",
    "missing_body_id": "info",
    "export_before_ready": "info",
    "unknown_dimension": "info",
    "unknown_field": "warning",
    "duplicate_key": "warning",
    "reward_config_in_batch_item": "warning",
    "history_diverged": "warning",
    "duplicate_turn": "warning",
    "split_turn": "warning",
    "unattributable_history": "warning",
    "turns_after_end": "warning",
    "near_miss_token": "warning",
    "polled_too_often": "warning",
}

MAX_IN_HEADER = 10


class Finding(NamedTuple):
    """A stable code, the place in the request body, and what to do about it."""

    code: str
    place: str
    hint: str = ""

    @property
    def severity(self) -> Severity:
        """`info` or `warning`; only a warning fails tests."""
        return SEVERITIES[self.code]


def header(findings: Iterable[Finding]) -> str:
    """The value of `X-Mock-Findings`: `code;severity=warning;place="messages.0"`, joined by commas.

    Printable ASCII whatever the place holds; at most ten findings, then how many more there are.
    """
    listed = list(findings)
    parts = [
        f'{finding.code};severity={finding.severity};place="{_ascii(finding.place)}"'
        for finding in listed[:MAX_IN_HEADER]
    ]
    if len(listed) > MAX_IN_HEADER:
        parts.append(f"and_more;count={len(listed) - MAX_IN_HEADER}")
    return ", ".join(parts)


def _ascii(place: str) -> str:
    return "".join(char if " " <= char <= "~" and char not in '"\\' else "?" for char in redacted(place[:80]))
