import shutil
from pathlib import Path

import pytest

from labs_mock.config import library
from labs_mock.config.library import load_library, read_library, shipped_library
from labs_mock.errors import Problem, ScenarioError
from labs_mock.scenario.compiled.scenario import Scenario
from labs_mock.scenario.files.known_files import KnownFiles, scenario_line, shipped_files
from labs_mock.scenario.files.loader import Loader
from labs_mock.scenario.files.yaml_document import YamlDocument

CLAIM = "case-management/lower-back-claim.yaml"


def checked() -> dict[str, Scenario]:
    """The shipped scenarios by their files, each of them read and checked."""
    return {f"{one.collection}/{one.slug}.yaml": one for one in read_library(Loader(shipped_library())).scenarios}


def unknown(folder: Path) -> list[Problem]:
    """The problems of a folder of which no file is known."""
    loader = Loader(folder)
    read_library(loader)
    assert loader.problems.kept
    return loader.problems.kept


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped library, in place of it."""
    folder = tmp_path / "library"
    shutil.copytree(shipped_library(), folder)
    monkeypatch.setattr(library, "shipped_library", lambda: folder)
    return folder


def test_known_scenarios_are_those_that_are_read_and_checked() -> None:
    """Of every shipped scenario all parts are the same, whether its file was known or not."""
    known = {f"{one.collection}/{one.slug}.yaml": one for one in load_library(shipped_library()).scenarios}
    expected = checked()
    assert known == expected
    for name, scenario in known.items():
        for part in ("file", "first_observation", "opening", "wire_tools", "dimensions", "names", "weights"):
            assert getattr(scenario, part) == getattr(expected[name], part), (name, part)
        for part in ("operator_phrases", "observation_phrases", "expressions"):
            assert getattr(scenario.vocabulary, part) == getattr(expected[name].vocabulary, part), (name, part)


def test_a_known_file_is_not_parsed(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shipped scenario is neither read as YAML nor compiled before it is used, and compiled once."""
    monkeypatch.delattr(YamlDocument, "read")
    loader = Loader(copied, known=shipped_files())
    scenario = loader.read_scenario(copied / CLAIM)
    assert scenario is not None
    with pytest.raises(AttributeError):
        object.__getattribute__(scenario, "persona")
    assert scenario.persona is scenario.persona
    assert scenario.criteria is object.__getattribute__(scenario, "criteria")


@pytest.mark.parametrize("change", [b"\n# more", b"\nname: Again", b"\nunknown: 1"])
def test_a_file_that_was_changed_is_checked(copied: Path, change: bytes) -> None:
    """One byte more and a shipped file is read like any other, with all of its mistakes."""
    path = copied / CLAIM
    path.write_bytes(path.read_bytes() + change)
    if change.startswith(b"\n#"):
        assert {one.slug for one in load_library(copied).scenarios} >= {"lower-back-claim"}
        return
    with pytest.raises(ScenarioError) as caught:
        load_library(copied)
    assert [problem.file for problem in caught.value.problems] == [CLAIM]


def test_mistakes_beside_known_files_are_found_at_once(copied: Path) -> None:
    """A known file with another name is checked as such, a link out of the folder is a mistake, and so is a bad dataset."""
    (copied / CLAIM).rename(copied / "case-management/Renamed.yaml")
    (copied / "finance/linked.yaml").symlink_to(shipped_library() / CLAIM)
    (copied / "datasets/bad.yaml").write_text("id: 1\n")
    with pytest.raises(ScenarioError) as caught:
        load_library(copied)
    files = {problem.file for problem in caught.value.problems}
    assert files >= {"case-management/Renamed.yaml", "finance/linked.yaml", "datasets/bad.yaml"}


def test_a_scenario_is_known_by_its_place_too() -> None:
    """Its version names collection and slug, so the same text elsewhere is another scenario."""
    scenario = checked()[CLAIM]
    text = (shipped_library() / CLAIM).read_bytes()
    known = KnownFiles(scenario_line(CLAIM, text, scenario) + b"\n")
    assert known.scenario(CLAIM, text) == scenario
    assert known.scenario(CLAIM, text + b" ") is None
    assert known.scenario("finance/lower-back-claim.yaml", text) is None
    assert KnownFiles(b"").scenario(CLAIM, text) is None


def test_the_whole_shipped_library_is_known(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of its files is parsed, and collections and datasets are those of files that are."""
    expected = read_library(Loader(copied))
    monkeypatch.delattr(YamlDocument, "read")
    known = load_library(copied)
    assert known.datasets == expected.datasets
    assert known.collections == expected.collections
    assert known.scoring_version == expected.scoring_version


def test_a_known_dataset_that_refers_to_a_scenario_that_is_gone_is_a_mistake(copied: Path) -> None:
    """What a known file says of others is checked each time, and reported at its place."""
    (copied / "coaching/weekly-check-ins.yaml").unlink()
    with pytest.raises(ScenarioError) as caught:
        load_library(copied)
    assert [(one.file, one.line, one.message) for one in caught.value.problems] == [
        (one.file, one.line, one.message) for one in unknown(copied)
    ]


def test_a_scenario_has_no_attribute_that_it_does_not_have() -> None:
    """An unknown attribute is an error, and compiles nothing."""
    scenario = load_library(shipped_library()).scenarios[0]
    with pytest.raises(AttributeError, match="'Scenario' object has no attribute 'persons'"):
        scenario.persons  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(AttributeError):
        object.__getattribute__(scenario, "persona")
