"""A request that the shipped library scores, and how a client sends it."""

from typing import Any

import httpx

from labs_mock.testing import LabsMock

MESSAGES = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Tell me what happened."}]
CONVERSATION: dict[str, Any] = {
    "collection_slug": "case-management",
    "scenario_slug": "lower-back-claim",
    "messages": MESSAGES,
}


def post(mock: LabsMock, path: str, body: Any, key: str | None = None) -> httpx.Response:
    """The response to a POST of a client."""
    headers = {"authorization": f"Bearer {key or mock.api_key}"}
    return httpx.post(f"{mock.url}/api/v1/{path}", json=body, headers=headers, timeout=10)
