from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as property_of
from hypothesis import strategies as st

from labs_mock.errors import SettingsError
from labs_mock.settings import SETTINGS, Settings, given, settings_from

BY_NAME = {setting.name: setting for setting in SETTINGS}

# For every setting a value of a file, one of the environment as text, what that is, and one of an option.
VALUES: dict[str, tuple[Any, str, Any, Any]] = {
    "scenarios": ("a", "b", Path("b"), "c"),
    "host": ("127.0.0.2", "127.0.0.3", "127.0.0.3", "127.0.0.4"),
    "port": (1, "2", 2, 3),
    "api_key": ("lab_a", "lab_b", "lab_b", "lab_c"),
    "plan": ("standard", "premium", "premium", "standard"),
    "seed": (1, "2", 2, 3),
    "clock": ("x2", "x3", "x3", "frozen"),
    "control": (False, "true", True, False),
    "control_hosts": ("a", "b", "b", "c,d"),
    "control_token": ("a", "b", "b", "c"),
    "spool": (0, "70000", 70_000, 80_000),
    "max_body": (2048, "4096", 4096, 8192),
}

DEFAULTS: dict[str, Any] = {
    "scenarios": None,
    "host": "127.0.0.1",
    "port": 8765,
    "api_key": "lab_local",
    "plan": "enterprise",
    "seed": 0,
    "clock": "real",
    "control": True,
    "control_hosts": "",
    "control_token": "",
    "spool": 1024 * 1024 * 1024,
    "max_body": 16 * 1024 * 1024,
}


def _value(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return str(value) if isinstance(value, Path) else value


def test_defaults_are_those_of_the_documentation() -> None:
    """Without options, environment and file, every setting has its documented default."""
    assert settings_from(given({}, {})) == Settings(**DEFAULTS)


@pytest.mark.parametrize("name", BY_NAME)
def test_an_option_goes_before_environment_file_and_default(name: str) -> None:
    """Precedence, for every setting: option, environment, file, default."""
    in_file, in_environment, environment_value, option = VALUES[name]
    file, environment = {name: in_file}, {BY_NAME[name].variable: in_environment}
    assert _value(settings_from(given({name: option}, environment), file), name) == option
    assert getattr(settings_from(given({name: None}, environment), file), name) == environment_value
    assert _value(settings_from(given({}, {}), file), name) == in_file
    assert getattr(settings_from(given({}, {}), {}), name) == DEFAULTS[name]


@property_of(st.sets(st.sampled_from(sorted(BY_NAME))), st.sets(st.sampled_from(sorted(BY_NAME))))
def test_settings_do_not_disturb_each_other(options: set[str], variables: set[str]) -> None:
    """Whatever else is given, each setting follows its own precedence."""
    environment = {BY_NAME[name].variable: VALUES[name][1] for name in variables}
    settings = settings_from(given({name: VALUES[name][3] for name in options}, environment))
    for name in BY_NAME:
        expected = VALUES[name][3] if name in options else VALUES[name][2] if name in variables else DEFAULTS[name]
        assert getattr(settings, name) in (expected, Path(str(expected)))


def test_every_setting_has_a_variable_and_an_option() -> None:
    """One name gives the environment variable and the option; a switch can be turned off."""
    assert [(setting.variable, setting.option) for setting in SETTINGS] == [
        ("LABS_MOCK_SCENARIOS", "--scenarios"),
        ("LABS_MOCK_HOST", "--host"),
        ("LABS_MOCK_PORT", "--port"),
        ("LABS_MOCK_API_KEY", "--api-key"),
        ("LABS_MOCK_PLAN", "--plan"),
        ("LABS_MOCK_SEED", "--seed"),
        ("LABS_MOCK_CLOCK", "--clock"),
        ("LABS_MOCK_CONTROL", "--control/--no-control"),
        ("LABS_MOCK_CONTROL_HOSTS", "--control-hosts"),
        ("LABS_MOCK_CONTROL_TOKEN", "--control-token"),
        ("LABS_MOCK_SPOOL", "--spool"),
        ("LABS_MOCK_MAX_BODY", "--max-body"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("True", True),
        ("1", True),
        ("yes", True),
        (" on ", True),
        ("false", False),
        ("FALSE", False),
        ("0", False),
        ("no", False),
        ("off", False),
    ],
)
def test_booleans_are_parsed_and_not_tested_for_truth(text: str, expected: bool) -> None:
    """The text "false" is false."""
    assert settings_from(given({}, {"LABS_MOCK_CONTROL": text})).control is expected


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("65535", 65_535), (" 80 ", 80), ("007", 7)])
def test_numbers_are_read_from_text(text: str, expected: int) -> None:
    """An environment variable gives a whole number in digits."""
    assert settings_from(given({}, {"LABS_MOCK_PORT": text})).port == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 0), ("port", 65_535), ("seed", 0), ("seed", 2**63 - 1), ("max_body", 1024), ("max_body", 1 << 30)],
)
def test_the_ends_of_a_range_can_be_given(name: str, value: int) -> None:
    """The smallest and the largest number, as a number or as text."""
    assert _value(settings_from({name: value}), name) == _value(settings_from({name: str(value)}), name) == value


BAD: dict[str, list[Any]] = {
    "port": [-1, 65_536, "", "eighty", "1.5", "--5", "5-", "٣", "9" * 5000, True, 1.0, []],
    "seed": [-1, 2**63, "0x1", "1_000", None],
    "max_body": [0, 1023, (1 << 30) + 1],
    "control": ["", "maybe", "2", 2, []],
    "plan": ["", "Premium", "free", 1, []],
    "host": ["", "  ", 1],
    "clock": ["", "noon", "x0", 1],
    "api_key": ["", "lab_", "sk-secret", "LAB_secret", "lab_sécret", "lab_se cret", 1],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD.items() for value in values],
    ids=lambda value: str(value)[:12],
)
def test_a_bad_value_is_refused_by_name_with_what_to_give(name: str, value: Any) -> None:
    """A value that cannot be used is a `SettingsError` that names the setting and says what would be right."""
    with pytest.raises(SettingsError) as caught:
        settings_from({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert any(word in str(caught.value) for word in ("expected", "give"))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", BAD)
def test_a_bad_variable_is_refused_as_a_bad_option_is(name: str) -> None:
    """The environment is read with the same care as everything else."""
    with pytest.raises(SettingsError, match=f"^{name}: "):
        given({}, {BY_NAME[name].variable: " "})


def test_an_unknown_setting_is_refused() -> None:
    """A misspelled name is an error that lists the settings there are."""
    with pytest.raises(SettingsError, match=r"^prot: .*host, port"):
        given({"prot": 1}, {})


@property_of(st.text("abcXYZ019_-", min_size=8).map("lab_1{}".format))
def test_the_key_is_never_shown(key: str) -> None:
    """Neither the repr of the settings nor the message about a bad key has the key in it."""
    settings = settings_from({"api_key": key})
    assert settings.api_key == key
    assert key not in repr(settings)
    assert key[4:] not in str(settings)
    with pytest.raises(SettingsError) as caught:
        settings_from({"api_key": f"{key} "})
    assert key[4:] not in str(caught.value)
