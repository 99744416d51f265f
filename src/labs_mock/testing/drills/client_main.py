"""The client process of a drill: it imports the user's module, and on command calls the function and reports what it did.

It is run as a file, with nothing of labs-mock imported, and talks to the drill in lines of JSON. At the end of its standard
input the drill is gone, and it ends.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # the folder of this file is no place to import the user's modules from
    sys.path.insert(0, str(Path(__file__).parent))
    from fast_time import install  # type: ignore[import-not-found]  # before anybody else imports what it replaces

    del sys.path[0], sys.modules["fast_time"]


def main() -> None:
    """Report that it is ready, or why it is not; then the outcome of the call."""
    fast_time = install()
    report = _open_report()
    order = json.loads(sys.stdin.readline())
    sys.path[:] = order["sys_path"]
    try:
        function: Any = import_module(order["module"])
        for name in order["name"].split("."):
            function = getattr(function, name)
    except BaseException as error:  # whatever a module raises
        report({"failed": _described(error)})
        return
    report({"ready": True})
    call = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_drill, daemon=True).start()
    fast_time.start(**call["clock"])
    try:
        report({"returned": _plain(_call(function, call["arguments"], call["named"]))})
    except _NoRewardsError as error:
        report({"unusable": str(error)})
    except BaseException as error:  # SystemExit is one of them
        report({"raised": _described(error)})


class _NoRewardsError(TypeError):
    """What a function returned is neither a number nor numbers."""


def _open_report() -> Callable[[dict[str, Any]], None]:
    """Writes lines to what was the standard output; what others print goes to standard error from now on."""
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def report(message: dict[str, Any]) -> None:
        pipe.write(f"{json.dumps(message)}\n")
        pipe.flush()

    return report


def _call(function: Callable[..., Any], arguments: list[Any], named: dict[str, str]) -> Any:
    """What a function returns, sync or async."""
    from inspect import isawaitable, iscoroutinefunction

    if not iscoroutinefunction(function):
        result = function(*arguments, **named)
        if not isawaitable(result):
            return result
        function, arguments, named = _wait_for, [result], {}
    import asyncio

    return asyncio.run(function(*arguments, **named))


async def _wait_for(result: Any) -> Any:
    return await result


def _plain(result: Any) -> Any:
    """Rewards as JSON has them: None, a number, or a list of both. Arrays and tensors are lists. Raises `_NoRewardsError`."""
    result = result.tolist() if hasattr(result, "tolist") else result
    if result is None or isinstance(result, int | float):
        return result
    if isinstance(result, str | bytes | dict) or not hasattr(result, "__iter__"):
        raise _NoRewardsError(f"{type(result).__name__}")
    return [_number(one) for one in result]


def _number(one: Any) -> float | None:
    plain = one.item() if hasattr(one, "item") else one
    if plain is not None and not isinstance(plain, int | float):
        raise _NoRewardsError(f"list with a {type(one).__name__}")
    return plain


def _described(error: BaseException) -> str:
    """The kind of an exception, and the first line of what it says."""
    text = str(error).strip().partition("\n")[0][:200]
    return f"{type(error).__name__}{text and ': '}{text}"


def _end_with_the_drill() -> None:
    while os.read(0, 1024):  # not by `sys.stdin`, whose lock would be held when the process ends
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
