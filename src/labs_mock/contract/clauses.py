"""The clauses of the contract: what the service documents, and what is inferred where it is silent.

Code, tests, the OpenAPI document and the reports cite clauses by name. What is inferred is our reading and
nobody's word; the service may differ.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause; `documented` and `inferred` say which part of it is which, and one of them may be empty."""

    name: str
    documented: str = ""
    inferred: str = ""

    @property
    def basis(self) -> str:
        """`D`, `I` or `D/I`."""
        return "/".join(letter for letter, text in (("D", self.documented), ("I", self.inferred)) if text)

    @property
    def section(self) -> str:
        """The part before the number: `EP` of `EP-7`."""
        return self.name.partition("-")[0]


SECTIONS = {
    "GEN": "General",
    "AUTH": "Keys and what they may see",
    "ID": "Request ids",
    "ERR": "Errors",
    "RL": "Rate limits",
    "KEY": "The key",
    "CAT": "Catalog",
    "EP": "Episodes",
    "EV": "Evaluation",
    "BAT": "Batch evaluation",
    "CMP": "Comparison",
    "NORM": "Normalised rewards",
    "RC": "Reward configuration",
    "SV": "Scoring version",
    "DS": "Training datasets",
    "ROW": "Rows",
    "TOK": "Canonical tokens",
    "NEVER": "What never leaves",
    "DET": "Determinism (of this mock, not of the service)",
}

CLAUSES = (
    Clause("GEN-1", "The base path is `/api/v1`; requests and responses are JSON in UTF-8."),
    Clause(
        "GEN-2",
        "Statuses in use: 200, 400, 401, 403, 404, 429 and 500, and 202 and 409 for exports.",
        "Where the mock's state is in a store of its own, and that does not answer or is full: a 503 in the error envelope, within "
        "two seconds and without the headers of the quota.",
    ),
    Clause(
        "GEN-3",
        inferred="A body that is not JSON, no object or of another content type is a 400, one above the size limit a "
        "413. A head above 64 KiB or with more than 100 fields is a 431, after which the connection is closed. A head or "
        "body that does not come on for 30 seconds ends the connection without a response. An unknown path is a 404 and "
        "another method a 405 with `Allow`, both before the key is looked at. A trailing slash is another path. All of "
        "them come in the error envelope.",
    ),
    Clause("GEN-4", inferred="Fields that are not documented are ignored; the mock reports them as findings."),
    Clause(
        "GEN-5",
        "`reward_config: null` is sent by the documentation itself.",
        "For every optional field null equals its absence.",
    ),
    Clause(
        "GEN-6",
        inferred="A 400 for NaN and numbers beyond a double, lone surrogates, more than 64 levels of nesting, more than "
        "1,000 messages in a conversation or 100 tool calls in a message. Of equal keys in an object the last one counts; "
        "the mock reports it.",
    ),
    Clause(
        "AUTH-1",
        "`Authorization: Bearer lab_…`, with one space and the key byte for byte. A key that is missing, unknown, expired "
        "or revoked, or another scheme, is a 401 `Invalid or missing API key`. A revocation counts at once.",
        "The scheme is in any case. Two `Authorization` headers are a 401.",
    ),
    Clause(
        "AUTH-2",
        "A valid key without a subscription for the collection is refused; the code 403 and the message `No active subscription "
        "for collection` are documented, on different pages.",
        "The two belong together. In a batch it is an error item.",
    ),
    Clause(
        "AUTH-3",
        "`scores` may be absent, and `score_breakdown` comes with full score access only.",
        "A key sees both, or `scores`, or neither; what it may not see is absent, never null.",
    ),
    Clause(
        "ID-1",
        "Every response, errors and streams too, has the header `X-Request-ID`: `req_` and base-32 characters.",
        "There are 26 of them, the first of which is 0 to 7, as in the ids of episodes and keys: 128 bits, as parsers of TypeIDs "
        "and ULIDs read them. A client's own `X-Request-ID` changes nothing.",
    ),
    Clause("ID-2", "Bodies repeat it: `request_id` on success, `data.request_id` in errors.", "Exported rows do not."),
    Clause(
        "ERR-1",
        'An error is `{"message": …, "data": {"request_id": …}}`.',
        "It has nothing more. The 202, 409 and 500 of an export have the dataset's status instead.",
    ),
    Clause(
        "ERR-2",
        inferred="The message of a 400 names the field by its path and says what was expected. It quotes at most 80 "
        "characters of input, and never a key.",
    ),
    Clause(
        "RL-1",
        "Key and validation come before the rate limit, whose state is in `X-RateLimit-Limit`, `-Remaining` and "
        "`-Reset` (unix seconds).",
        "The headers are on every response behind the limiter: 200, 202, 403, 404 for things, 409, 429, 500 and a 400 that needs the "
        "episode. 401, 405, 413, a 404 for a path and a 400 that the request alone decides have none and use no quota.",
    ),
    Clause(
        "RL-2",
        "Over the limit: 429 `Rate limit exceeded`. Standard plans have 60 requests a minute, premium 300, enterprise "
        "its own.",
        "Windows are whole minutes, one for each key, so that the reset is at most 60 s ahead. There is no `Retry-After`.",
    ),
    Clause(
        "KEY-1",
        "`GET /key` describes the key of the request: `key_id`, `name` (text or null), `expires_at` (ISO 8601 or null) and "
        "`rate_limits` (null, or a list of `limit`, `remaining` and `reset`, in the service's order).",
        "All four are always there. `key_id` is `key_` and 26 base-32 characters, never a part of the key. There is one "
        "limit, whose `reset` is in unix seconds; the call uses quota like any other and shows what is left after it.",
    ),
    Clause("CAT-1", "`GET /catalog` lists collections and scenarios."),
    Clause(
        "CAT-2",
        inferred="Only subscribed collections, sorted by slug; a scenario has slug, name, description, difficulty, shape, "
        "`max_turns` and the ids of its tools.",
    ),
    Clause(
        "EP-1",
        "An episode has an id `ep_…` and starts with the persona's first line, as `assistant`. An unknown collection or "
        "scenario is a 404.",
        "Its message says which.",
    ),
    Clause(
        "EP-2",
        "A tool has an id, a type (`artifact` or `decision`), a name, perhaps a description, and a mode: `json_schema` or "
        "`options`.",
        "A call names it by its id, and there are no other modes.",
    ),
    Clause("EP-3", "Without `score_turns` every turn's reward is 0, and there are no scores."),
    Clause("EP-4", "`turn` counts the accepted calls from 1; the observation is one message of the persona."),
    Clause("EP-5", "A reward is within [0, 1] and is for the whole conversation so far."),
    Clause(
        "EP-6",
        "The `id` in the body equals the one in the path.",
        "A different one is a 400; none is accepted, and the mock reports it.",
    ),
    Clause(
        "EP-7",
        "A turn's `messages` are documented both as the new ones and as the whole history.",
        "Both work. New is what follows the latest observation, or else the longest beginning that the transcript shares, "
        "or else the last message; of that, what the persona said before is the persona's. A prompt in front of the opening is "
        "context, and a history may begin at the opening or at the operator's first message. An earlier history given to a new "
        "episode is one turn, without the persona's lines, which are known as in EP-8.",
    ),
    Clause(
        "EP-8",
        inferred="In a conversation that is sent whole, `system` messages and what stands before the opening are context. `user` is "
        "never the operator. `assistant` is the persona where it says the opening or what the played persona says there, once a "
        "turn, unless the next `user` message says that; else it is the operator. Where all behind an opening as `assistant` are "
        "`assistant` and none is the persona's, they alternate. Without the opening and any `user`, all are the operator, in one "
        "turn. A conversation without the operator is a 400.",
    ),
    Clause(
        "EP-9",
        "A message has a role, at most 10,000 characters of content and perhaps tool calls.",
        "Characters are UTF-16 code units, as JavaScript counts them, of which one beyond U+FFFF has two.",
    ),
    Clause(
        "EP-10",
        "An episode has at most 50 turns, or the scenario's fewer.",
        "The last of them itself completes it: `max_turns_reached`.",
    ),
    Clause(
        "EP-11",
        "A complete episode, and no other, says why: `completed`, `error`, `max_turns_reached` or `client_terminated`.",
        "If several apply, in the order `error`, `completed`, `max_turns_reached`.",
    ),
    Clause(
        "EP-12",
        inferred="A tool call that the scenario does not know or allow is never a 400. It counts for nothing but as the last "
        "call of its output, and ends the episode with `error` unless the scenario says otherwise. The mock reports it with the tool, "
        "the path in its input and the reason.",
    ),
    Clause(
        "EP-13",
        "A turn on a complete episode is refused with `Episode already complete`; an unknown one, and one without a turn "
        "for 24 hours, with 404 `Episode not found`.",
        "The former is a 400. Another organisation's episode is as unknown as any.",
    ),
    Clause("EP-14", inferred="No call ends an episode early, since none is documented."),
    Clause(
        "EP-15",
        inferred="Turns of one episode at a time are applied one after the other; a refused one changes nothing.",
    ),
    Clause(
        "EP-16",
        "`config` is an object of configuration overrides.",
        "Nothing more of it is documented: it is accepted and changes nothing; the mock reports one that is not empty.",
    ),
    Clause(
        "EV-1", "`POST /evaluate` gives the reward of a conversation, with the scenario's name and a scoring version."
    ),
    Clause(
        "EV-2",
        inferred="It gives what an episode with that transcript gave last under the same `reward_config`, if every turn held "
        "one run of operator messages. "
        "What follows the end of the scenario is ignored, and the mock reports it.",
    ),
    Clause("BAT-1", "A batch has 1 to 100 items, and its results are in their order."),
    Clause(
        "BAT-2",
        "An error item has no `reward`.",
        "`status` is `success` or `error`. A bad item leaves the others alone, but one that is no object or has no id "
        "is a 400 for the request.",
    ),
    Clause("BAT-3", inferred="An item gets what `/evaluate` gives for it, whatever else is in the batch."),
    Clause("BAT-4", inferred="Ids may repeat. `reward_config` in an item is ignored, and the mock reports it."),
    Clause(
        "CMP-1",
        "`POST /compare` gives both rewards, the winner (`a`, `b` or `tie`) and the absolute margin; swapping the "
        "responses swaps the result.",
        "Rewards tie exactly when they are equal.",
    ),
    Clause(
        "NORM-1",
        "At most five windows such as `7d`, with a `normalization_key`; `normalized` comes only when both are given.",
        "A window is written in ASCII digits, at least 1 and at most 366 days or 10,000 evaluations; a key has 1 to 200 characters.",
    ),
    Clause(
        "NORM-2",
        inferred="The z-score of this reward among earlier ones of the organisation, key and scenario, by population "
        "deviation; null with fewer than two or without deviation. A batch is normalised against what was before it. The "
        "newest 10,000 rewards count.",
    ),
    Clause(
        "RC-1",
        "Seven quality weights; of those given, omitted ones are 0.",
        "Each is within 0 and 1, and an unknown name is a 400.",
    ),
    Clause("RC-2", "Only scorers with a weight above 0 run.", "`scores` has those that ran, and no others."),
    Clause(
        "RC-3", "`skip_safety_gate` leaves scope and terminology out. Without `reward_config` the scenario decides."
    ),
    Clause(
        "RC-4",
        inferred="The reward is 0 if what the scenario requires has not held so far (RC-6); else 0 if failure metrics run and "
        "a critical one holds; else the weighted mean of the scores times the gate, rounded to six places, and 0 if nothing "
        "ran. Only ratios of weights matter.",
    ),
    Clause("RC-5", inferred="A dimension that the scenario does not define does not run; the mock reports it."),
    Clause(
        "RC-6",
        "Not investigating is given as the reason of rewards that are always 0.",
        "A scenario can say what must have happened before anything is rewarded: until that rule has held at some turn, the "
        "reward is 0 under any `reward_config`, and the scores stay what they are.",
    ),
    Clause(
        "SV-1",
        "`scoring_version` is the version of the scoring algorithm.",
        "It is one value for a whole server, the same in every response until the engine or a scenario changes.",
    ),
    Clause("DS-1", "A dataset is `pending`, `preview`, `running`, `filtering`, `ready`, `cancelled` or `failed`."),
    Clause(
        "DS-2",
        "`GET /training-datasets/{id}/status` reports the state.",
        "It is a 200 in every state, with `status`, `row_count`, `message` and, exactly when it failed, `error`. `row_count`, which is "
        "documented both as the rows completed so far and as null until the end, is null before the final stage unless the file "
        "gives the stage a number, and when ready equal to `X-Row-Count`.",
    ),
    Clause(
        "DS-3",
        "`/export` is a 202 while it is pending, preview, running or filtering, a 409 when cancelled, a 500 when failed, each with "
        "the status; a 200 when ready.",
        "The status comes with a `request_id`.",
    ),
    Clause(
        "DS-4",
        "An export is `application/x-ndjson`, an attachment named `training-dataset-{id}.jsonl`, with `X-Row-Count`, "
        "`X-Request-ID` and the rate limit's headers; one JSON object a line, streamed.",
        "Every line ends with a line feed, the last one too.",
    ),
    Clause(
        "DS-5",
        "An id is a UUID of version 1 to 8 in either case, or in lower case all zeros or all f.",
        "Anything else is a 400, and an unknown one a 404. Upper case finds the same dataset, whose file keeps the spelling that it "
        "was stored with. Every key sees every dataset.",
    ),
    Clause(
        "DS-6",
        inferred="Once ready, cancelled or failed, a dataset never changes, and every export of it has the same bytes. It keeps "
        "the scenarios that it was loaded with.",
    ),
    Clause(
        "DS-7",
        inferred="A stage of n polls is seen by the first n requests for status or export with a 200, 202, 409 or 500 and ends "
        "with the n-th, when the seconds of the next one begin. A dataset has one count for all clients.",
    ),
    Clause(
        "ROW-1",
        "A row has `scenario_id`, `agent_template_id`, `messages`, and `metadata` with `temperature`, `rollout_index`, "
        "`turn_count`, `quality_score`, `complexity_score` and `ifd_score`.",
        "`scenario_id` is `<collection>/<scenario>`, and there are no other fields.",
    ),
    Clause(
        "ROW-2",
        "In rows the persona is `user` and the operator `assistant`.",
        "`user` begins, and the roles take turns. `turn_count` counts `assistant` messages. Messages hold no tool calls.",
    ),
    Clause(
        "ROW-3",
        inferred="Numbers that may have a fraction are written with one. `thinking` is absent rather than null, and in row 0 if it is "
        "in any row. `ifd_score` is null in all rows of a dataset or in none.",
    ),
    Clause("ROW-4", inferred="U+2028, U+2029 and U+0085 are escaped, since some clients take them for line ends."),
    Clause(
        "TOK-1",
        "`<no_response/>`, exactly so, as the whole content of an assistant message is deliberate silence, and is never dropped "
        "or merged.",
    ),
    Clause("TOK-2", "`thinking` stands beside `content` on assistant messages, as it was."),
    Clause(
        "TOK-3",
        "The persona never sees the token: silence reaches it as part of the context of the next time skip, which is in no "
        "observation and no `user` message.",
    ),
    Clause(
        "NEVER-1",
        "Scoring criteria, objectives, optimal actions and expected paths are in no response: no body, header or error, not the "
        "catalog, no tool's description or schema, no exported row. Descriptions say what a thing is, not when to use it to win.",
    ),
    Clause(
        "DET-1",
        inferred="On a frozen clock the same files, seed and requests give the same bytes in any process. There is no `Date` "
        "and no `Server`.",
    ),
    Clause(
        "DET-2",
        inferred="In any order of arrival, too, but for what counts arrivals: quotas, shared histories, two turns of one episode.",
    ),
    Clause("DET-3", inferred="Ids are hashes of the seed, of the request, and of how many equal requests came before."),
)

BY_NAME = {clause.name: clause for clause in CLAUSES}


class Part(NamedTuple):
    """What is documented of a clause, or what is inferred."""

    clause: str
    inferred: bool = False

    @property
    def basis(self) -> Literal["documented", "inferred"]:
        """Which of the two it is."""
        return "inferred" if self.inferred else "documented"

    @property
    def text(self) -> str:
        """What it says."""
        clause = BY_NAME[self.clause]
        return clause.inferred if self.inferred else clause.documented

    @property
    def section(self) -> str:
        """The title of its section."""
        return SECTIONS[BY_NAME[self.clause].section]


PARTS = tuple(
    Part(clause.name, inferred)
    for clause in CLAUSES
    for inferred, text in ((False, clause.documented), (True, clause.inferred))
    if text
)
"""Every part of every clause, in the order of the contract."""


@cache
def part_of(clause: str, inferred: bool | None = None) -> Part:
    """A part of a clause; `inferred` is needed where the clause has both. Raises `AssertionError` where there is no such part."""
    parts = [part for part in PARTS if part.clause == clause and inferred in (None, part.inferred)]
    assert len(parts) == 1, f"{clause} has {len(parts)} parts that are inferred={inferred}"
    return parts[0]
