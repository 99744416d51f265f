"""A scenario as the text of a file, made from the model where the file itself is not there, and its warnings at their lines."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

import yaml

from labs_mock.errors import Problem
from labs_mock.scenario.files.paths import Mistake
from labs_mock.scenario.files.scenario_warnings import scenario_warnings
from labs_mock.scenario.files.schema import ScenarioFile
from labs_mock.scenario.files.yaml_document import YamlDocument
from labs_mock.scenario.files.yaml_scalars import plain_scalar
from labs_mock.scenario.rules.operators import RuleFile

WIDTH = 110
MAX_WARNINGS = 50


def yaml_text(file: ScenarioFile) -> str:
    """YAML that a scenario with the same version is read from; it has no comments, and nothing that a file may leave out."""
    data = file.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


def rule_text(rule: RuleFile) -> str:
    """A rule as an author writes it, a line for each part, however long."""
    data = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize, default_flow_style=None
    )
    return text.rstrip()


def yaml_warnings(text: str, extra: Callable[[dict[str, Any]], Iterable[Mistake]]) -> list[Problem]:
    """The warnings of such a text, the first ones."""
    document = YamlDocument("scenario.yaml", text)
    found = [*scenario_warnings(document.value), *extra(document.value)]
    return document.problems(found, MAX_WARNINGS, document.cut_texts)[0]


class _Dumper(yaml.SafeDumper):
    """Repeats what stands twice, since an anchor is no text of the author's."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature of the base class
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Quoted where it would be a number or a word of YAML 1.2, by which files are read; the library knows those of 1.1."""
    style = None if isinstance(plain_scalar(text), str) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _represent_text)
