import re
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.http.inspector.charts import HEIGHT, WIDTH, Column, bars, histogram
from tests.support import Live

UI = "/_mock/ui"
TALK = {"collection_slug": "case-management", "scenario_slug": "back-claim"}
SAID = [{"role": "assistant", "content": "Tell me what happened."}]


def text_of(page: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_an_empty_server_has_a_page(server: Live) -> None:
    """Nothing has happened, and the page says so in each of its parts."""
    words = text_of(server.client.get(UI).text)
    assert "1 in 1 collection " in words
    assert "0 in the journal" in words
    assert "No request of the journal was served a reward." in words
    assert "None: every request is answered as the service would." in words


def test_the_page_shows_what_happened(server: Live) -> None:
    """Requests, errors, rewards of evaluations, batches and turns, findings with links to their requests, and faults."""
    server.post("/evaluate", {**TALK, "messages": SAID, "mesages": 1})
    server.post("/batch/evaluate", {"items": [{"id": str(number), **TALK, "messages": SAID} for number in range(3)]})
    episode = server.episode(score_turns=True)
    server.turn(episode, "Tell me what happened.")
    server.post("/evaluate", {})
    server.client.post("/_mock/faults", json={"id": "down", "path": "/api/v1/catalog", "status": 503})
    server.client.get("/api/v1/catalog")
    page = server.client.get(UI).text
    words = text_of(page)
    assert "`" not in page
    assert "<code>assistant</code>" in page
    assert "6 in the journal, of which 2 were answered with an error" in words
    assert "case-management/back-claim" in words
    assert "5 rewards, mean" in words
    assert "unknown_field warning 1" in words
    assert f'<a href="{UI}/requests/1">#1</a>' in page
    assert "down 1 1" in words


def test_rewards_without_their_scenario_are_counted_all_the_same(server: Live) -> None:
    """Of a turn whose episode began in a request that is gone, the scenario is not known."""
    episode = server.episode(score_turns=True)
    server.client.request("DELETE", "/_mock/requests", json={})
    server.turn(episode, "Tell me what happened.")
    words = text_of(server.client.get(UI).text)
    assert "not known: the request that names it is no longer in the journal" in words
    assert "1 reward, mean" in words


def test_looking_changes_nothing(server: Live) -> None:
    """A page uses no quota and makes no record, and responses are those of a server that nobody looks at."""
    server.post("/evaluate", {**TALK, "messages": SAID})
    plain = server.post("/evaluate", {**TALK, "messages": SAID}).json()
    server.reset()
    server.post("/evaluate", {**TALK, "messages": SAID})
    server.client.get(UI)
    assert server.post("/evaluate", {**TALK, "messages": SAID}).json() == plain
    assert len(server.records()) == 2


COUNTS = st.lists(st.lists(st.integers(0, 1_000), min_size=2, max_size=2), min_size=1, max_size=60)


@given(COUNTS)
def test_bars_stand_for_their_counts(counts: list[list[int]]) -> None:
    """Each part that is not empty has one bar within the chart; heights are in proportion but for the smallest."""
    chart = bars(
        [Column(str(index), (("errors", low), ("requests", high))) for index, (low, high) in enumerate(counts)]
    )
    drawn: dict[str, Counter[str]] = defaultdict(Counter)
    for bar in chart.bars:
        assert bar.x >= 0
        assert bar.x + bar.width <= WIDTH
        assert bar.y >= 0
        drawn[bar.label.partition(":")[0]][bar.kind] += 1
        assert bar.height <= HEIGHT
    assert chart.top == max(low + high for low, high in counts)
    for index, (low, high) in enumerate(counts):
        assert drawn[str(index)] == Counter({"errors": int(low > 0), "requests": int(high > 0)}) + Counter()


def test_a_histogram_names_the_parts_of_its_range() -> None:
    """The axis goes from the lowest to the highest value, and each bar says what it stands for."""
    chart = histogram([0, 2, 0, 1])
    assert (chart.first, chart.last, chart.top) == ("0", "1", 2)
    assert [bar.label for bar in chart.bars] == ["0.25 to 0.5: 2 rewards", "0.75 to 1: 1 rewards"]
