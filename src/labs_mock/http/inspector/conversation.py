"""A conversation as pages show it: what was said turn by turn, the reward behind each turn, and how it comes about."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import escape

from labs_mock.contract.requests import Message
from labs_mock.engine.assessment import Assessment, ExplainedRule
from labs_mock.engine.attribution import operator_turns
from labs_mock.engine.explanation import explain_rules
from labs_mock.engine.player import Player
from labs_mock.engine.transcript import turns_of
from labs_mock.engine.turn_results import TurnResult, turn_results
from labs_mock.escapes import printable
from labs_mock.http.inspector.charts import LineChart, Point, line
from labs_mock.http.inspector.chat_lines import ChatLine, Submitted, episode_lines, plain_lines, submitted_lines
from labs_mock.http.inspector.endings import ending
from labs_mock.redaction import Redact
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.state.episode import Episode

MAX_TAGS = 6  # of a kind at one turn
MAX_DOTS = 12  # turns up to which the small charts have dots


class Room(NamedTuple):
    """How much of a page a conversation may take: bytes of HTML, messages and rows of rules."""

    bytes: int
    lines: int
    rules: int


WHOLE_PAGE = Room(92_000, 120, 60)
HALF_PAGE = Room(43_000, 40, 20)


class AnsweredReward(NamedTuple):
    """The reward with which a turn was answered, and the number of the request."""

    reward: float
    request: int


class ShownTurn(NamedTuple):
    """A turn of the operator, or, with the number 0, what stands before the first.

    `reward` is None in turn 0 and behind the end. It is `served` if a response of the journal has it, and else computed. `scores` has
    those of the dimensions in their order; `zero` says why the reward is 0 whatever they are. `revealed` are ids and facts,
    `matched` parts and ids of rules.
    """

    number: int
    lines: tuple[ChatLine, ...]
    reward: float | None = None
    served: bool = False
    request: int | None = None
    scores: tuple[float, ...] = ()
    gate: float = 1.0
    zero: str = ""
    revealed: tuple[tuple[str, str], ...] = ()
    matched: tuple[tuple[str, str], ...] = ()
    context: tuple[str, ...] = ()
    invalid: bool = False


class ShownDimension(NamedTuple):
    """A dimension that ran: its name in the scenario, its weight, its score and a sentence at the end, and its way there."""

    name: str
    weight: float
    score: float
    why: str
    chart: LineChart


class ConversationView(NamedTuple):
    """A conversation for its page. `limit` is how many bytes each text may take, `left_out` counts messages that are not shown."""

    turns: tuple[ShownTurn, ...]
    left_out: int
    limit: int
    dimensions: tuple[ShownDimension, ...]
    curve: LineChart
    computed: int
    rules: tuple[ExplainedRule, ...]
    more_rules: int
    ended: str

    @property
    def scored(self) -> tuple[ShownTurn, ...]:
        """The turns that have a reward."""
        return tuple(turn for turn in self.turns if turn.reward is not None)


def episode_view(
    player: Player, episode: Episode, served: Mapping[int, AnsweredReward], redact: Redact
) -> ConversationView:
    """The view of an episode, with the rewards of those of its turns that the journal still has."""
    turns = list(turns_of(episode.transcript))
    groups, results = episode_lines(player.scenario, episode, turns, redact), turn_results(player, turns)
    view = _view(player.scenario, groups, results, served, WHOLE_PAGE)
    return view._replace(ended=ending(player.scenario, results, episode.ended))


def submitted_view(
    player: Player, submitted: Submitted, reward: AnsweredReward | None, redact: Redact, room: Room = WHOLE_PAGE
) -> ConversationView:
    """The view of a conversation that was given whole, with the reward that its last turn was answered with.

    Raises `BadRequest` if the operator has no turn in it (EP-8).
    """
    turns, _ = operator_turns(player, submitted.messages)
    results = turn_results(player, turns, submitted.config)
    groups = submitted_lines(player, submitted.messages, turns, results, redact)
    served = {} if reward is None else {len(results): reward}
    view = _view(player.scenario, groups, results, served, room)
    return view._replace(ended=ending(player.scenario, results, results[-1].play.terminal))


def plain_view(messages: Sequence[Message], redact: Redact, room: Room = WHOLE_PAGE) -> ConversationView:
    """The view of messages that nobody can score: those of a refused request, or of a scenario that is no longer there."""
    lines = plain_lines(messages, redact)
    shown = tuple(lines[: room.lines])
    limit = fair_limit([text_size(one.text) for one in shown], room.bytes - 250 * len(shown))
    return ConversationView(
        (ShownTurn(0, shown),), len(lines) - len(shown), limit, (), line([]), 0, (), 0, "It was not scored."
    )


def _view(
    scenario: Scenario,
    groups: Sequence[Sequence[ChatLine]],
    results: Sequence[TurnResult],
    served: Mapping[int, AnsweredReward],
    room: Room,
) -> ConversationView:
    rules = explain_rules(scenario, results[-1].play) if results else []
    matched, facts = _matched(rules), {item.id: item.fact for item in scenario.file.state}
    turns = []
    left = room.lines
    for number, lines in enumerate(groups):
        result = results[number - 1] if 0 < number <= len(results) else None
        turn = ShownTurn(number, tuple(lines[:left]))
        turns.append(turn if result is None else _scored(turn, result, served.get(number), matched[number], facts))
        left -= len(turn.lines)
    shown_rules = tuple(rules[: room.rules])
    scored = [turn for turn in turns if turn.reward is not None]
    return ConversationView(
        turns=tuple(turns),
        left_out=sum(map(len, groups)) - sum(len(turn.lines) for turn in turns),
        limit=_limit(turns, len(shown_rules), room),
        dimensions=tuple(_dimensions([result.assessment for result in results])),
        curve=_curve(scored),
        computed=sum(not turn.served for turn in scored),
        rules=shown_rules,
        more_rules=len(rules) - len(shown_rules),
        ended="",
    )


def _curve(turns: Sequence[ShownTurn]) -> LineChart:
    """The reward of each turn; the kind of its dot says where it comes from."""
    kinds = ["served" if turn.served else "computed" for turn in turns]
    points = [
        Point(turn.reward or 0.0, f"turn {turn.number}, {kind}", kind) for turn, kind in zip(turns, kinds, strict=True)
    ]
    return line(points)._replace(first="turn 1", last=f"turn {len(points)}")


def _scored(
    turn: ShownTurn,
    result: TurnResult,
    served: AnsweredReward | None,
    matched: Iterable[tuple[str, str]],
    facts: Mapping[str, str],
) -> ShownTurn:
    """A turn with all that it led to."""
    assessment = result.assessment
    return turn._replace(
        reward=assessment.reward if served is None else served.reward,
        served=served is not None,
        request=None if served is None else served.request,
        scores=tuple(score.value for score in assessment.results.values()),
        gate=assessment.gate.factor,
        zero=_zero(assessment),
        revealed=tuple((item.id, facts[item.id]) for item in result.revealed),
        matched=tuple(matched),
        context=result.context,
        invalid=not result.play.valid,
    )


def _zero(assessment: Assessment) -> str:
    """Why a reward is 0, whatever the scores are (RC-4, RC-6)."""
    if not assessment.earned:
        return "what the scenario requires has not held yet"
    if assessment.critical:
        return "a critical failure holds"
    return "" if assessment.results else "the weights let nothing run"


def _matched(rules: Iterable[ExplainedRule]) -> Mapping[int, list[tuple[str, str]]]:
    """The rules that match each turn; of discovery it is said what is revealed."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for rule in rules:
        for turn in rule.turns if rule.part != "discovery" else ():
            found[turn].append((rule.part, rule.id))
    return found


def _dimensions(assessments: Sequence[Assessment]) -> Iterator[ShownDimension]:
    """The dimensions that ran, each with a chart of its own."""
    if not assessments:
        return
    last = assessments[-1]
    for dimension, score in last.results.items():
        values = [assessment.results[dimension].value for assessment in assessments]
        chart = line([Point(value, f"turn {number}") for number, value in enumerate(values, 1)])
        chart = chart if len(values) <= MAX_DOTS else chart._replace(dots=())
        yield ShownDimension(last.names[dimension], last.weights[dimension], score.value, score.sentence, chart)


def _limit(turns: Sequence[ShownTurn], rules: int, room: Room) -> int:
    """How many bytes each text may take, so that with all that stands around them the page does not get too long."""
    lines = [one for turn in turns for one in turn.lines]
    calls = [call for one in lines for call in one.calls]
    tags = [pair for turn in turns for part in (turn.revealed, turn.matched) for pair in part[:MAX_TAGS]]
    around = 230 * len(lines) + 450 * len(calls) + 600 * len(turns) + 200 * rules
    around += sum(50 + len(first[:60]) + len(second[:80]) for first, second in tags)
    sizes = [text_size(one.text) for one in lines] + [text_size(call.input) for call in calls]
    return fair_limit(sizes, room.bytes - around)


def fair_limit(sizes: Iterable[int], room: int) -> int:
    """The greatest limit for each of some texts with which all of them, cut where they are longer, fit into a room."""
    ordered, left = sorted(sizes), max(room, 0)
    for place, size in enumerate(ordered):
        share = left // (len(ordered) - place)
        if size > share:
            return share
        left -= size
    return max(room, 0)


def text_size(text: str) -> int:
    """The bytes of a text in a page."""
    return len(escape(printable(text)).encode())
