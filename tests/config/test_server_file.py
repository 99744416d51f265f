from typing import Any

import pytest

from labs_mock.config.server_file import check_server
from tests.scenario.bases import SERVER, changed, steps


@pytest.mark.parametrize(
    ("where", "value", "path", "words"),
    [
        ("keys.0.requests_per_minute", 5, "keys.0.plan", "'plan' beside 'requests_per_minute'"),
        ("keys.1.expires", "tomorrow", "keys.1.expires", "not a time"),
        ("keys.1.key", "lab_a", "keys.1.key", "the key stands twice"),
        ("seed", -1, "seed", "expected a whole number from 0"),
        ("port", 65_536, "port", "expected a whole number from 0 to 65535"),
        ("clock", "sundial", "clock", "is not a clock"),
        ("plan", "gold", "plan", "expected one of: standard"),
        ("api_key", "secret", "api_key", "expected lab_"),
        ("host", " ", "host", "expected text"),
        ("max_body", 10, "max_body", "expected a whole number from 1024"),
    ],
)
def test_a_mistake_in_a_server_file_is_found(where: str, value: Any, path: str, words: str) -> None:
    """Settings have the values that the settings table allows, and no two keys are the same."""
    assert list(check_server(SERVER)) == []
    (mistake,) = check_server(changed(SERVER, where, value))
    assert (list(mistake.path), words in mistake.message) == (steps(path), True)
