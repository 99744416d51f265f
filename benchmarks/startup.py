"""From spawn to the first 200, against the smallest Starlette and pydantic application."""

from statistics import median

from benchmarks.servers import LABS_MOCK, SMALLEST, running

ROUNDS = 5
GOAL = 2.0


def main() -> None:
    """Print the ratio of the medians."""
    ours, smallest = [], []
    for _ in range(ROUNDS):
        with running(SMALLEST, 18_767) as started:
            smallest.append(started.seconds)
        with running(LABS_MOCK, 18_768) as started:
            ours.append(started.seconds)
    ratio = median(ours) / median(smallest)
    print(
        f"first answer  {median(ours) * 1000:>8.0f} ms against {median(smallest) * 1000:.0f} ms: {ratio:.2f} times (goal {GOAL} or less)"
    )
