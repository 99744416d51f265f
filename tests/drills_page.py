"""`docs/drills.md`, written by `make generated`: prose, and the table of cases."""

from labs_mock.testing.drills.cases import CASES, DrillCase

FOR = {None: "", "rewards": " (functions over conversations)", "play": " (plays)"}


def drills() -> str:
    """The page: every case with what happens, what is right then, how it comes about in the field and what good code does."""
    return PAGE + "".join(map(_row, CASES))


def _row(case: DrillCase) -> str:
    cells = (f"`{case.name}`", case.happens + FOR[case.only], case.right, case.field, case.good)
    return f"| {' | '.join(cells)} |\n"


PAGE = """\
<!-- Written by `make generated` from the table of cases and `tests/drills_page.py`. -->

# Drills

A reward client meets more than answers: a key that has expired, a proxy that is restarted, a batch with a hole in it. A drill
calls your function once under each of these, and rates what it does then. Worst is a number in the place of a reward that never
came: nobody notices it, and the model is trained on it.

This function is in use in many a trainer:

<!-- file: my_rewards.py -->
```python
import httpx


def score(conversations, url, key):
    rewards = []
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=10) as http:
        for conversation in conversations:
            try:
                rewards.append(http.post("/evaluate", json=conversation).json()["reward"])
            except Exception:
                rewards.append(0.0)
    return rewards
```

Without `--case` it meets all cases that it can, which takes about half a minute:

<!-- ends: 1 -->
```sh
labs-mock drill my_rewards:score --case nothing-fails --case status-401 --case stall-head --case error-item
```

```text
                                       Drill of my_rewards:score
┏━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ case          ┃ rating  ┃ what the function did ┃ why                                               ┃
┡━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ nothing-fails │ good    │ right                 │                                                   │
│ status-401    │ wrong   │ 0.0 (6 of 6)          │ a number for what failed, trained on as the worst │
│ stall-head    │ wrong   │ 0.0 (1 of 6)          │ a number for what failed, trained on as the worst │
│ error-item    │ skipped │ right                 │ no request met it                                 │
└───────────────┴─────────┴───────────────────────┴───────────────────────────────────────────────────┘
status-401: every request is answered 401.
Good code raises, or returns `None` or NaN; no retry, since the same request gets the same answer.

stall-head: the first request is never answered.
Good code has a timeout for the whole request; then retries, or raises.

my_rewards:score: 4 cases, 1 good, 2 wrong, 1 skipped
```

## The function

It stands at the top level of a module that can be imported from the current folder, and is one of these, sync or async:

| function | returns |
|---|---|
| `function(conversations)` | the rewards, one a conversation and in their order, as they were served; `None` or NaN where there is none |
| `play()` | the reward of the last turn of the episode that it plays, or a list of them, one an episode; `None` where there is none |

Both may have parameters `url` and `key`; in any case they are in `LABS_URL` and `LABS_API_KEY`. A conversation is an object with
`collection_slug`, `scenario_slug` and `messages`, which `/evaluate` takes as it is and a batch with an `id`. There are six, of two
scenarios of the shipped library, which is served; their rewards all differ, and none is 0. Arrays and tensors are as good as lists,
and precision does not matter.

## The rating

| rating | what the function did |
|---|---|
| `wrong` | returned a number for what failed, a reward in a wrong place or too few of them; did not come back; took a turn twice; retried a 4xx other than 429 twice or more; or did not return the right rewards although nothing failed |
| `good` | raised, or returned `None` or NaN for what failed; or the right rewards, after retries that respect the reset |
| `check` | anything else, such as the right rewards after a retry before the reset, more than ten retries of one request, or a process that ended by itself |
| `skipped` | nothing wrong, but no request met the case: a client without batches gets no error items |

What happened is read from the journal of the server, not from what the client says of itself: every request with its time and its
answer. A *retry* is the same request again after an answer that was an error or did not arrive whole.

## Time

Each case has a server and a client process of its own. Once the module is imported, the process has five seconds of real time,
and then it is ended. So that nobody has to wait for minutes, time runs twelve times as fast in the server and in the client process:
clocks, dates, sleeps, timers of event loops, timeouts of sockets and threads. All are on one clock, so that a client that sleeps until
`X-RateLimit-Reset` does so to the second, a backoff of eight seconds is one of eight seconds in the server's journal, and a timeout
of ten seconds leaves the server ten. The five seconds are a minute: long enough for three timeouts of ten seconds with pauses
between them; a step of training should wait no longer. Computing is not faster, so that a timeout of one second leaves
less than a tenth of one to the machine: drill with timeouts of five seconds and more. What waits outside of Python, such as uvloop,
keeps real time.

The module is imported anew in each process, so that one that imports a trainer makes the drill slow: put the function into a
module of its own.

## In Python, in pytest, in CI

`drill` returns a `DrillReport` with the rows, each with `case`, `rating`, `result`, `reason`, `retries` and the `waits` before them
in seconds. It takes a function, or its name as the command does:

```python
from my_rewards import score

from labs_mock.testing import drill

report = drill(score, cases=["503-once", "one-short"])
print(report.passed)
print(report)
```

```text
False
drill of my_rewards:score
wrong: 503-once, 0.0 (1 of 6); a number for what failed, trained on as the worst
skipped: one-short, right; no request met it
```

A test with the fixture `labs_mock_drill` runs once for each case. It fails where the row is wrong, warns where it is to be checked,
and is skipped for cases that the function does not meet:

<!-- file: test_my_rewards.py -->
```python
from my_rewards import score


def test_score(labs_mock_drill):
    labs_mock_drill(score)
```

<!-- ends: 1 -->
```sh
pytest -q test_my_rewards.py -k "nothing-fails or one-short or status-401" 2>&1 | grep ^wrong
```

```text
wrong: status-401, 0.0 (6 of 6); a number for what failed, trained on as the worst
```

The exit code of `labs-mock drill` is 1 if a row is wrong, 2 if the function cannot be called so, and 3 if no server can start.
`--format json` and `--format junit` are for programs:

```sh
labs-mock drill my_rewards:score --case nothing-fails --format json
labs-mock drill my_rewards:score --case nothing-fails --format junit | head -n 3
```

## The cases

| case | what happens | right is | in the field | good code |
|---|---|---|---|---|
"""
