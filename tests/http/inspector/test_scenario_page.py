import re
from collections.abc import Iterator
from typing import Any

import pytest

from labs_mock.config.library import load_library, shipped_library
from labs_mock.engine.extra_warnings import extra_warnings
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.scenario.files.yaml_text import yaml_text, yaml_warnings
from labs_mock.state import World
from tests.http.inspector.test_overview_page import text_of
from tests.support import CLAIM, OPENING, Live, live, scenario, world

UI = "/_mock/ui/scenarios"
CLAIM_PAGE = f"{UI}/case-management/back-claim"
PLAY = f"{CLAIM_PAGE}/play"
SILENT = {"role": "assistant", "content": "<no_response/>"}


@pytest.fixture(scope="module")
def shipped() -> Iterator[Live]:
    """A server of the shipped library."""
    with live(World(world().settings, load_library(shipped_library()))) as running:
        yield running


def operator_says(content: str, *calls: dict[str, Any]) -> dict[str, Any]:
    """A message of the operator, as a page sends it."""
    return {"role": "assistant", "content": content, **({"tool_calls": list(calls)} if calls else {})}


def play(server: Live, *turns: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers to some turns, each sent with all that was said before, as the page does."""
    messages, answers = list[dict[str, Any]](), []
    for turn in turns:
        response = server.client.post(PLAY, json={"messages": [*messages, turn]})
        assert response.status_code == 200, response.text
        answers.append(response.json())
        messages += [turn, {"role": "user", "content": answers[-1]["observation"]}]
    return answers


def test_every_shipped_scenario_has_a_page(shipped: Live) -> None:
    """With all its parts in words, and small enough; the list links to each."""
    listed = shipped.client.get(UI).text
    for one in shipped.library().scenarios:
        path = f"{UI}/{one.collection}/{one.slug}"
        assert f'href="{path}"' in listed
        page = shipped.client.get(path)
        words = text_of(page.text)
        assert page.status_code == 200
        assert len(page.content) <= 100_000
        assert page.text.count("<tr") <= 200
        assert "0 warnings." in words
        for title in ("Persona", "Criteria", "Dimensions", "Operators", "YAML"):
            assert f" {title} " in words


def test_what_is_required_is_written_as_its_author_writes_it(shipped: Live) -> None:
    """A line for each rule, and nothing where a scenario requires nothing (RC-6)."""
    page = shipped.client.get(f"{UI}/case-management/lower-back-claim").text
    assert "Nothing is rewarded before" in page
    assert "\n- calls: {tool: order_imaging}\n- calls: {tool: medical_assessment}\n- says: [what happened, " in page
    without = [one for one in shipped.library().scenarios if one.file.scoring.requires is None]
    for one in without:
        assert "Nothing is rewarded before" not in shipped.client.get(f"{UI}/{one.collection}/{one.slug}").text


def test_the_yaml_is_the_scenario(shipped: Live) -> None:
    """What is shown is read as a scenario with the same version, for every shipped one; the text has all of it."""
    for one in shipped.library().scenarios:
        text = shipped.client.get(f"{UI}/{one.collection}/{one.slug}/yaml").text
        assert parse_scenario(text, file=f"{one.slug}.yaml", collection=one.collection).version == one.version


def test_texts_that_yaml_might_read_otherwise_stay_texts() -> None:
    """Words, numbers, dates, markup and white space are quoted where they must be, whatever a scenario says."""
    odd = [
        "yes",
        "no",
        "null",
        "~",
        "1e3",
        "0x10",
        "1_000",
        "2026-01-01",
        "a: b",
        "a #b",
        "- x",
        "'",
        '"',
        "é😀",
        "* x",
        "& y",
        "12:30:45",
        " x ",
        "=",
        "<<",
        "on",
    ]
    replies = [{"when": {"says": ["hello"]}, "reply": f"{one}"} for one in odd]
    made = scenario(persona={**CLAIM["persona"], "replies": replies, "fallback": odd})
    assert (
        parse_scenario(yaml_text(made.file), file="back-claim.yaml", collection="case-management").version
        == made.version
    )


def test_warnings_stand_at_their_lines() -> None:
    """Those of `validate`, at the line of the YAML that they are about, and counted."""
    with live(world(scenario(scoring={"requires": {"discovered": "onset"}}))) as server:
        page = server.client.get(CLAIM_PAGE).text
        (warning,) = re.findall(r'<span id="line-(\d+)">([^<]*)</span><strong class="mistake">([^<]*)', page)
        text = yaml_text(server.library().scenarios[0].file)
        assert text.splitlines()[int(warning[0]) - 1].strip() == warning[1].strip()
        assert "requires" in warning[2]
        assert [one.line for one in yaml_warnings(text, extra_warnings)] == [int(warning[0])]
        assert "1 warning." in text_of(page)


def test_a_large_scenario_has_a_small_page() -> None:
    """Hundreds of replies, items and operators: at most 200 rows and 100 KB, and how many more there are."""
    replies = [{"when": {"says": [f"word {number} <&\"'"]}, "reply": "<&\"'" * 100} for number in range(900)]
    state = [
        {"id": f"item_{number}", "fact": "<&\"'" * 30, "reveal": "volunteered", "reply": "x"} for number in range(300)
    ]
    large = scenario(persona={**CLAIM["persona"], "replies": replies}, state=[*CLAIM["state"], *state])
    with live(world(large)) as server:
        page = server.client.get(CLAIM_PAGE)
        assert len(page.content) <= 100_000
        assert page.text.count("<tr") <= 200
        assert "more, in the YAML" in page.text
        assert "more lines" in page.text


@pytest.mark.parametrize(
    "path", ["case-management/none", "none/back-claim", "case-management/none/play", "none/x/yaml", "x"]
)
def test_an_unknown_scenario_is_a_404(server: Live, path: str) -> None:
    """Whichever of its pages is wanted."""
    assert server.client.get(f"{UI}/{path}").status_code == 404


def test_playing_gives_what_the_service_would(server: Live) -> None:
    """Each turn has the reply, the reward and the end that an episode with the same turns has."""
    call = {"type": "artifact", "name": "order_imaging", "input": {"region": "lumbar spine"}}
    decide = {"type": "decision", "name": "claim_status", "input": {"value": "pending_info"}}
    turns = [
        operator_says("Hello, tell me what happened."),
        SILENT,
        operator_says("Thank you.", call),
        operator_says("I see.", decide),
    ]
    episode = server.episode(score_turns=True)
    served = [server.turn(episode, turn).json() for turn in turns]
    played = play(server, *turns)
    assert [one["observation"] for one in played] == [one["observation"]["content"] for one in served]
    assert [one["reward"] for one in played] == [one["reward"] for one in served]
    assert [one["turn"] for one in played] == [1, 2, 3, 4]
    assert [one["ended"] for one in played] == [None, None, None, "completed"]
    assert "order_scan" in played[-1]["html"]


def test_playing_leaves_no_trace(server: Live) -> None:
    """No episode, no quota, no record, no reward, and no turn of normalisation: responses are as if nobody had played."""
    talk = {"collection_slug": "case-management", "scenario_slug": "back-claim", "messages": [operator_says("Hello.")]}
    normalised = {**talk, "normalization_key": "k", "normalization_windows": ["5n"]}
    plain = [server.post("/evaluate", normalised) for _ in range(2)]
    server.reset()
    first = server.post("/evaluate", normalised)
    play(server, operator_says("Hello."), operator_says("Tell me what happened."))
    server.client.get(PLAY)
    second = server.post("/evaluate", normalised)
    assert [one.json() for one in (first, second)] == [one.json() for one in plain]
    assert second.headers["x-ratelimit-remaining"] == plain[1].headers["x-ratelimit-remaining"]
    assert len(server.records()) == 2
    assert server.stored_episodes() == []
    assert server.client.get("/_mock/rewards").json()["count"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": "x"},
        {"messages": [{"role": "user", "content": "Hello."}]},
        {"messages": [{"role": "assistant", "content": "x" * 10_001}]},
        {"messages": [{"role": "assistant", "content": 1}]},
        {"messages": [{"role": "assistant", "content": "", "tool_calls": [{"type": "artifact"}]}]},
    ],
)
def test_what_cannot_be_played_is_a_400(server: Live, body: dict[str, Any]) -> None:
    """With a message that says what to send; and so is what is no JSON, or comes from another origin."""
    response = server.client.post(PLAY, json=body)
    assert response.status_code == 400
    assert "messages" in response.json()["message"]
    assert server.client.post(PLAY, data=body).status_code == 400
    assert server.client.post(PLAY, json=body, headers={"origin": "https://evil.example"}).status_code == 403


def test_what_is_played_is_text(server: Live) -> None:
    """Markup, scripts, bidi controls, null bytes and 10,000 characters of the operator are text in what the page inserts."""
    said = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u2066\0"
    call = {"type": "<b>", "name": "<b>x", "input": {"<b>": said}}
    for turn in (operator_says(said), operator_says((said * 300)[:10_000], call)):
        (answer,) = play(server, turn)
        assert not re.search(r"<(script|img|b)\b", answer["html"])
        assert not set("\u202e\u2066\0") & set(answer["html"])
        assert len(answer["html"]) <= 100_000
    assert OPENING.split(",", 1)[0] in server.client.get(PLAY).text
