"""What carries out each operation of the contract. None of it waits for anything."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labs_mock.contract.operations import OPERATIONS, Operation
from labs_mock.http.catalog import list_catalog
from labs_mock.http.datasets import check_dataset_id, dataset_status, export_dataset
from labs_mock.http.episodes import check_turn, create_episode, take_turn
from labs_mock.http.evaluation import batch_evaluate, check_batch, check_compare, check_evaluate, compare, evaluate
from labs_mock.http.exchange import Exchange, Payload
from labs_mock.http.keys import describe_key
from labs_mock.http.sending import Stream

Handle = Callable[[Exchange, Any], Payload | Stream]
Check = Callable[[dict[str, str], Any], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation, what carries it out, and what its request decides by itself, before it uses any quota (RL-1)."""

    operation: Operation
    handle: Handle
    check: Check | None = None


_HANDLERS: dict[str, tuple[Handle, Check | None]] = {
    "describe_key": (describe_key, None),
    "list_catalog": (list_catalog, None),
    "create_episode": (create_episode, None),
    "take_turn": (take_turn, check_turn),
    "evaluate": (evaluate, check_evaluate),
    "batch_evaluate": (batch_evaluate, check_batch),
    "compare": (compare, check_compare),
    "dataset_status": (dataset_status, check_dataset_id),
    "export_dataset": (export_dataset, check_dataset_id),
}

ENDPOINTS = tuple(Endpoint(operation, *_HANDLERS[operation.name]) for operation in OPERATIONS)
