"""The pictures of the documentation: `make screenshots` takes them of a server on which the same happens each time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

import httpx
from playwright.sync_api import Browser

from labs_mock.http.page_headers import UI
from labs_mock.testing import LabsMock
from tests.http.inspector.browser import Theme, Visit, running_browser, visiting
from tests.pages import ROOT

FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 100_000
CLAIM = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
TALKS, CHECK_INS = "b81e4c07-92d3-4f6a-8b15-0c7d9e2f6a31", "3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d"
SCAN = {"region": "lumbar spine", "modality": "mri", "urgency": "urgent"}
SAID: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("Hello, please tell me what happened.", None),
    ("I'm sorry to hear that. Have you seen a doctor since?", None),
    ("Do you feel any numbness, and does the pain spread?", None),
    ("Please see a doctor about the numb foot today. Was an incident report written?", None),
    ("Thank you for telling me. Do you have any other work, a second job perhaps?", None),
    ("I understand. I'm ordering a scan now.", SCAN),
    ("How are you feeling about going back, are you worried?", None),
)


class Picture(NamedTuple):
    """A picture of a page in both themes: so many pixels of it, from the top of the first element that `start` selects."""

    name: str
    page: str
    width: int
    height: int
    start: str = "body"

    def file(self, theme: Theme) -> str:
        """Its file in `FOLDER`."""
        return f"{self.name}-{theme}.png"


EPISODE = f"{UI}/episodes/{{episode}}"
PICTURES = (
    Picture("episode", EPISODE, 960, 700, "h2:text-is('Chat')"),
    Picture("rewards", EPISODE, 960, 600, "h2:text-is('Rewards')"),
    Picture("overview", UI, 1240, 700),
    Picture("dataset", f"{UI}/datasets/{CHECK_INS}", 960, 700),
)


class Sample(NamedTuple):
    """A server on which something has happened, and what stands for the names in the pages of `PICTURES`."""

    client: httpx.Client
    names: dict[str, str]

    def path(self, picture: Picture) -> str:
        """The path of a picture's page."""
        return picture.page.format(**self.names)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        """What a POST is answered with, whatever that is."""
        answer: dict[str, Any] = self.client.post(path, json=body).json()
        return answer


@contextmanager
def sample() -> Iterator[Sample]:
    """The shipped scenarios, on a clock that stands still between requests."""
    with LabsMock() as mock:
        headers = {"authorization": f"Bearer {mock.api_key}"}
        with httpx.Client(base_url=mock.url, headers=headers, timeout=60) as client:
            served = Sample(client, {})
            served.names["episode"] = _play(served)
            _evaluate(served)
            for _ in range(2):
                client.get(f"/api/v1/training-datasets/{CHECK_INS}/status")
            yield served


def _play(served: Sample) -> str:
    episode = str(served.post("/api/v1/episodes", {**CLAIM, "score_turns": True})["episode_id"])
    for text, scan in SAID:
        calls = {"tool_calls": [{"type": "artifact", "name": "order_imaging", "input": scan}]} if scan else {}
        said = {"role": "assistant", "content": text, **calls}
        served.post(f"/api/v1/episodes/{episode}/turns", {"id": episode, "messages": [said]})
        served.post("/_mock/clock/advance", {"seconds": 4})
    return episode


def _evaluate(served: Sample) -> None:
    """Conversations of a dataset, of which each is cut short elsewhere; then a server that is overloaded now and then."""
    export = served.client.get(f"/api/v1/training-datasets/{TALKS}/export").text
    talks = [_messages(json.loads(row)) for row in export.splitlines()[:30]]
    for number, messages in enumerate(talks):
        if number == 20:
            served.post("/_mock/faults", {"id": "overloaded", "path": "/api/v1/evaluate", "every": 3, "status": 503})
        cut = messages[: 4 + 2 * (number % 7)]
        where = {"collection_slug": "finance", "scenario_slug": "retirement-worries"}
        served.post("/api/v1/evaluate", {**where, "messages": cut, **({} if number % 9 else {"temprature": 0.7})})
        served.post("/_mock/clock/advance", {"seconds": 1 + number % 5})


def _messages(row: dict[str, Any]) -> list[dict[str, str]]:
    return [{"role": one["role"], "content": one["content"]} for one in row["messages"]]


def take_pictures(browser: Browser, folder: Path) -> None:
    """Write all pictures, in both themes, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with sample() as served:
        url = str(served.client.base_url).rstrip("/")
        with visiting(browser, url) as visit:
            for picture in PICTURES:
                _take(visit, picture, served.path(picture), folder)


def _take(visit: Visit, picture: Picture, path: str, folder: Path) -> None:
    visit.page.set_viewport_size({"width": picture.width, "height": picture.height})
    visit.open(path)
    if visit.page.locator("main [data-live]").count():
        visit.page.get_by_text("Live", exact=True).wait_for()
    box = visit.page.locator(picture.start).first.bounding_box()
    assert box is not None
    top = max(box["y"] - 8, 0)
    for theme in get_args(Theme):
        visit.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        clip = {"x": 0, "y": top, "width": picture.width, "height": picture.height}
        visit.page.screenshot(path=folder / picture.file(theme), full_page=True, clip=clip)  # type: ignore[arg-type]


if __name__ == "__main__":
    with running_browser() as started:
        take_pictures(started, FOLDER)
