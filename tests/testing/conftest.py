from collections.abc import Iterator

import pytest

from labs_mock.testing import LabsMock


@pytest.fixture(scope="module", params=["thread", "process", "running"])
def shared(request: pytest.FixtureRequest) -> Iterator[LabsMock]:
    """A mock whose server runs in a thread, in a process, or already."""
    with LabsMock(process=request.param == "process") as mock:
        if request.param == "running":
            with LabsMock(url=f"{mock.url}/") as second:
                yield second
        else:
            yield mock


@pytest.fixture
def mock(shared: LabsMock) -> LabsMock:
    """The same, after a reset."""
    shared.reset()
    return shared
