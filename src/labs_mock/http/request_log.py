"""`serve --log`: a line for each request, once it is answered."""

from collections.abc import Callable

from starlette.types import Receive, Send

from labs_mock.clock import stopwatch
from labs_mock.escapes import printable
from labs_mock.http.app import App
from labs_mock.http.exchange import Exchange
from labs_mock.http.request import WorldOf

SHOWN = 3  # rewards of a batch


class LoggedApp(App):
    """The application, which writes a line for each request; the time in it is real, from the whole body to the whole answer."""

    def __init__(self, world_of: WorldOf, write: Callable[[str], None]) -> None:
        super().__init__(world_of)
        self._write = write

    async def _respond(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        elapsed = stopwatch()
        try:
            await super()._respond(exchange, receive, send)
        finally:
            self._write(line(exchange, elapsed()))


def line(exchange: Exchange, milliseconds: float) -> str:
    """Method, path, status, rewards, findings, faults and time; no key can be read in it, and nothing in it is a control character."""
    findings = dict.fromkeys(finding.code for finding in exchange.findings)
    rewards = ["none" if reward is None else f"{reward:g}" for reward in exchange.rewards]
    if len(rewards) > SHOWN:
        rewards[SHOWN:] = [f"… ({len(rewards)})"]
    faults = [fault.id for fault in exchange.arrived.faults]
    parts = [f"{exchange.request.method} {exchange.redact(exchange.request.path)} {exchange.status}"]
    delivery = exchange.delivery.notes if exchange.delivery is not None else []
    for name, values in (("reward", rewards), ("findings", findings), ("faults", faults), ("answer", delivery)):
        parts += [f"{name} {', '.join(values)}"] * bool(values)
    return printable("  ".join([*parts, f"{milliseconds:.1f} ms"]), keep="")
