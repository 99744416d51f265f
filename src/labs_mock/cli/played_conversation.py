"""A conversation that a person plays as the operator, without a server."""

from typing import Any

from labs_mock.contract.parsing import read_json, read_model
from labs_mock.contract.requests import Evaluate, Message, as_json
from labs_mock.engine.evaluation import Evaluation, evaluate
from labs_mock.engine.player import Player
from labs_mock.errors import BadRequest
from labs_mock.scenario.compiled.scenario import Scenario


class PlayedConversation:
    """A conversation, evaluated whole after each turn, so that its rewards are those of `/evaluate` (EV-1) and of an episode (EV-2).

    `evaluations` has one for each turn so far; `calls` are the tool calls that go with the next turn.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.evaluations: list[Evaluation] = []
        self.calls: list[dict[str, Any]] = []
        self._player = Player(scenario)
        self._messages: list[Message] = [{"role": "user", "content": scenario.first_observation}]

    @property
    def latest(self) -> Evaluation | None:
        """The evaluation after the last turn; None before the first."""
        return self.evaluations[-1] if self.evaluations else None

    @property
    def ended(self) -> str | None:
        """The terminal reason, once there is one (EP-11)."""
        return self.latest.play.terminal if self.latest else None

    def take_turn(self, content: str) -> Evaluation:
        """Take a turn of one message with the calls. Raises `BadRequest` for what `/evaluate` would refuse (EP-9), and after the end."""
        self.check_open()
        turn = {"role": "assistant", "content": content, **({"tool_calls": self.calls} if self.calls else {})}
        messages = [*self._messages, *read_model(Evaluate, {**self._slugs(), "messages": [turn]}).messages]
        evaluation = evaluate(self._player, messages)
        self._messages = [*messages, {"role": "user", "content": evaluation.play.observation}]
        self.evaluations.append(evaluation)
        self.calls = []
        return evaluation

    def add_call(self, name: str, text: str) -> dict[str, Any]:
        """Add a tool call to the next turn: its input as JSON, or an option by itself. Raises `BadRequest` for an invalid one (EP-12)."""
        self.check_open()
        tool = self.scenario.tools.get(name)
        if tool is not None and tool.options and not text.startswith("{"):
            value: Any = {"value": text}
        else:
            value = _read_input(text or "{}") if tool is not None else None
        kind = tool.type if tool is not None else ""
        problem = self.scenario.call_problem(name, kind, value)
        if problem is not None:
            raise BadRequest(problem[1])
        self.calls.append({"type": kind, "name": name, "input": value})
        return self.calls[-1]

    def undo(self) -> bool:
        """Take back the calls for the next turn, or where there are none the last turn; whether there was anything."""
        if self.calls:
            self.calls = []
        elif self.evaluations:
            self.evaluations.pop()
            del self._messages[-2:]
        else:
            return False
        return True

    def check_open(self) -> None:
        """Raise `BadRequest` after the end."""
        if self.ended:
            raise BadRequest("the conversation has ended; /undo takes the last turn back, /quit leaves")

    def transcript(self) -> dict[str, Any]:
        """The conversation as the body of `/evaluate`, which `labs-mock score` reads, too."""
        return {**self._slugs(), "messages": [as_json(message) for message in self._messages]}

    def _slugs(self) -> dict[str, str]:
        return {"collection_slug": self.scenario.collection, "scenario_slug": self.scenario.slug}


def _read_input(text: str) -> dict[str, Any]:
    try:
        return read_json(text.encode(), b"application/json")
    except BadRequest as error:
        raise BadRequest(f"input of the call: {error.message.removeprefix('body: ')}") from None
