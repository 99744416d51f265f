import re
from pathlib import Path

from tests.http.inspector.test_overview_page import UI
from tests.http.session.sessions import NUMBERS, ROWS, SECRET, WHERE, saved, serving, shown, use
from tests.support import CLAIM, KEY, Live

TALK = [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": f"Tell me what happened, {KEY}."}]
FORM = re.compile(r'<h2 id="force">.*?</form>', re.DOTALL)
LIVE = re.compile(r"<script[^>]*/live.js[^>]*></script>")
NOTICE = re.compile(r'<p class="notice">.*?</p>')


def test_conversations_and_datasets_of_a_saved_session_have_the_same_pages(tmp_path: Path) -> None:
    """Episodes, evaluations and datasets are shown as the server showed them, but for the form, and no key is in them."""
    with serving() as server:
        use(server)
        server.client.post("/_mock/scenarios", json={**WHERE, "scenario": CLAIM}).raise_for_status()
        server.post("/batch/evaluate", {"items": [{"id": SECRET, **WHERE, "messages": TALK}]})
        server.post("/compare", {**WHERE, "response_a": {"messages": TALK}, "response_b": {"messages": TALK}})
        saved(server, tmp_path / "session.jsonl.gz")
        pages = {path: page_of(server, path) for path in paths(server)}
    with shown(tmp_path / "session.jsonl.gz") as other:
        for path, page in pages.items():
            theirs = page_of(other, path)
            assert KEY not in page
            assert SECRET not in page
            assert NOTICE.search(theirs), path
            assert NOTICE.sub("", theirs).split() == LIVE.sub("", FORM.sub("", page)).split(), path


def paths(server: Live) -> list[str]:
    """The pages of every episode, evaluation and dataset, and their lists."""
    episodes = [episode.id for episode in server.stored_episodes()]
    numbers = [record.number for record in server.records() if record.path.endswith(("evaluate", "compare"))]
    assert len(episodes) == 2
    assert len(numbers) == 4
    return [
        *("episodes", "evaluations", "datasets", f"evaluations/{numbers[2]}/0"),
        *(f"episodes/{episode}" for episode in episodes),
        *(f"evaluations/{number}" for number in numbers),
        *(f"datasets/{name}" for name in (NUMBERS, ROWS)),
    ]


def page_of(server: Live, path: str) -> str:
    """A page, without the address of its server."""
    response = server.client.get(f"{UI}/{path}")
    assert response.status_code == 200, response.text
    return response.text.replace(server.url, "")
