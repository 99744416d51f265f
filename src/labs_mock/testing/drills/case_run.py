"""A case: a server of its own, the function in a process of its own, and what then happens."""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

from labs_mock.clock import Clock, instant_text
from labs_mock.config.library import Library, load_library, shipped_library
from labs_mock.serving.thread import ServerThread
from labs_mock.serving.worlds import world_parts
from labs_mock.testing.drills.cases import DrillCase
from labs_mock.testing.drills.client_process import ClientProcess
from labs_mock.testing.drills.conversations import DrilledConversation, conversations_of
from labs_mock.testing.drills.drill_report import DrillRow
from labs_mock.testing.drills.drilled_function import DrilledFunction
from labs_mock.testing.drills.happened import Happened, Outcome, requests_of
from labs_mock.testing.drills.judge import judge
from labs_mock.testing.drills.preparation import Preparation
from labs_mock.testing.handle import LabsMock

LIMIT = 5.0  # seconds of real time for the function
RATE = 12  # of the clocks of server and client: the limit is a minute on them
BEFORE_RESET = 15  # seconds on these that a minute has left when the function is called
MINUTE = 60


class DrillLibrary(NamedTuple):
    """What is served, and the conversations of it."""

    library: Library
    conversations: list[DrilledConversation]


@cache
def drill_library() -> DrillLibrary:
    """The shipped library; nothing changes it."""
    library = load_library(shipped_library())
    return DrillLibrary(library, conversations_of(library))


def run_case(case: DrillCase, drilled: DrilledFunction, loaded: DrillLibrary) -> DrillRow:
    """Run a case. Raises `LabsMockError` if the function cannot be imported, and `StartError` if the server cannot start."""
    library, conversations = loaded
    of_rewards = drilled.kind == "rewards"
    with _served(library) as (server, mock), ClientProcess(drilled, mock.url, mock.api_key) as client:
        client.get_ready()
        preparation = Preparation(mock, conversations)
        faults: Iterable[Mapping[str, Any]] = case.faults
        if case.prepare is not None:
            faults = [*faults, *case.prepare(preparation)]
            mock.forget_requests()
        for fault in faults:
            mock.add_fault(**fault)
        mock.set_clock(mode=f"x{RATE}")
        clock = server.result_of(server.world.store.clock())
        arguments = [[one.body for one in conversations]] if of_rewards else []
        with _beside(case, preparation):
            answer = client.call(arguments, _clock(clock, case.ahead), LIMIT)
        requests = server.result_of(requests_of(server.world, case.ahead))
    expected = [one.reward for one in conversations] if of_rewards else None
    happened = Happened(Outcome.from_answer(answer), requests, expected)
    return judge(case.name, happened, must_succeed=case.must_succeed)


@contextmanager
def _served(library: Library) -> Iterator[tuple[ServerThread, LabsMock]]:
    """A server on a free port, whose clock stands shortly before the end of a minute, near the computer's time."""
    now = Clock.parse("real").now()
    instant = instant_text((now // MINUTE + 1) * MINUTE - BEFORE_RESET)
    server = ServerThread(world_parts(library, {"clock": f"frozen:{instant}", "port": 0}))
    server.start()
    try:
        yield server, LabsMock(url=server.url, api_key=server.world.first_key).start()
    finally:
        server.stop()


def _clock(clock: Clock, ahead: float) -> dict[str, float]:
    """A clock as the client has it, so many seconds ahead."""
    return {"base": clock.base + ahead, "origin": clock.origin, "rate": clock.rate}


@contextmanager
def _beside(case: DrillCase, preparation: Preparation) -> Iterator[None]:
    """Do beside the block what happens meanwhile in a case."""
    if case.meanwhile is None:
        yield
        return
    thread = threading.Thread(target=case.meanwhile, args=[preparation])
    thread.start()
    try:
        yield
    finally:
        preparation.over.set()
        thread.join()
