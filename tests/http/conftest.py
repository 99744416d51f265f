"""A server of datasets, which the tests of their status and of their export share."""

from collections.abc import Iterator

import pytest

from tests.http.datasets import one_of_each
from tests.support import Live, live


@pytest.fixture(scope="module")
def shared_datasets() -> Iterator[Live]:
    """One server a test module, with a dataset in every status."""
    with live(one_of_each()) as running:
        yield running


@pytest.fixture
def datasets(shared_datasets: Live) -> Live:
    """The same, with its world as new."""
    shared_datasets.reset()
    return shared_datasets
