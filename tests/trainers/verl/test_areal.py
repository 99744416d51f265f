"""AReaL's wrapper of reward functions. It shares the environment of verl, since that has a torch, and uses nothing else of it."""

import asyncio
import time
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import httpx
import pytest

from labs_mock.testing import LabsMock
from tests.trainers.rollouts import ANSWERED, CLAIM, OPENING, RESPONSES, THEIRS

reward_api = pytest.importorskip("areal.api.reward_api")

pytestmark = THEIRS


def evaluate(prompt: str, completions: str, prompt_ids: Any, completion_ids: Any, **columns: Any) -> float:  # noqa: ARG001
    """A reward function as AReaL calls it, in another process."""
    time.sleep(columns.get("delay", 0))
    messages = [OPENING, {"role": "assistant", "content": completions}]
    headers = {"Authorization": f"Bearer {columns['key']}"}
    answer = httpx.post(f"{columns['url']}/api/v1/evaluate", json={**CLAIM, "messages": messages}, headers=headers)
    if answer.is_error and not columns.get("as_it_is"):
        raise ConnectionError(answer.text)
    return float(answer.raise_for_status().json()["reward"])


def rewards(labs_mock: LabsMock, columns: dict[str, Any] | None = None, **options: Any) -> list[float]:
    """The rewards of all responses, asked for at once; the last one with some columns of its own."""
    wrapper = reward_api.AsyncRewardWrapper(evaluate, max_workers=4, **options)
    server = {"url": labs_mock.url, "key": labs_mock.api_key}

    async def ask() -> list[float]:
        rows = [server] * (len(RESPONSES) - 1) + [{**server, **(columns or {})}]
        asked = (wrapper("", text, [], [], **row) for text, row in zip(RESPONSES, rows, strict=True))
        return [*await asyncio.gather(*asked)]

    return asyncio.run(ask())


def test_a_reward_function_is_in_place(labs_mock: LabsMock) -> None:
    """Rewards come from other processes, each to its rollout."""
    assert labs_mock.verdict(rewards(labs_mock), ANSWERED, **CLAIM).label == "in_place"


def test_a_timeout_is_zero(labs_mock: LabsMock) -> None:
    """A reward that is not there in time, after all attempts, is the number 0, with a line in the log."""
    used = rewards(labs_mock, {"delay": 10}, timeout_seconds=6, max_retries=0)
    assert labs_mock.verdict(used, ANSWERED, **CLAIM).label == "became_zero"


@pytest.mark.labs_mock(findings="ignore")
@pytest.mark.parametrize(("columns", "error"), [({}, ConnectionError), ({"as_it_is": True}, BrokenProcessPool)])
def test_an_error_is_asked_for_again_at_once(columns: Any, error: Any, labs_mock: LabsMock) -> None:
    """What the function raises, for a 403 too, has it called four times without a pause, and is raised then.

    An error of httpx as it is, which cannot be pickled, breaks the pool of processes, and with it what others are waiting for.
    """
    labs_mock.add_fault(path="/api/v1/evaluate", status=403)
    wrapper = reward_api.AsyncRewardWrapper(evaluate, max_workers=1)
    columns = {**columns, "url": labs_mock.url, "key": labs_mock.api_key}
    with pytest.raises(error):
        asyncio.run(wrapper("", RESPONSES[0], [], [], **columns))
    assert [record.status for record in labs_mock.requests] == [403] * 4
    assert labs_mock.findings(code="retried_on_400")
