from labs_mock.conformance.lab import Lab
from labs_mock.conformance.runner import PROFILES, run
from labs_mock.contract.clauses import Part
from tests.conformance.mutants import Answer, Mutant
from tests.conformance.served import small_world
from tests.conformance.test_mutants import asking
from tests.support import live

QUICK = PROFILES["quick"]


def read_otherwise(answer: Answer) -> None:
    """A service that does all that is documented, and differs from every reading of ours that can be changed on the way."""
    if answer.operation in ("dataset_status", "export_dataset") and answer.status == 400:
        answer.refuse(404)
    if answer.status >= 400:
        refuse_otherwise(answer)
    if answer.status != 200 or answer.operation in ("dataset_status", "export_dataset"):
        return
    answer.body["usage"] = {"units": 1}
    if answer.operation == "compare" and answer.body["margin"] < 0.3:
        answer.body["winner"] = "tie"
    if answer.operation == "create_episode":
        for tool in answer.body["tools"]:
            tool.setdefault("description", None)


def refuse_otherwise(answer: Answer) -> None:
    """Other words for what is not found, 401 without a subscription, and a further field."""
    if answer.status == 404 and answer.operation != "take_turn":
        answer.body["message"] = "Not found"
    if answer.status == 403:
        answer.refuse(401, answer.body["message"])
        answer.bare()
    if "data" in answer.body:
        answer.body["code"] = answer.status


def test_nothing_documented_fails_over_what_is_inferred() -> None:
    """Another wording, other ties, further fields, nulls and 401 without a subscription differ from our reading; the run passes (EP-1, DS-5, CMP-1, ERR-1, AUTH-2)."""
    other = Mutant(Part("EP-1", True), "all that is inferred is read otherwise", wide=True, change=read_otherwise)
    with other.applied(), live(small_world()) as running, asking(running.url) as client:
        report = run(Lab(client, most_scenarios=QUICK.scenarios), QUICK)
    assert [str(one.violation) for one in report.verdicts if one.outcome == "failed"] == []
    differs = {one.part.clause for one in report.verdicts if one.outcome == "differs"}
    assert differs >= {"EP-1", "EP-2", "ERR-1", "CMP-1", "DS-5", "AUTH-2"}
