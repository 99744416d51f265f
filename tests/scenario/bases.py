"""Valid files of every kind as data, and how tests change them."""

import copy
from typing import Any

import yaml

TASK: dict[str, Any] = yaml.safe_load(
    """
name: File review
description: Read the file and decide.
shape: decision_task
difficulty: easy
briefing: A claim file is before you.
documents: [{title: Report, text: It happened on Tuesday.}]
state: [{id: gap, fact: F1, kind: hidden, when: {calls: note}, reply: A gap shows.}]
tools:
  - {id: note, type: artifact, name: Note, mode: json_schema, json_schema: {type: object}}
  - {id: verdict, type: decision, name: Verdict, mode: options, options: [pay, refuse]}
criteria: {outputs: [{tool: verdict, expected: pay}]}
"""
)
JOURNEY: dict[str, Any] = yaml.safe_load(
    """
name: Check-ins
description: Weekly check-ins.
shape: journey
difficulty: hard
persona: {identity: {name: Kim}, opening: Hello., fallback: [Pardon me.]}
state: [{id: lapse, fact: F1, reveal: direct_question, when: {says: [how was it]}, reply: Not so well.}]
sessions:
  - {after_days: 0, ends: {turns: 4, when: {says: [see you]}}}
  - {after_days: 7, reach_out: [{when: {silent: true}, say: I wonder about my note.}, {say: Week two.}], ends: {turns: 3}}
  - {after_days: 14, reach_out: [{say: Week three.}]}
closing: Thank you.
criteria: {success_metrics: [{id: asks, text: T1, when: {discovered: lapse}}]}
operators: {quiet: {agent_template_id: quiet-v1, says: [Hello., [{silent: true}], {parts: [{silent: true}]}]}}
"""
)
DATASET: dict[str, Any] = yaml.safe_load(
    """
id: 3f0c2b9e-6a1d-4c58-9e0b-7d1f2a3b4c5d
name: Rows
lifecycle: [{status: pending, polls: 1}, {status: running, seconds: 5, row_count: 2}, {status: ready}]
rows: {inline: [{}]}
"""
)
SERVER: dict[str, Any] = yaml.safe_load(
    """
seed: 7
clock: frozen
keys:
  - {key: lab_a, organisation: acme, plan: standard, subscriptions: [coaching], expires: "2026-12-31T00:00:00Z"}
  - {key: lab_b, organisation: acme, requests_per_minute: 120, subscriptions: "*"}
"""
)
GONE: Any = object()


def steps(dotted: str) -> list[str | int]:
    """The steps of a dotted path."""
    return [int(step) if step.isdecimal() else step for step in dotted.split(".") if step]


def changed(data: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """Data with another value at a path: a number after the end appends to a list, and `GONE` removes."""
    copied = copy.deepcopy(data)
    *path, final = steps(dotted)
    place: Any = copied
    for step in path:
        place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
    if value is GONE:
        del place[final]
    elif final == len(place) and isinstance(place, list):
        place.append(value)
    else:
        place[final] = value
    return copied
