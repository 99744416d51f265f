import re

from hypothesis import given
from hypothesis import strategies as st

from labs_mock.contract.findings import KINDS, Finding, header
from labs_mock.contract.tokens import NO_RESPONSE, has_leaked_markup, is_near_miss
from labs_mock.contract.wording import quote
from labs_mock.redaction import Redactor

findings = st.lists(st.builds(Finding, st.sampled_from(sorted(KINDS)), st.text(max_size=100)), min_size=1, max_size=15)


@given(findings)
def test_the_header_is_printable_ascii_whatever_the_place(found: list[Finding]) -> None:
    """Each finding is `code;severity=…;place="…"`, at most ten of them, then how many more there are (section 7)."""
    parts = header(found, str).split(", ") if "," not in "".join(finding.place for finding in found) else []
    assert re.fullmatch(r"[\x20-\x7e]+", header(found, str))
    for part, finding in zip(parts, found[:10], strict=False):
        assert re.fullmatch(rf'{finding.code};severity={finding.severity};place="[^"\\]*"', part)
    assert (f"and_more;count={len(found) - 10}" in header(found, str)) == (len(found) > 10)


def test_no_key_stands_in_the_header() -> None:
    """It is masked before a long place is cut (ERR-2); a field that merely looks like a key is shown."""
    redact = Redactor({"lab_secret"})
    for place in ("lab_secret", f"{'x' * 73}.lab_secret"):
        assert "lab_s" not in header([Finding("unknown_field", place)], redact)
    assert "lab_results" in header([Finding("unknown_field", "lab_results")], redact)


def test_near_misses_of_the_token() -> None:
    """What was probably meant to be the token is neither the token nor talk of silence (TOK-1)."""
    for meant in (
        "<no_response />",
        "<no_response>",
        " <no_response/>",
        "<No_Response/>",
        "< no-response / >",
        "<noresponse/>\n",
        "</no_response>",
        "<no_response",
        "<no_resp",
        "no_response/>",
        "response/>",
        "no_response",
        "<no_response/><no_response/>",
        "<<no_response/>>",
        "<no_response/> I'll wait.",
        "I will send <no_response/>.",
        "I'll wait. <no_response",
        "<think>Better to wait.</think><no_response/>",
        "<no_response/><|im_end|>",
        "<no_response/></s>",
        f"{'Hm. ' * 2_000}<no_response />",
    ):
        assert is_near_miss(meant), meant
    for other in (
        NO_RESPONSE,
        "",
        "no response",
        "There was no response.",
        "Status: <no response yet>",
        "See <no-response-policy>.",
        "The no_response rate is low.",
        "Is <b>this</b> what you mean?",
        "response",
        "<",
        "<n",
        "no",
    ):
        assert not is_near_miss(other), other


def test_leaked_markup() -> None:
    """Marks of chat templates are found, and HTML, code and talk are not taken for them (section 7)."""
    for leaked in (
        "Well.<|im_end|>",
        "<|start_header_id|>assistant",
        "Well.<|eot_id|>Hello",
        "Well.<｜end▁of▁sentence｜>",  # noqa: RUF001 - wide bars are what it is about
        "[INST] Hello [/INST]",
        "Hello [/INST]",
        "<think>Hm.</think>Well.",
        "Hm.</think>Well.",
        "Well.</s>",
        "Well.</s> \n",
        "<s>Old</s> Well.</s>",
    ):
        assert has_leaked_markup(leaked), leaked
    for fine in (
        "",
        "Is <b>this</b> what you mean?",
        "Use <br> in HTML, and </span> to close.",
        "The price is <s>10</s>",
        "Write </s> to end a strike, then go on.",
        "I think <the report> is missing [see page 3].",
        "x <| f |> y, and a < b | c > d",
        "[INSTRUCTIONS]",
        "<thinking>",
        NO_RESPONSE,
    ):
        assert not has_leaked_markup(fine), fine


def test_ten_thousand_brackets_are_neither_a_token_nor_a_mark() -> None:
    """What a search that goes back would spend hours on is no finding; RE2 never goes back."""
    for text in ("<" * 10_000, "<" + " " * 9_999, "</s>" * 2_500 + " " * 10_000 + "x", "<|" * 5_000, "[INST" * 2_000):
        assert not is_near_miss(text)
        assert not has_leaked_markup(text)


@given(st.text(max_size=200), st.integers(1, 60))
def test_quotes_are_short_printable_and_on_one_line(text: str, limit: int) -> None:
    """Input in a message is at most so long, and has no control characters (ERR-2)."""
    shown = quote(text, limit)
    assert len(shown) <= limit + 3
    assert shown.isprintable()
    assert shown.endswith("…'") == (len(text) > limit)
