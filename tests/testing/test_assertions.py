import pytest

from labs_mock.state.bounds import Bounds
from labs_mock.testing import LabsMock, UndecidableError
from labs_mock.testing.request_report import warnings_in
from tests.support import KEY, live, noise, result_of, world
from tests.testing.conversation import CONVERSATION, post


def test_assertions_on_requests_fail_well(mock: LabsMock) -> None:
    """They return the requests; when they fail they show what comes nearest, and never a key."""
    post(mock, "evaluate", CONVERSATION)
    post(mock, "evaluate", {**CONVERSATION, "surprise": KEY})
    assert len(mock.assert_requested("post", "/api/v1/*", times=2)) == 2
    (found,) = mock.assert_requested("POST", "/api/v1/evaluate", json={"surprise": KEY})
    assert (found.status, found.organisation, found.json["surprise"]) == (200, "local", "lab_*****")
    with pytest.raises(AssertionError) as failed:
        mock.assert_requested("POST", f"/{KEY}", json={KEY: f"Bearer {KEY}"})
    assert str(failed.value).startswith("expected POST /lab_***** at least once")
    assert KEY not in str(failed.value)
    with pytest.raises(AssertionError) as failed:
        mock.assert_requested("GET", "/api/v1/evaluat", times=1, json={"messages": []})
    assert str(failed.value).splitlines()[:4] == [
        "expected GET /api/v1/evaluat once, and it was made 0 times",
        '  with a body that has {"messages": []}',
        "nearest misses:",
        f"  POST /api/v1/evaluate -> 200 {str(failed.value).splitlines()[3].partition('200 ')[2]}",
    ]
    assert KEY not in str(failed.value)
    with pytest.raises(AssertionError, match=r"findings of severity warning: 1\n.*unknown_field at surprise"):
        mock.assert_no_findings()
    mock.forget_requests()
    mock.assert_no_findings()
    assert mock.requests == []


def test_an_assertion_on_what_was_dropped_is_undecidable() -> None:
    """Its message names what was dropped: the body of a request, or requests; dropped findings are still counted."""
    bounded = world(bounds=Bounds(records=3, journal=200_000))
    with live(bounded) as server, LabsMock(url=server.url) as mock:
        for number in range(3):
            post(mock, "evaluate", {"number": number, "noise": noise(40_000).hex()})
        mock.assert_requested("POST", "/api/v1/evaluate", json={"number": 2})
        mock.assert_requested("POST", "/api/v1/evaluate", times=3)
        with pytest.raises(UndecidableError, match=r"^undecidable: the body of request 1 was dropped\nexpected POST "):
            mock.assert_requested("POST", "/api/v1/evaluate", json={"number": 0})
        with pytest.raises(AssertionError, match="findings of severity warning: 6") as failed:
            mock.assert_no_findings()
        assert "dropped" not in str(failed.value)
        for path in ("compare", "episodes", "batch/evaluate", "episodes/ep_none/turns"):
            post(mock, path, {})
        with pytest.raises(UndecidableError, match=r"^undecidable: the oldest 4 requests were dropped\n"):
            mock.assert_requested("POST", "/api/v1/evaluate")
        with pytest.raises(AssertionError, match="warning: 6\n  and 6 in requests that the journal has dropped"):
            mock.assert_no_findings()
        assert result_of(warnings_in(bounded)) == ["6 in requests that the journal has dropped"]
