import pytest

from labs_mock.conformance.profiles import PROFILES
from labs_mock.conformance.runner import run_checks
from labs_mock.contract.clauses import Part
from tests.conformance.mutants import ChangedResponse, Mutant
from tests.conformance.served import small_world
from tests.conformance.test_mutants import patient, quick_target
from tests.support import live

pytestmark = pytest.mark.slow

QUICK = PROFILES["quick"]


def read_otherwise(response: ChangedResponse) -> None:
    """A service that does all that is documented, and differs from every reading of ours that can be changed on the way."""
    if response.operation in ("dataset_status", "export_dataset") and response.status == 400:
        response.refuse(404)
    if response.status >= 400:
        refuse_otherwise(response)
    if response.status != 200 or response.operation in ("dataset_status", "export_dataset"):
        return
    response.body["usage"] = {"units": 1}
    if response.operation == "compare" and response.body["margin"] < 0.3:
        response.body["winner"] = "tie"
    if response.operation == "create_episode":
        for tool in response.body["tools"]:
            tool.setdefault("description", None)


def refuse_otherwise(response: ChangedResponse) -> None:
    """Other words for what is not found, 401 without a subscription, and a further field."""
    if response.status == 404 and response.operation != "take_turn":
        response.body["message"] = "Not found"
    if response.status == 403:
        response.refuse(401, response.body["message"])
        response.drop_rate_limits()
    if "data" in response.body:
        response.body["code"] = response.status


def test_nothing_documented_fails_over_what_is_inferred() -> None:
    """Another wording, other ties, further fields, nulls and 401 without a subscription differ from our reading; the run passes (EP-1, DS-5, CMP-1, ERR-1, AUTH-2)."""
    other = Mutant(Part("EP-1", True), "all that is inferred is read otherwise", wide=True, change=read_otherwise)
    with other.applied(), live(small_world()) as running, patient(running.url) as client:
        report = run_checks(quick_target(client), QUICK)
    assert [str(one.violation) for one in report.verdicts if one.outcome == "failed"] == []
    differs = {one.part.clause for one in report.verdicts if one.outcome == "differs"}
    assert differs >= {"EP-1", "EP-2", "ERR-1", "CMP-1", "DS-5", "AUTH-2"}
