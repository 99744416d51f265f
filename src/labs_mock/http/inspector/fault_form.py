"""The form for a fault, made from the model of a fault: its fields, and what they stand for in a plan."""

import json
from functools import cache
from typing import Any, NamedTuple

from labs_mock.config.fault_entry import BESIDE, KINDS, WHEN, FaultEntry, check_fault
from labs_mock.http.control.resources import parsed_or_mistakes, what_is_wrong
from labs_mock.scenario.files.paths import Mistake

KIND, VALUE, RULE, NUMBER = "kind", "value", "when", "number"
"""Fields of the form that the model has not: a kind and its value, a rule of when and its number."""


class FormField(NamedTuple):
    """A field of the model in the form; `choices` are all its values, if those are words, and `flag` says that it is only ever true."""

    name: str
    description: str
    choices: tuple[str, ...]
    is_text: bool
    flag: bool


@cache
def form_fields() -> dict[str, FormField]:
    """All fields by their names, in the order of the model."""
    properties = FaultEntry.model_json_schema()["properties"]
    return {name: _field(name, schema) for name, schema in properties.items()}


def _field(name: str, schema: dict[str, Any]) -> FormField:
    kinds = [one for one in schema["anyOf"] if one.get("type") != "null"]
    choices = tuple(kinds[0].get("enum", ()))
    is_text = all(one.get("type") == "string" for one in kinds)
    return FormField(name, schema.get("description", ""), choices, is_text, kinds[0].get("const") is True)


def form_groups() -> dict[str, list[FormField]]:
    """The fields of each part of the form."""
    fields = form_fields()
    filters = [name for name in fields if name not in (*WHEN, *KINDS, *BESIDE)]
    parts = {"filters": filters, "rules": WHEN, "kinds": KINDS, "beside": BESIDE}
    return {part: [fields[name] for name in names] for part, names in parts.items()}


def fault_of(form: dict[str, Any]) -> tuple[FaultEntry | None, dict[str, str]]:
    """A fault from a filled form, or None and for each field of the form with a mistake what is wrong there."""
    entry, mistakes = parsed_or_mistakes(FaultEntry, _plan(form), check_fault)
    wrong: dict[str, str] = {}
    for mistake in mistakes:
        wrong.setdefault(_place(mistake), what_is_wrong(mistake))
    return entry, wrong


def _plan(form: dict[str, Any]) -> dict[str, Any]:
    """A filled form as an entry of a plan; what is empty is left out."""
    texts = {name: str(value) for name, value in form.items()}
    chosen = {texts.pop(KIND, ""): texts.pop(VALUE, ""), texts.pop(RULE, ""): texts.pop(NUMBER, "")}
    chosen.pop("", None)
    plan = {name: _value(name, text) for name, text in texts.items() if text}
    return plan | {name: _value(name, text) for name, text in chosen.items()}


def _value(name: str, text: str) -> Any:
    """The value of a field of the model: a text where that wants one, else the JSON that it is."""
    field = form_fields().get(name)
    if field is None or field.is_text:
        return text
    if field.flag and not text:
        return True
    try:
        return json.loads(text)
    except ValueError:
        return text


def _place(mistake: Mistake) -> str:
    """The field of the form that a mistake is about."""
    name = next((step for step in map(str, mistake.path)), KIND)
    return VALUE if name in KINDS else NUMBER if name in WHEN else name
