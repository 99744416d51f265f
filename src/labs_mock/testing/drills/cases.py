"""The cases of a drill, as one table: what fails, how that happens in the field, and what good code does then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from labs_mock.contract.limits import EPISODE_LIFETIME
from labs_mock.contract.wording import EPISODE_NOT_FOUND
from labs_mock.testing.drills.drilled_function import FunctionKind
from labs_mock.testing.drills.preparation import Preparation, a_day_passes, answers_of_others, use_up_quota

Fault = Mapping[str, Any]
Right = Literal["the rewards", "the rewards, or none", "none"]


@dataclass(frozen=True, slots=True)
class DrillCase:
    """A case: what the server does, and what is right then.

    `faults` are its plan. `prepare` returns more faults, and may do other things, before the function is called; `meanwhile`
    is called beside it. `ahead` is by how many seconds the client's clock is ahead of the server's. `only` is the one kind of
    function that can meet it. `right` is what may be returned, beside an exception where it includes none.
    """

    name: str
    happens: str
    right: Right
    field: str
    good: str
    faults: tuple[Fault, ...] = ()
    prepare: Callable[[Preparation], tuple[Fault, ...]] | None = None
    meanwhile: Callable[[Preparation], None] | None = None
    ahead: float = 0.0
    only: FunctionKind | None = None

    @property
    def must_succeed(self) -> bool:
        """Whether nothing but the rewards is right."""
        return self.right == "the rewards"

    @property
    def advice(self) -> str:
        """What happens, and what good code does then, for who did something else."""
        return f"{self.name}: {self.happens}.\nGood code {self.good}."


POSTS: dict[str, Any] = {"method": "POST"}
FIRST: dict[str, Any] = {**POSTS, "first": 1}
BATCH, TURNS, EVALUATE = "/api/v1/batch/evaluate", "/api/v1/episodes/*/turns", "/api/v1/evaluate"
NOTHING_DONE = {"status": 503}  # beside a reset: the request is not handled at all


def _status(status: int, field: str, good: str, message: str | None = None) -> DrillCase:
    """A case in which everything is answered with one status."""
    fault = {"status": status} | ({} if message is None else {"message": message})
    return DrillCase(f"status-{status}", f"every request is answered {status}", "none", field, good, (fault,))


FINAL = "raises, or returns `None` or NaN; no retry, since the same request gets the same answer"
RETRIES = "retries a few times, later each time; then raises, or returns `None` or NaN"
AGAIN = "retries, a little later, and returns the right rewards; or raises"

CASES = (
    DrillCase(
        "nothing-fails",
        "nothing fails",
        "the rewards",
        "Every day.",
        "returns the rewards as they were served, one a conversation and in their order; a play returns that of its last turn",
    ),
    _status(400, "A message is too long, or the trainer builds a body that the service refuses.", FINAL),
    _status(401, "The key is missing on one machine, was revoked, or expired at night.", FINAL),
    _status(403, "The subscription for the collection has ended.", FINAL),
    _status(404, "The slug of a scenario is misspelt, or it was removed.", FINAL, "Scenario not found"),
    _status(413, "The batch or the conversation is larger than the service, or a proxy before it, takes.", FINAL),
    _status(500, "The service has a defect that this conversation triggers.", RETRIES),
    _status(502, "A proxy gets nothing from the service, which is being deployed.", RETRIES),
    _status(504, "A proxy gave up waiting for the service.", RETRIES),
    DrillCase(
        "503-once",
        "the first request is answered 503",
        "the rewards, or none",
        "The service is overloaded for a moment.",
        AGAIN,
        ({**FIRST, "status": 503},),
    ),
    DrillCase(
        "503-for-ever",
        "every request is answered 503",
        "none",
        "The service is down for the night.",
        "gives up after a few retries, and raises: a step without rewards is better than one with zeros",
        ({"status": 503},),
    ),
    DrillCase(
        "one-fails",
        "one conversation is answered 503 each time, where it is not in a batch",
        "none",
        "One conversation of many triggers a defect of the service.",
        "returns `None` or NaN in its place and the right rewards in theirs; or raises",
        ({"path": EVALUATE, "scenario_slug": "return-to-work-plan", "status": 503},),
        only="rewards",
    ),
    DrillCase(
        "429-reset-ahead",
        "the quota is used up; `X-RateLimit-Reset` is fifteen seconds ahead",
        "the rewards, or none",
        "More rollouts at once than the plan allows.",
        "waits until `X-RateLimit-Reset`, then returns the right rewards; or raises",
        prepare=use_up_quota,
    ),
    DrillCase(
        "429-reset-past",
        "the same, but by the client's clock the reset was almost two minutes ago",
        "the rewards, or none",
        "The clock of the training machine is fast.",
        "waits at least a second before each retry, and gives up after a few",
        prepare=use_up_quota,
        ahead=120.0,
    ),
    DrillCase(
        "reset-before",
        "the connection of the first request is reset before the request takes effect",
        "the rewards, or none",
        "The service is restarted, or a load balancer closes a connection that was kept alive too long.",
        AGAIN,
        ({**FIRST, **NOTHING_DONE}, {**FIRST, "reset": "head"}),
    ),
    DrillCase(
        "reset-after",
        "the connection of the first request is reset after the request took effect",
        "the rewards, or none",
        "The network breaks while the answer is on its way.",
        AGAIN,
        ({**FIRST, "reset": "head"},),
    ),
    DrillCase(
        "stall-head",
        "the first request is never answered",
        "the rewards, or none",
        "A worker of the service hangs; a firewall forgets the connection.",
        "has a timeout for the whole request; then retries, or raises",
        ({**FIRST, "stall": "head"},),
    ),
    DrillCase(
        "stall-body",
        "the first answer stops after twenty bytes",
        "the rewards, or none",
        "A machine on the way dies, and nobody closes the connection.",
        "has a timeout for the body, too; then retries, or raises",
        ({**FIRST, "stall": 20},),
    ),
    DrillCase(
        "slow",
        "the first answer takes eight seconds",
        "the rewards, or none",
        "The service scales up, or scores a long conversation.",
        "waits, or gives up and retries on another connection; each reward is in its own place, in whatever order they arrive",
        ({**FIRST, "delay": 8},),
    ),
    DrillCase(
        "cut",
        "the body of the first answer ends after twenty bytes",
        "the rewards, or none",
        "A proxy is restarted while the answer is on its way.",
        AGAIN,
        ({**FIRST, "cut": 20},),
    ),
    DrillCase(
        "no-json",
        "the first answer is a 200 that is no JSON",
        "the rewards, or none",
        "A proxy or a login page answers in place of the service.",
        AGAIN,
        ({**FIRST, "garbage": True},),
    ),
    DrillCase(
        "nan",
        "the first reward of every answer is NaN",
        "none",
        "A model that scores overflows, and Python writes NaN into its JSON.",
        "leaves it NaN, which trainers mask, or raises; it never becomes 0.0",
        ({**POSTS, "nan_reward": 0},),
    ),
    DrillCase(
        "error-item",
        "the first item of every batch is an error item, without `reward`",
        "none",
        "One conversation of a batch is too long, or names a scenario that is gone.",
        "reads `status` of each result; `None` or NaN in that place, or raises",
        ({"path": BATCH, "fail_item": 0},),
        only="rewards",
    ),
    DrillCase(
        "other-order",
        "the results of every batch come in reverse order",
        "the rewards, or none",
        "A service that scores in parallel lists results as they are done.",
        "finds results by their `id`, never by their place",
        ({"path": BATCH, "reverse_results": True},),
        only="rewards",
    ),
    DrillCase(
        "one-short",
        "the first result of every batch is missing",
        "none",
        "A service drops what it could not score.",
        "finds results by their `id`; `None` or NaN for a missing one, or raises",
        ({"path": BATCH, "drop_result": 0},),
        only="rewards",
    ),
    DrillCase(
        "answer-of-another",
        "batches and turns get the answer to another request",
        "none",
        "A connection is used again after a timeout, and the late answer is taken for that of the next request.",
        "checks the `id` of each result and the number of the `turn`, and raises; after a timeout it closes the connection",
        prepare=answers_of_others,
    ),
    DrillCase(
        "turn-lost",
        "the connection of the second turn is reset, and the turn was not taken",
        "the rewards, or none",
        "The service is restarted before it gets to the turn.",
        "raises, or gives up the episode, because it cannot know whether the turn was taken",
        ({"path": TURNS, "nth": 2, **NOTHING_DONE}, {"path": TURNS, "nth": 2, "reset": "head"}),
        only="play",
    ),
    DrillCase(
        "turn-answer-lost",
        "the second turn was taken, and the connection is reset before its answer",
        "the rewards, or none",
        "The network breaks while the answer is on its way.",
        "raises, or begins another episode; it never sends the turn again, which would be taken as another turn",
        ({"path": TURNS, "nth": 2, "reset": "head"},),
        only="play",
    ),
    DrillCase(
        "episode-expired",
        f"a day passes after the first turn; the next one is a 404, `{EPISODE_NOT_FOUND}`",
        "the rewards, or none",
        "A job is suspended, and goes on the next day.",
        "raises, or begins another episode; no retry of the turn",
        ({"path": TURNS, "nth": 1, "delay": EPISODE_LIFETIME},),
        meanwhile=a_day_passes,
        only="play",
    ),
)

BY_NAME = {case.name: case for case in CASES}
