"""The table of what is measured: each row with its target and with the benchmark that has its figure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.age import age
from benchmarks.base import against, in_process
from benchmarks.batch import batch
from benchmarks.evaluation import evaluation
from benchmarks.exports import exports
from benchmarks.inspector import inspector
from benchmarks.patterns import patterns
from benchmarks.peers import HTTPSERVER, PRISM, WIREMOCK, httpserver, prism, wiremock
from benchmarks.plugin import plugin
from benchmarks.shared import shared
from benchmarks.startup import startup
from benchmarks.turns import turns


class Target(NamedTuple):
    """A bound that a figure keeps: `≥` or `≤`, and a number."""

    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:,g}"

    def is_met(self, value: float) -> bool:
        """Whether a figure keeps it."""
        return value >= self.bound if self.sign == "≥" else value <= self.bound


class Row(NamedTuple):
    """What is measured, how, its target if it has one, the benchmark, and which field of its result it is."""

    what: str
    how: str
    target: Target | None
    benchmark: Callable[[], Any]
    field: str


def at_least(bound: float) -> Target:
    """A target that the figure reaches or exceeds."""
    return Target("≥", bound)


def at_most(bound: float) -> Target:
    """A target that the figure does not exceed."""
    return Target("≤", bound)


OF_CEILING = "requests/s ÷ ceiling's, 32 connections"
OF_BASE = "processor time ÷ that at BASE"
OF_INSPECTOR = "processor time ÷ that before it"
OF_CEILING_COST = "processor time ÷ ceiling's for that body"

ROWS = (
    Row("`/evaluate`, 6 new messages of 85 characters", OF_CEILING, at_least(0.45), evaluation, "short"),
    Row("`/evaluate`, 6 new messages of 1,500 characters", OF_CEILING, at_least(0.40), evaluation, "long"),
    Row("`/evaluate` in the process", OF_BASE, at_most(0.56), in_process, "cost"),
    Row("`/evaluate`, one connection", "p50 ÷ ceiling's p50", at_most(1.6), evaluation, "one_connection"),
    Row("`/evaluate`, 32 connections", "p99 ÷ own p50", at_most(3), evaluation, "spread"),
    Row("a turn with a new message", OF_CEILING_COST, at_most(2.2), turns, "new"),
    Row("a turn with the full history of 45 turns", OF_CEILING_COST, at_most(2.8), turns, "history"),
    Row("turn 45 ÷ turn 3", "processor time", at_most(1.2), turns, "late"),
    Row(
        "`/batch/evaluate`, 25 prompts with 4 completions each",
        "items/s ÷ single requests/s",
        at_least(8),
        batch,
        "items",
    ),
    Row("1,000 patterns ÷ 50", "time a request, 32 connections", at_most(1.5), patterns, "cost"),
    Row("first export of a dataset", "rows/s of 2.4 KB", at_least(8_000), exports, "first"),
    Row("later exports", "bytes/s ÷ a server that streams from memory", at_least(0.8), exports, "later"),
    Row("others while two exports make rows", "p50 ÷ alone", at_most(2), exports, "beside_first"),
    Row("others while two exports stream", "p50 ÷ alone", at_most(2), exports, "beside_later"),
    Row("spawn to first 200, shipped library", "÷ the smallest app", at_most(1.8), startup, "seconds"),
    Row("resident memory, idle", "÷ the smallest app", at_most(1.5), startup, "memory"),
    Row("a request after 1,000,000 ÷ after 10,000", "processor time", at_most(1.05), age, "cost"),
    Row("resident memory after 1,000,000 ÷ after 100,000", "resident memory", at_most(1.10), age, "memory"),
    Row("`/evaluate` with a store, one worker", "requests/s ÷ without, 64 connections", at_least(0.25), shared, "rate"),
    Row("`/evaluate` with a store, one connection", "p50 ÷ without", None, shared, "one_connection"),
    Row("`/evaluate` with a store, its worker", "µs of processor, 64 connections", None, shared, "worker"),
    Row("`/evaluate` with a store, that store", "µs of processor, 64 connections", None, shared, "store"),
    Row("`/evaluate` with a store, two workers", "processor time ÷ one worker's", at_most(1.1), shared, "two_workers"),
    Row("a turn with a store, its worker", "µs of processor, 64 connections", None, shared, "turn_worker"),
    Row("a turn with a store, that store", "µs of processor, 64 connections", None, shared, "turn_store"),
    Row("an episode of 10 turns in a store", "bytes", None, shared, "episode"),
    Row("`/evaluate`, no page of the inspector open", OF_INSPECTOR, at_most(1.03), inspector, "closed"),
    Row("`/evaluate`, one page of the inspector open", OF_INSPECTOR, None, inspector, "open"),
    Row("a test run that does not use the plugin", "time ÷ without it", at_most(1.05), plugin, "unused"),
)

BASE_ROWS = (
    Row("an evaluation of 9 KB", OF_BASE, at_most(1.05), against, "evaluation"),
    Row("a turn of 1.5 KB", OF_BASE, at_most(1.05), against, "turn"),
    Row("an exported row", OF_BASE, at_most(1.05), against, "row"),
    Row("`/evaluate` in the process", OF_BASE, at_most(0.56), against, "in_process"),
)

TIMES_PEER = "requests/s ÷ the peer's, 32 connections"

PEER_ROWS = (
    Row(f"against {WIREMOCK.package} with its default journal", TIMES_PEER, at_least(1.5), wiremock, "rate"),
    Row(f"against {PRISM.package}", TIMES_PEER, at_least(5), prism, "rate"),
    Row(f"against {HTTPSERVER.package}", TIMES_PEER, at_least(6), httpserver, "rate"),
)

TABLES = {"bench": ROWS, "base": BASE_ROWS, "peers": PEER_ROWS}
