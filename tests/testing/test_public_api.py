import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

import labs_mock
from labs_mock import testing
from labs_mock.config.server_file import KeyTerms
from labs_mock.config.settings import SETTINGS
from labs_mock.http.control.journal import FILTERS
from labs_mock.testing import HealthInfo, LabsMock

SIGNATURES = {
    "start": "() -> Self",
    "stop": "() -> None",
    "health": "() -> HealthInfo",
    "reset": "(*parts, shared=False) -> None",
    "set_clock": "(now=None, mode=None) -> None",
    "advance": "(seconds) -> None",
    "add_fault": "(**entry) -> str",
    "faults": "() -> list[FaultInfo]",
    "remove_faults": "(fault_id=None) -> None",
    "keys": "() -> list[KeyInfo]",
    "add_key": "(key, organisation, **terms) -> KeyInfo",
    "change_key": "(key, **terms) -> KeyInfo",
    "scenarios": "() -> list[ScenarioSummary]",
    "add_scenario": "(scenario, slug='test', collection='tests') -> ScenarioInfo",
    "datasets": "() -> list[DatasetInfo]",
    "add_dataset": "(dataset) -> DatasetInfo",
    "set_dataset": "(dataset_id, status, *, row_count=None, message=None, error=None) -> DatasetInfo",
    "episodes": "(*, scenario=None, organisation=None, state=None, finding=None, limit=None, before=None) -> EpisodePage",
    "episode": "(episode_id) -> EpisodeInfo",
    "terminate": "(episode_id) -> EpisodeInfo",
    "explain": "(collection_slug, scenario_slug, messages, *, reward_config=None) -> Explanation",
    "find_requests": "(*, method=None, path=None, status=None, episode=None, finding=None, severity=None, fault=None,"
    " organisation=None, peer=None, user_agent=None, after=None, before=None, limit=None) -> list[RecordedRequest]",
    "findings": "(*, code=None, severity=None) -> list[FindingInfo]",
    "forget_requests": "() -> None",
    "expect": "(*, status, path=None, method=None) -> contextlib.AbstractContextManager[None]",
    "find_rewards": "(after=0, limit=10000) -> RewardPage",
    "assert_requested": "(method, path, *, times=None, json=None) -> list[RecordedRequest]",
    "assert_no_findings": "(severity='warning') -> None",
    "verdict": "(used, conversations, *, collection_slug=None, scenario_slug=None, reward_config=None, groups=None)"
    " -> Verdict",
    "assert_rewards": "(used, conversations, *, collection_slug=None, scenario_slug=None, reward_config=None, groups=None,"
    " allow=()) -> Verdict",
    "assert_advantages": "(advantages, conversations, groups, *, scale='group', ddof=1, eps=0.0001, tolerance=0.0001,"
    " collection_slug=None, scenario_slug=None, reward_config=None) -> None",
    "assert_trained": "(texts, conversations, *, special=()) -> None",
}
PROPERTIES = {"now", "requests", "rewards_served"}
ATTRIBUTES = {"url", "api_key", "instance"}


def signature(name: str) -> str:
    """The parameters of a method and the type that it returns; types of parameters are for mypy to check."""
    found = inspect.signature(getattr(LabsMock, name))
    parameters = [one.replace(annotation=one.empty) for one in [*found.parameters.values()][1:]]
    text = str(found.replace(parameters=parameters, return_annotation=found.empty))
    returned = inspect.formatannotation(found.return_annotation)
    return f"{text} -> {returned.replace('labs_mock.testing.', '').replace('typing.', '')}"


def test_the_public_names_are_listed() -> None:
    """What `import *` gives is what users may rely on; each is documented, and its module is the one to import it from."""
    assert labs_mock.__all__ == ["__version__"]
    assert testing.__all__ == sorted(testing.__all__)
    assert testing.__all__ == [
        *(
            "ControlError",
            "DatasetInfo",
            "DrillReport",
            "DrillRow",
            "EpisodeInfo",
            "EpisodePage",
            "EpisodeSummary",
            "Explanation",
            "FaultInfo",
            "FindingInfo",
            "HealthInfo",
            "KeyInfo",
            "KeyOptions",
        ),
        *("Label", "LabsMock", "RecordedFinding", "RecordedRequest", "RewardPage", "ScenarioInfo"),
        *("ScenarioSummary", "UndecidableError"),
        *("Verdict", "drill"),
    ]
    for name in testing.__all__:
        assert getattr(testing, name).__module__ == "labs_mock.testing"
        assert inspect.getdoc(getattr(testing, name))


def test_the_methods_have_these_signatures() -> None:
    """A change of one of them is a change for users."""
    public = {name for name in vars(LabsMock) if not name.startswith("_")}
    assert public == {*SIGNATURES, *PROPERTIES}
    assert {name for name in vars(LabsMock()) if not name.startswith("_")} == ATTRIBUTES
    assert {name: signature(name) for name in SIGNATURES} == SIGNATURES
    assert all(inspect.getdoc(getattr(LabsMock, name)) for name in public)


def test_the_settings_are_those_of_the_table() -> None:
    """Every setting is a parameter, and every parameter a setting, but for the two ways to have another server."""
    parameters = [*inspect.signature(LabsMock).parameters]
    assert parameters == ["scenarios", "url", "process", *(setting.name for setting in SETTINGS[1:])]


def test_the_filters_are_those_of_the_journal() -> None:
    """Every filter is a parameter of `find_requests`."""
    assert [*inspect.signature(LabsMock.find_requests).parameters][1:] == [*FILTERS, "limit"]


def test_the_terms_of_a_key_are_those_of_server_yaml() -> None:
    """Every term is an option of `add_key` and `change_key`."""
    assert [*testing.KeyOptions.__annotations__] == [*KeyTerms.model_fields]


def test_what_is_returned_cannot_be_changed() -> None:
    """Objects are snapshots: frozen dataclasses, which have no attribute that was never declared."""
    objects = [
        getattr(testing, name)
        for name in testing.__all__
        if name.endswith(("Info", "Page", "Summary", "Request", "Finding"))
    ]
    assert len(objects) == 13
    assert all(is_dataclass(kind) for kind in objects)
    health = HealthInfo("ok", "x", "1", 1, 0, "frozen")
    for field in fields(health):
        with pytest.raises(FrozenInstanceError):
            setattr(health, field.name, None)
