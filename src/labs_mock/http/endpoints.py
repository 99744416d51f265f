"""What carries out each operation of the contract."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from labs_mock.http.catalog import list_catalog
from labs_mock.http.datasets import check_dataset_id, dataset_status, export_dataset
from labs_mock.http.episodes import check_turn, create_episode, take_turn
from labs_mock.http.evaluation import batch_evaluate, check_batch, check_compare, check_evaluate, compare, evaluate
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.keys import describe_key
from labs_mock.http.sending import Stream

Handle = Callable[[Exchange, Any], Awaitable[Payload | Stream]]
Check = Callable[[dict[str, str], Any], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What carries out an operation, and what its request decides by itself, before it uses any quota (RL-1)."""

    handle: Handle
    check: Check | None = None


ENDPOINTS = {
    "describe_key": Endpoint(describe_key),
    "list_catalog": Endpoint(list_catalog),
    "create_episode": Endpoint(create_episode),
    "take_turn": Endpoint(take_turn, check_turn),
    "evaluate": Endpoint(evaluate, check_evaluate),
    "batch_evaluate": Endpoint(batch_evaluate, check_batch),
    "compare": Endpoint(compare, check_compare),
    "dataset_status": Endpoint(dataset_status, check_dataset_id),
    "export_dataset": Endpoint(export_dataset, check_dataset_id),
}
"""Endpoints by the names of their operations."""
