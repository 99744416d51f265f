"""Pages that show an OpenAPI document to readers: operations with their parameters, bodies, statuses and clauses, then the models."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from website.schema_words import Schema, cell, in_words

_CLAUSE = re.compile(r"\b([A-Z]+-\d+)\b")


def operation_page(title: str, file: str, document: Schema, clauses: Mapping[str, str]) -> str:
    """The page of a document, which stands beside it as a file. `clauses` has the address of each clause.

    An operation has the anchor of its `operationId`, a model that of its name, a field `Model.field`.
    """
    about = document["info"]["description"].strip()
    parts = [f"# {title}", about, f"The same for programs is the [OpenAPI document]({file}).", "## Operations"]
    parts += ["| operation | summary |\n|---|---|\n" + "\n".join(_contents(document))]
    for method, path, operation in _operations(document):
        parts += _operation(method, path, operation)
    parts += ["## Models", *(part for name, schema in _models(document) for part in _model(name, schema))]
    return "\n\n".join(_with_clauses(part, clauses) for part in parts) + "\n"


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _models(document: Schema) -> list[tuple[str, Schema]]:
    return sorted(document["components"]["schemas"].items())


def _contents(document: Schema) -> Iterator[str]:
    for method, path, operation in _operations(document):
        yield f"| [`{method} {path}`](#{operation['operationId']}) | {cell(operation['summary'])} |"


def _operation(method: str, path: str, operation: Schema) -> Iterator[str]:
    name = operation["operationId"]
    yield f"### `{method} {path}` {{ #{name} }}"
    yield f"{operation['summary']}."
    yield from [operation["description"]] if "description" in operation else []
    everywhere = [clause for clause in operation.get("x-clauses", ()) if clause not in operation["description"]]
    yield from [f"As every operation: {', '.join(everywhere)}."] if everywhere else []
    if "parameters" in operation:
        rows = [
            f"| `{one['name']}` {{ #{name}.{one['name']} }} | {one['in']} | {in_words(one['schema'])} "
            f"| {cell(one.get('description', ''))} |"
            for one in operation["parameters"]
        ]
        yield "\n".join(["| parameter | in | type | meaning |", "|---|---|---|---|", *rows])
    if "requestBody" in operation:
        body = operation["requestBody"]
        needed = "Body" if body.get("required") else "Body, which may be absent"
        yield from _content(needed, body["content"])
    yield "\n".join(["| status | meaning | body |", "|---|---|---|", *_responses(name, operation["responses"])])
    yield from _content("Response", operation["responses"]["200"].get("content", {}), shown=False)


def _responses(name: str, responses: Schema) -> Iterator[str]:
    for status, response in responses.items():
        bodies = [in_words(one["schema"]) for one in response.get("content", {}).values()]
        yield f"| {status} {{ #{name}.{status} }} | {cell(response['description'])} | {', '.join(bodies) or 'none'} |"


def _content(title: str, content: Schema, *, shown: bool = True) -> Iterator[str]:
    """A body with its model, if that is to be shown, and its example."""
    for media, one in content.items():
        kind = "" if media == "application/json" else f" (`{media}`)"
        if shown:
            yield f"{title}{kind}: {in_words(one['schema'])}"
        if "example" in one:
            yield from [] if shown else [f"{title}{kind}, for example:"]
            yield _example(one["example"])


def _example(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    language = "text" if isinstance(value, str) else "json"
    return f"```{language}\n{text.rstrip()}\n```"


def _model(name: str, schema: Schema) -> Iterator[str]:
    yield f"### `{name}` {{ #{name} }}"
    yield from [schema["description"]] if "description" in schema else []
    required = schema.get("required", ())
    rows = [
        f"| `{field}` {{ #{name}.{field} }} | {'yes' if field in required else 'no'} | {in_words(one)} "
        f"| {cell(one.get('description', ''))} |"
        for field, one in schema.get("properties", {}).items()
    ]
    if rows:
        yield "\n".join(["| field | required | type | meaning |", "|---|---|---|---|", *rows])
    elif "properties" not in schema:
        yield f"{in_words(schema)}"


def _with_clauses(part: str, clauses: Mapping[str, str]) -> str:
    """Clauses as links, but for code and headings."""
    if part.startswith(("```", "#")):
        return part
    return _CLAUSE.sub(lambda found: f"[{found[0]}]({clauses[found[0]]})" if found[0] in clauses else found[0], part)
