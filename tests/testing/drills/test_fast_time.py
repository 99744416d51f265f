"""Each in a process of its own, where it may replace what it likes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from labs_mock.testing.drills import fast_time

FOLDER = Path(fast_time.__file__).parent
RATE = 20

SETUP = f"""
import sys
import time as computer
read_computer = computer.monotonic
real_time = computer.time
sys.path.insert(0, {str(FOLDER)!r})
from fast_time import install
fast = install()
import asyncio, concurrent.futures, datetime, json, queue, socket, threading, time
from time import monotonic, sleep
one, other = socket.socketpair()
"""

WAITS = {  # each waits four seconds
    "time.sleep": "time.sleep(4)",
    "sleep": "sleep(4)",
    "asyncio.sleep": "asyncio.run(asyncio.sleep(4))",
    "wait_for": "asyncio.run(asyncio.wait_for(asyncio.Event().wait(), 4))",
    "timeout": "asyncio.run(asyncio.wait_for(asyncio.sleep(40), 4))",
    "socket": "one.settimeout(4), one.gettimeout() == 4 and one.recv(1)",
    "default of sockets": "socket.setdefaulttimeout(4), socket.create_server(('127.0.0.1', 0)).accept()",
    "event": "threading.Event().wait(4)",
    "condition": "wait_for_condition(4)",
    "join": "joined(threading.Thread(target=sleep, args=[4]))",
    "join with a timeout": "main.join(4)",
    "queue": "queue.Queue().get(timeout=4)",
    "future": "concurrent.futures.Future().result(4)",
}

MEASURED = """
main = threading.current_thread()

def joined(thread):
    thread.start()
    thread.join()

def wait_for_condition(seconds):
    with (condition := threading.Condition()):
        condition.wait_for(lambda: False, seconds)

def measured(wait):
    began, seen = read_computer(), [monotonic(), time.time(), datetime.datetime.now().timestamp()]
    try:
        eval(wait)
    except (TimeoutError, queue.Empty, concurrent.futures.TimeoutError):
        pass
    now = [monotonic(), time.time(), datetime.datetime.now().timestamp()]
    return read_computer() - began, [after - before for before, after in zip(seen, now)]

WAITS = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(len(WAITS)) as pool:
    fast.start(base=1_800_000_000.0, origin=real_time(), rate=float(sys.argv[2]))
    print(json.dumps(list(pool.map(measured, WAITS))))
"""


def run(script: str, *arguments: str) -> str:
    """What a script prints."""
    command = [sys.executable, "-P", "-c", script, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert not ended.returncode, ended.stderr
    return ended.stdout


def test_whatever_waits_takes_a_fraction_and_every_clock_sees_all_of_it() -> None:
    """Four seconds of waiting take a fifth of one, and are four on each clock."""
    found = json.loads(run(SETUP + MEASURED, json.dumps([*WAITS.values()]), str(RATE)))
    for name, (elapsed, seen) in zip(WAITS, found, strict=True):
        assert 4 / RATE * 0.95 < elapsed < 2, name
        assert all(one == pytest.approx(elapsed * RATE, rel=0.05, abs=0.2) for one in seen), name


def test_dates_are_those_of_the_clock_and_remain_dates() -> None:
    """`datetime` and `date` read it; what other modules make of the true classes is still an instance."""
    script = f"""
{SETUP}
import email.utils, pickle
true = email.utils.parsedate_to_datetime("Thu, 01 Jan 2026 00:00:00 GMT")
fast.start(base=1_800_000_000.0, origin=real_time(), rate={RATE})

class Mine(datetime.date):
    pass

print(json.dumps([
    datetime.datetime.now(datetime.UTC).isoformat()[:15],
    datetime.datetime.utcnow().isoformat()[:15],
    datetime.datetime.fromtimestamp(time.time(), datetime.UTC).isoformat()[:15],
    str(datetime.date.today())[:7],
    time.strftime("%Y-%m-%dT%H:%M", time.gmtime())[:15],
    time.time_ns() // 10**12,
    datetime.datetime.today().year == time.localtime().tm_year,
    isinstance(true, datetime.datetime) and isinstance(true, datetime.date) and issubclass(type(true), datetime.datetime),
    issubclass(datetime.datetime, datetime.date) and not isinstance(true, Mine) and isinstance(Mine.today(), Mine),
    not isinstance("text", datetime.date),
    pickle.loads(pickle.dumps(datetime.datetime(2026, 1, 1))) == datetime.datetime(2026, 1, 1),
]))
"""
    at = "2027-01-15T08:0"
    assert json.loads(run(script)) == [at, at, at, "2027-01", at, 1_800_000, *[True] * 5]


def test_until_it_is_started_all_is_as_it_was() -> None:
    """The user's module is imported in real time; clocks without a date do not jump when it is started."""
    script = f"""
{SETUP}
began = read_computer()
sleep(0.3)
slept = read_computer() - began
before = monotonic(), time.perf_counter(), abs(time.time() - real_time())
fast.start(base=0.0, origin=real_time(), rate=1000)
after = monotonic(), time.perf_counter()
print(json.dumps([slept, before[2], after[0] - before[0], after[1] - before[1]]))
"""
    slept, apart, *jumps = json.loads(run(script))
    assert slept >= 0.3
    assert apart < 0.1
    assert all(0 <= jump < 60 for jump in jumps)


def test_what_is_no_timeout_stays_none() -> None:
    """None, 0 and less mean what they mean to who gets them."""
    script = f"""
{SETUP}
fast.start(base=0.0, origin=real_time(), rate={RATE})
one.settimeout(None)
found = [one.gettimeout()]
one.setblocking(False)
found += [one.gettimeout(), threading.Event().wait(0), threading.Condition().acquire(), socket.getdefaulttimeout()]
try:
    time.sleep(-1)
except ValueError:
    found.append("refused")
print(json.dumps(found))
"""
    assert json.loads(run(script)) == [None, 0.0, False, True, None, "refused"]
