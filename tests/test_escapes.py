import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from labs_mock.errors import Problem, ScenarioError
from labs_mock.escapes import printable

HOSTILE = ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\u202eevil\u202c", "\u2066x\u2069", "\r\n", "\x08\x7f", "\u2028", "\udc80",
           "\u200b", "\ufeff", "\U000e0041", "\xad", "\xa0", "\t"]  # fmt: skip


@given(st.text())
@example("\x1b]0;title\x07 \u202ebackwards \u2066 \x9b31m \r \ud800")
def test_what_is_printable_hides_nothing(text: str) -> None:
    """Line ends stay; of all else that cannot be seen, terminal escapes and bidi controls too, there is the escape."""
    shown = printable(text)
    assert shown.replace("\n", "").isprintable()
    assert shown.count("\n") == text.count("\n")
    assert shown == text or not text.replace("\n", "").isprintable()


def test_an_escape_names_its_character() -> None:
    """In the spelling of Python, JSON and most other languages."""
    assert printable("a\x1b[31m\tb\u202e\nc\U000e0001é") == "a\\x1b[31m\\tb\\u202e\nc\\U000e0001é"


@given(st.text())
def test_a_part_of_a_line_stays_one(text: str) -> None:
    """Without line ends to keep, all that is left can be printed, and stays as it is when it is made so again."""
    shown = printable(text, keep="")
    assert shown.isprintable()
    assert printable(shown) == shown


@pytest.mark.parametrize("text", HOSTILE)
def test_a_problem_shows_escapes_wherever_they_stand(text: str) -> None:
    """File, message, line and expectation can be printed, and the mark still stands below its column."""
    problem = Problem(f"f{text}", 1, len(text) + 4, f"m{text}", f"e{text}", f"s: {text}x")
    lines = str(ScenarioError([problem])).split("\n")
    assert len(lines) == 4
    assert "".join(lines).isprintable()
    assert lines[1][lines[2].index("^")] == "x"
