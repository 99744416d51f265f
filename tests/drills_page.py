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

A drill shows what your reward function does when something fails: a key has expired, a proxy is restarted, a result is missing from a batch. It is for people who
train a model, or write a client. The drill calls your function once under each failure, a *case*, and rates what it does. The worst is a number in place of
a reward that is missing: nobody notices, and the model is trained on it.

| about | |
|---|---|
| to begin | [the function](#the-function) · [the rating](#the-rating) · [the cases](#the-cases) |
| more | [time](#time) · [in Python, in pytest, in CI](#in-python-in-pytest-in-ci) |

Functions like this one are in many trainers:

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

This command calls it in four cases. Without `--case` it is called in all cases that fit it, which takes about half a minute:

<!-- ends: 1 -->
```sh
labs-mock drill my_rewards:score --case nothing-fails --case status-401 --case stall-head --case error-item
```

```text
                                       Drill of my_rewards:score
┏━━━━━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃ case          ┃ rating  ┃ what the function did ┃ why                                                ┃
┡━━━━━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│ nothing-fails │ good    │ right                 │                                                    │
│ status-401    │ wrong   │ 0.0 (6 of 6)          │ a number for a failure; the model is trained on it │
│ stall-head    │ wrong   │ 0.0 (1 of 6)          │ a number for a failure; the model is trained on it │
│ error-item    │ skipped │ right                 │ no request triggered it                            │
└───────────────┴─────────┴───────────────────────┴────────────────────────────────────────────────────┘
status-401: every request is answered 401.
Good code raises, or returns `None` or NaN; no retry, since the same request gets the same answer.

stall-head: the first request is never answered.
Good code has a timeout for the whole request; then retries, or raises.

my_rewards:score: 4 cases, 1 good, 2 wrong, 1 skipped
```

## The function

The function is at the top level of a module that can be imported from the current folder. It is one of these, sync or async:

| function | returns |
|---|---|
| `function(conversations)` | the rewards as they were served, one for each conversation and in the same order; `None` or NaN where there is none |
| `play()` | the reward of the last turn of the episode that it plays, or a list of them, one for each episode; `None` where there is none |

Both may have parameters `url` and `key`. The same values are in the environment, in `LABS_URL` and `LABS_API_KEY`. A conversation is an object with
`collection_slug`, `scenario_slug` and `messages`, which can be sent to `/evaluate` as it is; an item of a batch also needs an `id`. There are six conversations, of two
scenarios of the shipped library. Their rewards all differ, and none is 0. The function may return a list, an array or a tensor, in any precision.

## The rating

| rating | what the function did |
|---|---|
| `wrong` | one of: it returned a number for a failure, a reward in a wrong place, or too few rewards; it did not return; it took a turn twice; it retried a 4xx other than 429 twice or more; it did not return the right rewards although nothing failed |
| `good` | it raised an error, or returned `None` or NaN for what failed; or it returned the right rewards, after retries that respect the reset |
| `check` | anything else: for example the right rewards after a retry before the reset, more than ten retries of one request, or a process that ended by itself |
| `skipped` | nothing was wrong, but no request triggered the failure: a client that sends no batches gets no error items |

The rating is based on the journal of the server, which has every request with its time and its response. A *retry* is the same request again, after a
response that was an error or did not arrive completely.

## Time

Each case has a server and a client process of its own. After its module is imported, the process has five seconds of real time; then it is ended.

So that you need not wait for minutes, time runs twelve times as fast in the server and in the client process: clocks, dates, sleeps, timers of event loops,
timeouts of sockets and threads. Five real seconds are a minute there. That is enough for three timeouts of ten seconds with pauses between them; a
training step should not wait longer. All clocks agree: a client that sleeps until `X-RateLimit-Reset` does so to the second, and a backoff of eight seconds is
one of eight seconds in the journal.

- Computing is not faster. A timeout of one second leaves less than a tenth of a real second to the machine, so use timeouts of five seconds or more.
- Waiting outside of Python, as in uvloop, keeps real time.
- The module is imported anew in each process. If it imports a trainer, the drill is slow: put the function into a module of its own.

## In Python, in pytest, in CI

`drill` takes a function, or its name as the command does. It returns a `DrillReport` with a row for each case. A row has `case`, `rating`, `result`, `reason`,
`retries`, and in `waits` the seconds before each retry:

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
wrong: 503-once, 0.0 (1 of 6); a number for a failure; the model is trained on it
skipped: one-short, right; no request triggered it
```

A test with the fixture `labs_mock_drill` runs once for each case. It fails if the rating is `wrong`, warns if it is `check`, and is skipped if it is
`skipped`:

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
wrong: status-401, 0.0 (6 of 6); a number for a failure; the model is trained on it
```

The exit code of `labs-mock drill` is 1 if a rating is `wrong`, 2 if the function does not have one of the forms above, and 3 if no server can start.
`--format json` and `--format junit` are for programs:

```sh
labs-mock drill my_rewards:score --case nothing-fails --format json
labs-mock drill my_rewards:score --case nothing-fails --format junit | head -n 3
```

## The cases

| case | what happens | right is | in the field | good code |
|---|---|---|---|---|
"""
