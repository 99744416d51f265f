from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs_mock.state.bounds import Bounds
from labs_mock.testing import LabsMock, UndecidableError
from labs_mock.testing.control_client import ControlClient
from labs_mock.testing.expectations import Expectation
from tests.support import KEY, live, world

ANSWERS = {"/api/v1/nothing": 404, "/api/v1/evaluate": 405, "/api/v1/key": 401}
PATHS = sorted(ANSWERS)
MOMENTS = st.lists(
    st.sampled_from([*PATHS, "forget", "open 404", "open 405", "open 401", "close", "close"]), max_size=14
)


@dataclass(slots=True)
class Block:
    """What a block means, naively: which requests it has covered since the journal was emptied."""

    expectation: Expectation
    status: int
    covered: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def served() -> Iterator[LabsMock]:
    """A mock for all examples of a property."""
    with LabsMock() as mock:
        yield mock


class Blocks:
    """Blocks of a mock, all and those that are open, with the number of requests since the journal was emptied."""

    def __init__(self, mock: LabsMock) -> None:
        self.mock, self.all, self.open, self.sent = mock, list[Block](), list[Block](), 0
        mock.forget_requests()

    def begin(self, status: int) -> None:
        """Open a block."""
        block = Block(Expectation(self.mock._control, status, None, None), status)
        block.expectation.__enter__()
        self.all.append(block)
        self.open.append(block)

    def end(self) -> None:
        """Leave the innermost block, if there is one; it raises if it has covered nothing."""
        for block in self.open[-1:]:
            self.open.pop()
            expected = f"^expect: no request was answered {block.status} while"
            with nullcontext() if block.covered else pytest.raises(AssertionError, match=expected):
                block.expectation.__exit__(None, None, None)

    def forget(self) -> None:
        """Empty the journal."""
        self.mock.forget_requests()
        self.sent = 0
        for block in self.all:
            block.expectation.forget()
            block.covered.clear()

    def send(self, path: str) -> None:
        """Send a request."""
        self.sent += 1
        assert httpx.get(f"{self.mock.url}{path}").status_code == ANSWERS[path]
        for block in self.open:
            block.covered += [self.sent] * (block.status == ANSWERS[path])


@settings(max_examples=40)
@given(moments=MOMENTS)
def test_a_block_covers_what_is_received_while_it_is_open(served: LabsMock, moments: list[str]) -> None:
    """Whatever is opened, closed, forgotten and sent in between, compared with what each block has seen by itself."""
    blocks = Blocks(served)
    for moment in moments:
        word, _, status = moment.partition(" ")
        if word == "open":
            blocks.begin(int(status))
        elif word in ("close", "forget"):
            {"close": blocks.end, "forget": blocks.forget}[word]()
        else:
            blocks.send(word)
    for block in blocks.all:
        assert [one.number for one in served.requests if block.expectation.covers(one)] == block.covered


def test_a_block_names_what_it_waited_for(served: LabsMock) -> None:
    """The method and the path, where it has some; an error of the client stays beside it."""
    with (
        pytest.raises(AssertionError, match=r"^expect: no POST request to \*/turns was answered 404") as raised,
        served.expect(status=404, path="*/turns", method="post"),
    ):
        raise LookupError("the client's own")
    assert isinstance(raised.value.__context__, LookupError)


def test_a_block_is_undecidable_where_the_journal_has_dropped_a_request() -> None:
    """What was dropped may have been the one; where one is left, it is not."""
    with live(world(bounds=Bounds(records=2))) as server:
        control = ControlClient(server.url, KEY)
        block = Expectation(control, 404, None, None)
        block.__enter__()
        for path in ("/nothing", "/api/v1/key", "/api/v1/key"):
            server.client.get(path)
        with pytest.raises(UndecidableError, match=r"^undecidable: the oldest request was dropped$"):
            block.__exit__(None, None, None)
        with Expectation(control, 404, None, None):
            for path in ("/nothing", "/api/v1/key"):
                server.client.get(path)
