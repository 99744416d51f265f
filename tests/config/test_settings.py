from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.config.settings import SETTINGS, Settings, by_name, from_environment, from_options, settings_from
from labs_mock.errors import SettingsError

BY_NAME = {setting.name: setting for setting in SETTINGS}

# For every setting: a value in a file, a text in the environment, the value that this is, and a value of an option.
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
    "canary": (True, "false", False, True),
    "max_body": (2048, "4096", 4096, 8192),
    "workers": (2, "3", 3, 4),
    "state": ("redis://a:1/0", "rediss://b:2/0", "rediss://b:2/0", "unix:///c?db=0"),
    "state_name": ("a", "b", "b", "c"),
    "state_password": ("a", "b", "b", "c"),
    "state_ca": ("a", "b", "b", "c"),
    "state_lifetime": (60, "70", 70, 80),
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
    "canary": False,
    "max_body": 16 * 1024 * 1024,
    "workers": 1,
    "state": "",
    "state_name": "labs-mock",
    "state_password": "",
    "state_ca": "",
    "state_lifetime": 7 * 24 * 60 * 60,
}


def _value(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return str(value) if isinstance(value, Path) else value


def test_defaults_are_those_of_the_documentation() -> None:
    """Without options, environment and file, every setting has its documented default."""
    assert settings_from() == Settings(**DEFAULTS)


@pytest.mark.parametrize("name", BY_NAME)
def test_an_option_goes_before_environment_file_and_default(name: str) -> None:
    """Precedence, for every setting: option, environment, file, default."""
    in_file, in_environment, environment_value, option = VALUES[name]
    file, environment = {name: in_file}, {BY_NAME[name].variable: in_environment}
    variables = from_environment(environment)
    assert _value(settings_from(from_options({name: option}), variables, file), name) == option
    assert getattr(settings_from(from_options({name: None}), variables, file), name) == environment_value
    assert _value(settings_from({}, {}, file), name) == in_file
    assert getattr(settings_from({}, {}, {}), name) == DEFAULTS[name]


@given(st.sets(st.sampled_from(sorted(BY_NAME))), st.sets(st.sampled_from(sorted(BY_NAME))))
def test_settings_do_not_disturb_each_other(options: set[str], variables: set[str]) -> None:
    """Whatever other settings have values, each follows its own precedence."""
    environment = {BY_NAME[name].variable: VALUES[name][1] for name in variables}
    settings = settings_from(from_options({name: VALUES[name][3] for name in options}), from_environment(environment))
    for name in BY_NAME:
        expected = VALUES[name][3] if name in options else VALUES[name][2] if name in variables else DEFAULTS[name]
        assert getattr(settings, name) in (expected, Path(str(expected)))


def test_every_setting_has_a_variable_and_an_option() -> None:
    """One name gives the environment variable and the option; a switch can be turned off, and a password has no option."""
    assert [setting.name for setting in SETTINGS if not setting.shown] == ["state_password"]
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
        ("LABS_MOCK_CANARY", "--canary/--no-canary"),
        ("LABS_MOCK_MAX_BODY", "--max-body"),
        ("LABS_MOCK_WORKERS", "--workers"),
        ("LABS_MOCK_STATE", "--state"),
        ("LABS_MOCK_STATE_NAME", "--state-name"),
        ("LABS_MOCK_STATE_PASSWORD", "--state-password"),
        ("LABS_MOCK_STATE_CA", "--state-ca"),
        ("LABS_MOCK_STATE_LIFETIME", "--state-lifetime"),
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
    assert settings_from(from_environment({"LABS_MOCK_CONTROL": text})).control is expected


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("65535", 65_535), (" 80 ", 80), ("007", 7)])
def test_numbers_are_read_from_text(text: str, expected: int) -> None:
    """In an environment variable a whole number is written in digits."""
    assert settings_from(from_environment({"LABS_MOCK_PORT": text})).port == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", 0), ("port", 65_535), ("seed", 0), ("seed", 2**63 - 1), ("max_body", 1024), ("max_body", 1 << 30)],
)
def test_the_ends_of_a_range_are_accepted(name: str, value: int) -> None:
    """The smallest and the largest number, as a number or as text."""
    assert _value(settings_from({name: value}), name) == _value(settings_from({name: str(value)}), name) == value


@pytest.mark.parametrize(
    "address",
    ["", "redis://a", "redis://trainer@a:1/3", "rediss://[::1]:6379/0?db=2", "unix:///s", "unix://trainer@/s?db=0"],
)
def test_addresses_of_stores_may_name_a_user(address: str) -> None:
    """Never a password."""
    assert settings_from({"state": address}).state == address


BAD: dict[str, list[Any]] = {
    "workers": [0, 257, "", "two"],
    "state": [
        *(
            "localhost",
            "http://a",
            "redis:",
            "redis://[",
            1,
            "redis://a/one",
            "redis://a:b/0",
            "redis:///0",
            "redis://a/0#b",
        ),
        *("redis://u:secret@a:1/0", "redis://:secret@a/0", "unix:///s?password=secret", "unix://:secret@/s"),
        *("unix://a/s", "unix:s?db=x", "unix:///s?db=x", "redis://a/0?ssl_cert_reqs=none", "rediss://a?username=b"),
    ],
    "state_name": ["", "a b", "{a}", "x" * 101, 1],
    "state_lifetime": [59, ""],
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
def test_a_bad_value_is_refused_by_name_with_what_is_expected(name: str, value: Any) -> None:
    """A value that cannot be used is a `SettingsError` that names the setting and says what would be right."""
    with pytest.raises(SettingsError) as caught:
        settings_from({name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert any(word in str(caught.value) for word in ("expected", "give"))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_by_its_source(name: str) -> None:
    """The message begins with the source of the bad value: the option, the variable or, in Python, the setting's name."""
    option, variable = BY_NAME[name].option, BY_NAME[name].variable
    with pytest.raises(SettingsError, match=f"^{option}: .*(expected|give) "):
        from_options({name: " "})
    with pytest.raises(SettingsError, match=f"^{variable}: .*(expected|give) "):
        from_environment({variable: " "})
    with pytest.raises(SettingsError, match=f"^{name}: .*(expected|give) "):
        by_name({name: " "})


def test_an_unknown_setting_is_refused() -> None:
    """A misspelled name is an error with the one that was meant, or with all that there are."""
    with pytest.raises(SettingsError, match=r"^prot: unknown setting; did you mean port\?$"):
        by_name({"prot": 1})
    with pytest.raises(SettingsError, match=r"^kindness: .*host, port"):
        by_name({"kindness": 1})


def test_an_unknown_variable_is_refused() -> None:
    """A misspelled variable would change nothing, and nobody would see why; other prefixes are not ours."""
    with pytest.raises(SettingsError, match=r"^LABS_MOCK_PROT: unknown variable; did you mean LABS_MOCK_PORT\?$"):
        from_environment({"LABS_MOCK_PROT": "1"})
    with pytest.raises(SettingsError, match=r"^LABS_MOCK_KINDNESS: .*LABS_MOCK_HOST, LABS_MOCK_PORT"):
        from_environment({"LABS_MOCK_KINDNESS": "1"})
    assert from_environment({"LABS_MOCK": "x", "LABS_URL": "x", "PORT": "x", "LABS_MOCK_PROT": ""}) == {}


KUBERNETES = {
    "LABS_MOCK_SERVICE_HOST": "10.0.0.11",
    "LABS_MOCK_SERVICE_PORT": "8765",
    "LABS_MOCK_SERVICE_PORT_HTTP": "8765",
    "LABS_MOCK_PORT": "tcp://10.0.0.11:8765",
    "LABS_MOCK_PORT_8765_TCP": "tcp://10.0.0.11:8765",
    "LABS_MOCK_PORT_8765_TCP_PROTO": "tcp",
    "LABS_MOCK_PORT_8765_TCP_PORT": "8765",
    "LABS_MOCK_PORT_8765_TCP_ADDR": "10.0.0.11",
    "LABS_MOCK_STAGING_SERVICE_HOST": "10.0.0.12",
    "LABS_MOCK_STAGING_PORT": "tcp://10.0.0.12:8765",
}


def test_variables_of_kubernetes_for_a_service_of_our_name_are_passed_over() -> None:
    """Every pod beside a service `labs-mock` has these variables; they are neither mistakes nor settings."""
    assert from_environment({**KUBERNETES, "LABS_MOCK_SEED": "7"}) == {"seed": 7}


@given(st.text("abcXYZ019_-", min_size=8).map("lab_1{}".format))
def test_the_key_is_never_shown(key: str) -> None:
    """Neither the repr of the settings nor the message about a bad key has the key in it."""
    settings = settings_from({"api_key": key})
    assert settings.api_key == key
    assert key not in repr(settings)
    assert key[4:] not in str(settings)
    with pytest.raises(SettingsError) as caught:
        settings_from({"api_key": f"{key} "})
    assert key[4:] not in str(caught.value)
