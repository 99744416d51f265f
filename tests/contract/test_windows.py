import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.parsing import read_model
from labs_mock.contract.requests import Evaluate, Normalised
from labs_mock.contract.windows import Window

DAYS = {"d": 1, "w": 7, "m": 30}


@given(st.text("0", max_size=3), st.integers(0, 99_999), st.sampled_from("dwmn"))
def test_a_window_is_read_once_from_its_text(zeros: str, number: int, unit: str) -> None:
    """A number, a unit and the text as it was sent, which names the score in the response (NORM-1)."""
    text = f"{zeros}{number}{unit}"
    request = read_model(Normalised, {"normalization_key": "k", "normalization_windows": [text]})
    assert request.normalization_windows == [Window(number, unit, text)]
    assert Window.parse(text) == Window(number, unit, text)


@pytest.mark.parametrize(("unit", "most"), [("d", 366), ("w", 52), ("m", 12), ("n", 10_000)])
def test_a_window_knows_its_length_and_its_limit(unit: str, most: int) -> None:
    """A month is 30 days; a window of evaluations has no length in time (NORM-1)."""
    window = Window.parse(f"2{unit}")
    assert window.most == most
    assert window.seconds == (2 * DAYS[unit] * 86_400 if unit in DAYS else None)


def test_the_schema_of_a_window_is_that_of_its_text() -> None:
    """Clients see a string with a pattern, and nothing of what it is read into (NORM-1)."""
    (windows, _) = Evaluate.model_json_schema()["properties"]["normalization_windows"]["anyOf"]
    assert {**windows["items"], "pattern": ""} == {"type": "string", "maxLength": 10, "pattern": ""}
