"""What breaks training datasets and their rows: DS, ROW, TOK in rows, and what else must not be in a row."""

import re
from dataclasses import replace
from itertools import count
from typing import Any

from labs_mock.contract.limits import UUID_ON_THE_WIRE as UUID
from labs_mock.contract.tokens import NO_RESPONSE
from labs_mock.http import datasets
from labs_mock.http.exchange import Exchange
from labs_mock.state.memory.datasets import Datasets
from tests.conformance.mutants import ChangedResponse, constant, instead, on_response, on_rows

Rows = list[Any]

# DS


@on_response("DS-1", "a ready dataset is completed", "dataset_status")
def _(response: ChangedResponse) -> None:
    response.body["status"] = response.body["status"].replace("ready", "completed")


@on_response("DS-1", "statuses are in upper case", "dataset_status")
def _(response: ChangedResponse) -> None:
    response.body["status"] = response.body["status"].upper()


@on_response("DS-2", "the message is empty", "dataset_status", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body["message"] = ""


@on_response("DS-2", "error is null unless it failed", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body.setdefault("error", None)


@on_response("DS-2", "error is absent when it failed", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body.pop("error", None)


@on_response("DS-2", "row_count is absent where rows were not counted", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["row_count"] is None:
        del response.body["row_count"]


@on_response("DS-2", "row_count is null when ready", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["status"] == "ready":
        response.body["row_count"] = None


@on_response("DS-2", "row_count is one too many", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body["row_count"] = response.body["row_count"] and response.body["row_count"] + 1


@on_response("DS-2", "the status of what failed is a 500", "dataset_status", inferred=True)
def _(response: ChangedResponse) -> None:
    if response.body["status"] == "failed":
        response.refuse(500)


@on_response("DS-3", "a cancelled export is a 202", "export_dataset", status=409, inferred=False)
def _(response: ChangedResponse) -> None:
    response.status = 202


for _status, _wrong in ((202, 409), (409, 500), (500, 409)):

    @on_response("DS-3", f"{_wrong} where {_status} belongs", "export_dataset", status=_status, inferred=False)
    def _(response: ChangedResponse, wrong: int = _wrong) -> None:
        response.status = wrong


@on_response("DS-3", "a failed export is an error like any other", "export_dataset", status=500, inferred=False)
def _(response: ChangedResponse) -> None:
    response.refuse(500)


@on_response(
    "DS-3", "an export that is not there yet does not count rows", "export_dataset", status=202, inferred=False
)
def _(response: ChangedResponse) -> None:
    del response.body["row_count"]


@on_response("DS-3", "an export that is not there yet is empty", "export_dataset", status=202, inferred=False)
def _(response: ChangedResponse) -> None:
    response.body = {"request_id": response.body["request_id"]}


@on_response("DS-3", "an export that is not there yet has no request_id", "export_dataset", status=202, inferred=True)
def _(response: ChangedResponse) -> None:
    del response.body["request_id"]


@on_response("DS-4", "an export is JSON", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["content-type"] = "application/json"


@on_response("DS-4", "an export is inline", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.headers["content-disposition"]


@on_response("DS-4", "all exports have one name", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["content-disposition"] = 'attachment; filename="training-dataset.jsonl"'


@on_response("DS-4", "X-Row-Count is one too many", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.headers["x-row-count"] = str(int(response.headers["x-row-count"]) + 1)


@on_response("DS-4", "the last row is missing", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body = b"".join(response.body.splitlines(keepends=True)[:-1])


@on_response("DS-4", "there is no X-Row-Count", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    del response.headers["x-row-count"]


@on_response("DS-4", "an export is a list", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body = b"[" + response.body.removesuffix(b"\n").replace(b"\n", b",\n") + b"]\n"


@on_response("DS-4", "an empty line ends an export", "export_dataset", inferred=False)
def _(response: ChangedResponse) -> None:
    response.body += b"\n"


@on_response("DS-4", "the last line feed is missing", "export_dataset", inferred=True)
def _(response: ChangedResponse) -> None:
    response.body = response.body.removesuffix(b"\n")


constant("DS-5", "any id is looked for", datasets, "_UUID", re.compile(".*", re.DOTALL), inferred=True)
constant("DS-5", "version 8 is none", datasets, "_UUID", re.compile(UUID.replace("[1-8]", "[1-7]")), inferred=False)
constant("DS-5", "version 0 is one", datasets, "_UUID", re.compile(UUID.replace("[1-8]", "[0-8]")), inferred=True)
constant("DS-5", "all zeros are none", datasets, "_UUID", re.compile(UUID.replace("|0000", "|1000")), inferred=False)
constant("DS-5", "all f are none", datasets, "_UUID", re.compile(UUID.replace("|ffff", "|efff")), inferred=False)
constant("DS-5", "a line feed may follow", datasets, "_UUID", re.compile(UUID[:-1] + "\n?$"), inferred=True)
constant("DS-5", "upper case is none", datasets, "_UUID", re.compile(UUID.replace("A-F", "")), inferred=False)
constant("DS-5", "all f in upper case are one", datasets, "_UUID", re.compile(UUID, re.IGNORECASE), inferred=True)


@on_response("DS-5", "an unknown dataset is a 400", "dataset_status", status=404, inferred=True)
def _(response: ChangedResponse) -> None:
    response.refuse(400)


@on_response("DS-5", "an id that is none is a 404", "export_dataset", status=400, inferred=True)
def _(response: ChangedResponse) -> None:
    response.refuse(404)


@instead("DS-5", "an unknown dataset is the first one", Datasets, "poll", inferred=True)
def _(original: Any, self: Datasets, name: str, now: float) -> Any:
    return original(self, name, now) or original(self, next(iter(self._stored)), now)


@instead("DS-5", "upper case is another dataset", Datasets, "poll", inferred=True)
def _(original: Any, self: Datasets, name: str, now: float) -> Any:
    return original(self, name, now) if name in self._stored else None


@instead("DS-5", "a file is named as in the request", datasets, "_poll", inferred=True)
async def _(original: Any, exchange: Exchange) -> Any:
    poll = await original(exchange)
    return poll._replace(dataset=replace(poll.dataset, id=exchange.request.parameters["id"]))


_calls = count()


@on_rows("DS-6", "every second export is turned round")
def _(rows: Rows) -> None:
    if next(_calls) % 2:
        rows.reverse()


@on_response("DS-6", "every second export has other numbers", "export_dataset")
def _(response: ChangedResponse) -> None:
    if next(_calls) % 2:
        response.body = response.body.replace(b'"temperature":1.0', b'"temperature":1.5')


@on_response("DS-6", "a failed dataset counts who asks", "dataset_status")
def _(response: ChangedResponse) -> None:
    if response.body["status"] == "failed":
        response.body["message"] += f" ({next(_calls)})"


# ROW


def _every_message(rows: Rows, role: str) -> list[Any]:
    return [message for row in rows for message in row["messages"] if message["role"] == role]


@on_rows("ROW-1", "the template is not named", inferred=False)
def _(rows: Rows) -> None:
    for row in rows:
        del row["agent_template_id"]


@on_rows("ROW-1", "there is no ifd_score", inferred=False)
def _(rows: Rows) -> None:
    del rows[-1]["metadata"]["ifd_score"]


@on_rows("ROW-1", "a row has an id", inferred=True)
def _(rows: Rows) -> None:
    for number, row in enumerate(rows):
        row["id"] = number


@on_rows("ROW-1", "quality is in percent", inferred=False)
def _(rows: Rows) -> None:
    for row in rows:
        row["metadata"]["quality_score"] *= 100.0


@on_rows("ROW-1", "a scenario is named by its slug alone", inferred=True)
def _(rows: Rows) -> None:
    for row in rows:
        row["scenario_id"] = row["scenario_id"].partition("/")[2]


@on_rows("ROW-2", "the persona is `assistant`", inferred=False)
def _(rows: Rows) -> None:
    for message in (message for row in rows for message in row["messages"]):
        message["role"] = {"user": "assistant", "assistant": "user"}[message["role"]]
        message.pop("thinking", None)


@on_rows("ROW-2", "the operator is `operator`", inferred=False)
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message["role"] = "operator"


@on_rows("ROW-2", "a system prompt begins", inferred=True)
def _(rows: Rows) -> None:
    for row in rows:
        row["messages"].insert(0, {"role": "system", "content": "Be kind."})


@on_rows("ROW-2", "the operator begins", inferred=True)
def _(rows: Rows) -> None:
    rows[0]["messages"].insert(0, {"role": "assistant", "content": "Hello."})
    rows[0]["metadata"]["turn_count"] += 1


@on_rows("ROW-2", "turn_count counts messages", inferred=True)
def _(rows: Rows) -> None:
    for row in rows:
        row["metadata"]["turn_count"] = len(row["messages"])


@on_rows("ROW-2", "messages have tool calls", inferred=True)
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message["tool_calls"] = []


@on_response("ROW-3", "1.0 is written as 1", "export_dataset")
def _(response: ChangedResponse) -> None:
    response.body = response.body.replace(b":1.0", b":1")


@on_rows("ROW-3", "thinking is null where there is none")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message.setdefault("thinking", None)


@on_rows("ROW-3", "row 0 has no thinking")
def _(rows: Rows) -> None:
    for message in rows[0]["messages"]:
        message.pop("thinking", None)


@on_rows("ROW-3", "ifd_score is null in one row")
def _(rows: Rows) -> None:
    rows[-1]["metadata"]["ifd_score"] = None if rows[0]["metadata"]["ifd_score"] is not None else 0.5


for _raw, _char in ((rb"\u2028", "\u2028"), (rb"\u2029", "\u2029"), (rb"\u0085", "\x85")):

    @on_response("ROW-4", f"U+{ord(_char):04X} is written as it is", "export_dataset")
    def _(response: ChangedResponse, raw: bytes = _raw, char: str = _char) -> None:
        response.body = response.body.replace(raw, char.encode())


@on_rows("TOK-1", "the token has a space")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message["content"] = message["content"].replace(NO_RESPONSE, "<no_response />")


@on_rows("TOK-1", "silence is empty")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message["content"] = message["content"].replace(NO_RESPONSE, "")


@on_rows("TOK-1", "silence is merged with what follows")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        message["content"] = message["content"].replace(NO_RESPONSE, f"{NO_RESPONSE} I am here.")


@on_rows("TOK-2", "thinking is the persona's")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "user"):
        message["thinking"] = "I do not trust them."


@on_rows("TOK-2", "thinking is a list")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "assistant"):
        if "thinking" in message:
            message["thinking"] = [message["thinking"]]


@on_rows("TOK-3", "the persona has seen the token")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "user")[-1:]:
        message["content"] += f" You said {NO_RESPONSE}."


@on_rows("TOK-3", "the persona's context is in its messages")
def _(rows: Rows) -> None:
    for message in _every_message(rows, "user")[-1:]:
        message["content"] = "[no word for 3 days] " + message["content"]


@on_rows("NEVER-1", "a row tells the exemplar")
def _(rows: Rows) -> None:
    for row in rows:
        row["metadata"]["exemplar"] = {"region": "lumbar spine"}


@on_rows("ID-2", "rows have a request_id", inferred=True)
def _(rows: Rows) -> None:
    for row in rows:
        row["request_id"] = "req_" + "0" * 26
