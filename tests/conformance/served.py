"""A small server for the suite: three short scenarios of every shape, and a dataset in every status."""

from dataclasses import replace
from functools import cache
from typing import Any

import yaml

from labs_mock.config.library import Library
from labs_mock.config.server_file import KeyEntry
from labs_mock.config.settings import settings_from
from labs_mock.scenario.compiled.datasets import Dataset, compile_dataset
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.scenario.files.loader import parse_scenario
from labs_mock.state import World
from tests.conformance.mutants import CLOSED, OPEN, SECOND_KEY, SHORT, UNSUBSCRIBED
from tests.http.datasets import STATES, by_polls, in_state, talks
from tests.support import KEY, library

BY_HAND = "0123abcd-0000-7000-9000-00000000000a"

SCENARIOS = """
short-talk:
  name: A short talk
  description: A neighbour asks for a ladder.
  shape: conversation
  difficulty: hard
  max_turns: 3
  invalid_tool_call: score
  persona:
    identity: {name: Ada, age: 70}
    opening: "Good evening, do you have a ladder?"
    replies: [{when: {says: [hello]}, reply: Hello again.}]
    fallback: ["I see.", "And the ladder?"]
  state:
    - {id: roof, fact: R1, reveal: direct_question, when: {says: [how are you, what happened]}, reply: The roof leaks.}
  criteria:
    success_metrics: [{id: asked, text: S1, when: {says: [tell me]}}, {id: kind, text: S2, when: {says: [thank you]}}]
    scope: {prohibited: [{id: promise, when: {says: [I guarantee, I promise]}}]}
  scoring: {requires: {any: [{discovered: roof}, {says: [tell me, what matters]}]}}
week-long:
  name: A long week
  description: A coach writes now and then.
  shape: journey
  difficulty: medium
  max_turns: 6
  persona:
    identity: {name: Bo, age: 30}
    opening: I did not sleep well.
    fallback: ["I wonder.", "Perhaps so."]
  sessions:
    - {after_days: 0, ends: {turns: 1}}
    - {after_days: 2, ends: {turns: 2}, reach_out: [{say: I slept a little.}]}
    - {after_days: 7, ends: {turns: 2}, reach_out: [{say: Let us end here.}]}
  closing: Goodbye, then.
  state:
    - {id: sleep, fact: W1, reveal: direct_question, when: {says: [worried, feel]}, reply: It is the noise.}
  criteria:
    success_metrics: [{id: asked, text: W2, when: {discovered: sleep}}]
    failure_metrics: [{id: rude, text: W4, when: {says: [you idiot]}}]
    best_practices: [{id: waits, text: W3, when: {says: [thank you, understand]}}]
  scoring: {requires: {any: [{discovered: sleep}, {says: [more about, next step]}]}}
"""

ROWS = """
- scenario_id: case-management/back-claim
  agent_template_id: by-hand-v1
  messages:
    - {role: user, content: "Hello, I'm calling about my claim."}
    - {role: assistant, content: <no_response/>, thinking: Better to wait.}
    - {role: user, content: "One\\u2028two\\u2029three\\u0085four"}
    - {role: assistant, content: Tell me what happened.}
  metadata: {temperature: 1.0, rollout_index: 0, turn_count: 2, quality_score: 1.0, complexity_score: 0.5, ifd_score: 1.0}
- scenario_id: case-management/back-claim
  agent_template_id: by-hand-v1
  messages:
    - {role: user, content: "Hello, I'm calling about my claim."}
    - {role: assistant, content: "How are you?", thinking: A kind word first.}
  metadata: {temperature: 0.7, rollout_index: 1, turn_count: 1, quality_score: 0.25, complexity_score: 0.5, ifd_score: 0.5}
"""


def small_world(**account: Any) -> World:
    """A world on a frozen clock; its first key has no subscription for one collection, and the second has one for one."""
    terms = {"subscriptions": [CLOSED, OPEN], **account}
    keys = [
        KeyEntry(key=KEY, organisation="a", **terms),
        KeyEntry(key=SECOND_KEY, organisation="b", subscriptions=[OPEN]),
    ]
    known = replace(_library(), server=_library().server.model_copy(update={"keys": keys}))
    return World(settings_from({"clock": "frozen", "port": 0}), known)


@cache
def _library() -> Library:
    given = yaml.safe_load(SCENARIOS)
    short, week = (_scenario(OPEN, name, given[name]) for name in (SHORT, "week-long"))
    hidden = _scenario(UNSUBSCRIBED, SHORT, given[SHORT])
    every = [*map(in_state, STATES), by_polls(), _by_hand()]
    return replace(library(talks(), short, week, hidden), datasets={one.id: one for one in every})


def _scenario(collection: str, slug: str, data: dict[str, Any]) -> Scenario:
    return parse_scenario(yaml.safe_dump(data).encode(), file=f"{slug}.yaml", collection=collection)


def _by_hand() -> Dataset:
    """Two rows with all that rows may hold."""
    data = {
        "id": BY_HAND,
        "name": "By hand",
        "lifecycle": [{"status": "ready"}],
        "rows": {"inline": yaml.safe_load(ROWS)},
    }
    return compile_dataset("by-hand", DatasetFile.model_validate(data), {})
