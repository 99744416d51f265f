"""The clauses of the contract: what the service documents, and what is inferred where it is silent.

Code, tests, the OpenAPI document and the reports cite clauses by name. An inferred part is our reading; the
service may differ.
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
    Clause("GEN-1", "The base path is `/api/v1`. Requests and responses are JSON in UTF-8."),
    Clause(
        "GEN-2",
        "The statuses are 200, 400, 401, 403, 404, 429 and 500, and for exports also 202 and 409.",
        "This part is about the mock alone: if it keeps its state in an external store, and the store is full or does not respond, "
        "the response is a 503 in the error envelope, within two seconds and without rate limit headers.",
    ),
    Clause(
        "GEN-3",
        inferred="A body that is not JSON, is not an object or has another content type is a 400; a body above the size limit is a "
        "413. A head above 64 KiB or with more than 100 fields is a 431, after which the server closes the connection. If no more of "
        "a head or body arrives for 30 seconds, the server closes the connection without a response. An unknown path is a 404, and "
        "another method is a 405 with the header `Allow`; both are decided before the key is checked. A path with a trailing slash is "
        "another path. All these errors have the error envelope.",
    ),
    Clause("GEN-4", inferred="Fields that are not documented are ignored. The mock reports them as findings."),
    Clause(
        "GEN-5",
        "An example in the documentation sends `reward_config: null`.",
        "For every optional field, null means the same as leaving the field out.",
    ),
    Clause(
        "GEN-6",
        inferred="These are a 400: NaN and numbers too large for a double, lone surrogates, more than 64 levels of nesting, more "
        "than 1,000 messages in a conversation, more than 100 tool calls in a message. If a key stands twice in an object, the last "
        "one counts, and the mock reports it.",
    ),
    Clause(
        "AUTH-1",
        "The key is sent as `Authorization: Bearer lab_…`, with one space, and is compared byte for byte. A key that is missing, "
        "unknown, expired or revoked is a 401 `Invalid or missing API key`, and so is another scheme than `Bearer`. A revocation "
        "takes effect at once.",
        "`Bearer` may be written in upper or lower case. A request with two `Authorization` headers is a 401.",
    ),
    Clause(
        "AUTH-2",
        "A valid key without a subscription for the collection is refused. The status 403 and the message `No active subscription "
        "for collection` are both documented, on different pages.",
        "The status and the message belong together. In a batch the refusal is an error item.",
    ),
    Clause(
        "AUTH-3",
        "`scores` may be absent. `score_breakdown` is only for keys with full score access.",
        "A key sees both fields, or only `scores`, or neither. A field that a key may not see is absent, never null.",
    ),
    Clause(
        "ID-1",
        "Every response has the header `X-Request-ID`, errors and streams included. Its value is `req_` and base-32 characters.",
        "There are 26 base-32 characters, and the first is 0 to 7; the ids of episodes and keys have the same form. So an id has 128 "
        "bits, and parsers of TypeIDs and ULIDs can read it. A client's own `X-Request-ID` changes nothing.",
    ),
    Clause(
        "ID-2",
        "The body has the same id: as `request_id` on success, as `data.request_id` in errors.",
        "Exported rows have no request id.",
    ),
    Clause(
        "ERR-1",
        'The body of an error is `{"message": …, "data": {"request_id": …}}`.',
        "It has no other fields. The 202, 409 and 500 of an export have the dataset's status as their body instead.",
    ),
    Clause(
        "ERR-2",
        inferred="The message of a 400 names the path of the field and says what was expected. It quotes at most 80 characters of the "
        "input, and never a key.",
    ),
    Clause(
        "RL-1",
        "The key and the request are checked before the rate limit. The headers `X-RateLimit-Limit`, `X-RateLimit-Remaining` and "
        "`X-RateLimit-Reset` (unix seconds) show the state of the limit.",
        "Every response to a request that reached the rate limit has the headers: 200, 202, 403, 409, 429, 500, a 404 for a "
        "scenario, episode or dataset, and a 400 that depends on the episode. The others have no such headers and use no quota: 401, "
        "405, 413, a 404 for a path, and a 400 that depends on the request alone.",
    ),
    Clause(
        "RL-2",
        "A request over the limit is a 429 `Rate limit exceeded`. Standard plans have 60 requests a minute, premium plans 300, and "
        "enterprise plans a limit of their own.",
        "A window is a whole minute of the clock, for each key by itself, so the reset is at most 60 s ahead. There is no "
        "`Retry-After`.",
    ),
    Clause(
        "KEY-1",
        "`GET /key` describes the key of the request: `key_id`, `name` (text or null), `expires_at` (ISO 8601 or null) and "
        "`rate_limits` (null, or a list of `limit`, `remaining` and `reset`, in the service's order).",
        "All four fields are always there. `key_id` is `key_` and 26 base-32 characters, and contains no part of the key. There is "
        "one limit, and its `reset` is in unix seconds. The call uses quota like any other, and shows how much is left after it.",
    ),
    Clause("CAT-1", "`GET /catalog` lists collections and scenarios."),
    Clause(
        "CAT-2",
        inferred="The catalog has only the collections to which the key is subscribed, sorted by slug. A scenario has its slug, name, "
        "description, difficulty, shape, `max_turns` and the ids of its tools.",
    ),
    Clause(
        "EP-1",
        "An episode has an id `ep_…` and starts with the persona's first line, with the role `assistant`. An unknown collection or "
        "scenario is a 404.",
        "The message of the 404 says which of the two is unknown.",
    ),
    Clause(
        "EP-2",
        "A tool has an id, a type (`artifact` or `decision`), a name, a mode (`json_schema` or `options`) and perhaps a description.",
        "The `name` in a tool call is the id of the tool. There are no other modes.",
    ),
    Clause("EP-3", "Without `score_turns` the reward of every turn is 0, and there are no scores."),
    Clause(
        "EP-4",
        "`turn` counts the turns of the episode that were accepted, from 1. The observation is one message of the persona.",
    ),
    Clause("EP-5", "A reward is within [0, 1]. It is for the whole conversation so far."),
    Clause(
        "EP-6",
        "The `id` in the body of a turn equals the one in the path.",
        "A different one is a 400. A turn without `id` is accepted, and the mock reports it.",
    ),
    Clause(
        "EP-7",
        "The `messages` of a turn are documented in two ways: as the new messages alone, and as the whole history.",
        "Both work. New are the messages after the latest observation. If that is not among the messages, new are those after the "
        "longest beginning that they share with the episode's transcript; if they share none, the last message is new. Of the new "
        "messages, those that repeat an earlier line of the persona are the persona's. A prompt before the opening is context. A "
        "history may begin with the opening or with the operator's first message. The history of an earlier episode, sent to a new "
        "one, is one turn; the persona's lines in it are left out, and are recognised as in EP-8.",
    ),
    Clause(
        "EP-8",
        inferred="This is about conversations that are sent whole. `system` messages, and all messages before the opening, are context. A "
        "`user` message is never the operator's. An `assistant` message is the persona's in two cases: it is the opening, or it is "
        "what the persona of the mock says at that place (once a turn, and not if the next `user` message is that text). Any other "
        "`assistant` message is the operator's. If the opening and all messages after it are `assistant`, and the persona would say "
        "none of these, then persona and operator take turns. Without the opening and without any `user` message, all messages are the "
        "operator's, in one turn. A conversation without a message of the operator is a 400.",
    ),
    Clause(
        "EP-9",
        "A message has a role, at most 10,000 characters of content and perhaps tool calls.",
        "Characters are counted as JavaScript does, in UTF-16 code units: a character beyond U+FFFF counts as two.",
    ),
    Clause(
        "EP-10",
        "An episode has at most 50 turns, or fewer if the scenario says so.",
        "The last of these turns is still accepted, and completes the episode with `max_turns_reached`.",
    ),
    Clause(
        "EP-11",
        "The response that completes an episode has `terminal_reason`: `completed`, `error`, `max_turns_reached` or "
        "`client_terminated`. No other response has it.",
        "If several reasons apply, the first of `error`, `completed` and `max_turns_reached` is given.",
    ),
    Clause(
        "EP-12",
        inferred="A tool call that the scenario does not know or does not allow is never a 400. It has no effect and matches no rule, but it "
        "counts as the last call of its tool. It ends the episode with `error`, unless the scenario says otherwise. The mock reports "
        "it with the tool, the path in its input and the reason.",
    ),
    Clause(
        "EP-13",
        "A turn of a complete episode is refused with `Episode already complete`. A turn of an unknown episode, and of one that had "
        "no turn for 24 hours, is a 404 `Episode not found`.",
        "The first refusal is a 400. An episode of another organisation is treated as unknown.",
    ),
    Clause(
        "EP-14",
        inferred="No call of the API ends an episode early, since none is documented. So `client_terminated` comes from the mock's control "
        "plane alone.",
    ),
    Clause(
        "EP-15",
        inferred="Turns that arrive for one episode at the same time are applied one after the other. A turn that is refused changes nothing.",
    ),
    Clause(
        "EP-16",
        "`config` is an object of configuration overrides.",
        "The documentation says no more about it. It is accepted and changes nothing; the mock reports one that is not empty.",
    ),
    Clause(
        "EV-1",
        "`POST /evaluate` returns the reward of a conversation, with the name of the scenario and a scoring version.",
    ),
    Clause(
        "EV-2",
        inferred="For the transcript of an episode, `/evaluate` returns the reward that the episode's last turn had under the same "
        "`reward_config`, provided that the operator's messages of each turn stood side by side. Messages after the end of the "
        "scenario are ignored, and the mock reports them.",
    ),
    Clause("BAT-1", "A batch has 1 to 100 items. The results are in the order of the items."),
    Clause(
        "BAT-2",
        "The result of an item that failed has no `reward`.",
        "`status` is `success` or `error`. A bad item does not affect the others. But an item that is not an object or has no id is "
        "a 400 for the whole request.",
    ),
    Clause(
        "BAT-3", inferred="The result of an item is what `/evaluate` returns for it, whatever else is in the batch."
    ),
    Clause(
        "BAT-4",
        inferred="Several items may have the same id. A `reward_config` in an item is ignored, and the mock reports it.",
    ),
    Clause(
        "CMP-1",
        "`POST /compare` returns both rewards, the winner (`a`, `b` or `tie`) and the absolute difference as `margin`. If the two "
        "responses change places, so do the results.",
        "It is a tie exactly if the rewards are equal.",
    ),
    Clause(
        "NORM-1",
        "A request may have a `normalization_key` and at most five windows such as `7d`. The response has `normalized` only if the "
        "request has both.",
        "A window is at least 1 and at most 366 days or 10,000 evaluations, in ASCII digits. A key has 1 to 200 characters.",
    ),
    Clause(
        "NORM-2",
        inferred="The normalised reward is the z-score among the earlier rewards of the same organisation, key and scenario, with the "
        "population deviation. It is null if there are fewer than two rewards or if these are all equal. The items of a batch are "
        "compared with the rewards before the batch. The newest 10,000 rewards count.",
    ),
    Clause(
        "RC-1",
        "There are seven quality weights. If any are given, those that are left out are 0.",
        "Each weight is from 0 to 1. An unknown name is a 400.",
    ),
    Clause("RC-2", "Only scorers with a weight above 0 run.", "`scores` has exactly those scorers that ran."),
    Clause(
        "RC-3",
        "`skip_safety_gate` turns the checks of scope and terminology off. Without `reward_config` the scenario's own weights and gate "
        "count.",
    ),
    Clause(
        "RC-4",
        inferred="The reward is 0 as long as what the scenario requires has not happened (RC-6). It is also 0 if a critical failure metric "
        "holds and failure metrics run. Else it is the weighted mean of the scores, times the gate, rounded to six places, and 0 if "
        "no scorer ran. Only the ratios of the weights matter.",
    ),
    Clause("RC-5", inferred="A dimension that the scenario does not define does not run, and the mock reports it."),
    Clause(
        "RC-6",
        "The documentation names one reason for rewards that are always 0: the operator does not investigate.",
        "A scenario can define, as a rule, what must happen before anything is rewarded. Until the rule has held at some turn, the "
        "reward is 0 under any `reward_config`. The scores are not affected.",
    ),
    Clause(
        "SV-1",
        "`scoring_version` is the version of the scoring algorithm.",
        "A whole server has one value, the same in every response, until the engine or a scenario changes.",
    ),
    Clause(
        "DS-1",
        "The status of a dataset is `pending`, `preview`, `running`, `filtering`, `ready`, `cancelled` or `failed`.",
    ),
    Clause(
        "DS-2",
        "`GET /training-datasets/{id}/status` returns the status.",
        "It is a 200 whatever the status, with `status`, `row_count`, `message` and, only if the dataset failed, `error`. `row_count` is "
        "documented in two ways, as the rows completed so far and as null until the end. Here it is null before the final status, "
        "unless the dataset's file gives a number for that stage; once ready it equals `X-Row-Count`.",
    ),
    Clause(
        "DS-3",
        "`/export` is a 202 while the dataset is pending, preview, running or filtering, a 409 if it was cancelled, and a 500 if it "
        "failed, each with the status as its body. It is a 200 if the dataset is ready.",
        "That body has a `request_id`, too.",
    ),
    Clause(
        "DS-4",
        "An export is `application/x-ndjson`, as an attachment named `training-dataset-{id}.jsonl`, with `X-Row-Count`, "
        "`X-Request-ID` and the rate limit headers. It is streamed, one JSON object a line.",
        "Every line ends with a line feed, the last one too.",
    ),
    Clause(
        "DS-5",
        "The id of a dataset is a UUID of version 1 to 8 in upper or lower case, or one of all zeros or, in lower case, all f.",
        "Anything else is a 400, and an unknown id is a 404. An id in upper case names the same dataset; the file name of the export "
        "keeps the spelling of the dataset's file. Every key sees every dataset.",
    ),
    Clause(
        "DS-6",
        inferred="Once a dataset is ready, cancelled or failed, it never changes, and all exports of it have the same bytes. It keeps the "
        "scenarios that it was loaded with.",
    ),
    Clause(
        "DS-7",
        inferred="A stage of n polls is what the first n requests for the status or the export see, if their response is a 200, 202, 409 or "
        "500. It ends with the n-th, and then the seconds of the next stage begin. All clients together have one count for a dataset.",
    ),
    Clause(
        "ROW-1",
        "A row has `scenario_id`, `agent_template_id`, `messages`, and `metadata` with `temperature`, `rollout_index`, "
        "`turn_count`, `quality_score`, `complexity_score` and `ifd_score`.",
        "`scenario_id` is `<collection>/<scenario>`. There are no other fields.",
    ),
    Clause(
        "ROW-2",
        "In rows the persona is `user` and the operator is `assistant`.",
        "A row begins with `user`, and the roles alternate. `turn_count` is the number of `assistant` messages. Messages have no tool "
        "calls.",
    ),
    Clause(
        "ROW-3",
        inferred="Numbers that may have a fraction are always written with one, such as `1.0`. A message without `thinking` has no such "
        "field, rather than null; if any row has `thinking`, the first row has it. `ifd_score` is null either in all rows of a "
        "dataset or in none.",
    ),
    Clause(
        "ROW-4", inferred="U+2028, U+2029 and U+0085 are escaped, since some clients would take them for line ends."
    ),
    Clause(
        "TOK-1",
        "An `assistant` message whose whole content is exactly `<no_response/>` is deliberate silence. It is never dropped or merged "
        "with another message.",
    ),
    Clause("TOK-2", "`thinking` stands beside `content` in `assistant` messages, unchanged."),
    Clause(
        "TOK-3",
        "The persona never sees the token. It learns of the silence from the context of its next time skip, and that context is in no "
        "observation and in no `user` message.",
    ),
    Clause(
        "NEVER-1",
        "No response contains scoring criteria, objectives, optimal actions or expected paths: no body, header or error, not the catalog, "
        "no description or schema of a tool, and no exported row. Descriptions say what a thing is, not when to use it to win.",
    ),
    Clause(
        "DET-1",
        inferred="On a frozen clock the same files, seed and requests give the same bytes, in any process. Responses have no `Date` and no "
        "`Server` header.",
    ),
    Clause(
        "DET-2",
        inferred="They do so in any order of arrival. Excepted is what counts arrivals: quotas, shared histories of rewards, and two turns of "
        "one episode.",
    ),
    Clause(
        "DET-3",
        inferred="An id is a hash of the seed, the request, and the number of equal requests before it.",
    ),
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
