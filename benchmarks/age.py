"""A server that has answered many requests against a fresh one: what a request costs must not grow with age.

Both answer evaluations of conversations never seen before, in alternating rounds of one run. What is compared is the time that
the servers' threads had a processor, where the system tells (Linux), else the time on the clock.
"""

from itertools import count
from statistics import median

from benchmarks.pipeline import post, send_all
from benchmarks.servers import LABS_MOCK, running, seconds_used

OLD, FRESH = 300_000, 30_000  # requests before the first round
ROUNDS = 15
REQUESTS = 2_000  # a round
CONNECTIONS = 8
CHUNK = 20_000  # requests that are made beforehand
GOAL = 1.05

_numbers = count()


def request() -> bytes:
    """An evaluation of a short conversation that no server has seen."""
    number = next(_numbers)
    messages = [
        {"role": "user", "content": f"Hello, this is number {number}."},
        {"role": "assistant", "content": f"Could you tell me what happened, number {number}?"},
    ]
    scenario = {"collection_slug": "case-management", "scenario_slug": "lower-back-claim"}
    return post("/evaluate", {**scenario, "messages": messages})


def evaluate(port: int, requests: int) -> None:
    """Send so many evaluations over several connections, some thousand at a time."""
    for start in range(0, requests, CHUNK):
        number = min(CHUNK, requests - start) // CONNECTIONS
        send_all(port, [[request() for _ in range(number)] for _ in range(CONNECTIONS)])


def microseconds(port: int, process: int) -> float:
    """What a request of one round costs."""
    before = seconds_used(process)
    evaluate(port, REQUESTS)
    return (seconds_used(process) - before) / REQUESTS * 1e6


def main() -> None:
    """Print the ratio of the medians."""
    old, fresh = [], []
    with running(LABS_MOCK, 18_771) as first, running(LABS_MOCK, 18_772) as second:
        evaluate(18_771, OLD)
        evaluate(18_772, FRESH)
        for _ in range(ROUNDS):
            old.append(microseconds(18_771, first.process))
            fresh.append(microseconds(18_772, second.process))
    ratio = median(old) / median(fresh)
    print(
        f"age           {median(old):>8.1f} µs a request after {OLD:,}, {median(fresh):.1f} after {FRESH:,}: "
        f"{ratio:.2f} times (goal {GOAL} or less)"
    )


if __name__ == "__main__":
    main()
