from labs_mock.conformance.client import Client
from labs_mock.conformance.lab import Lab
from labs_mock.conformance.runner import PROFILES, run
from labs_mock.conformance.violations import Part
from tests.conformance.mutants import Answer, Mutant
from tests.conformance.served import small_world
from tests.support import KEY, live

QUICK = PROFILES["quick"]


def read_otherwise(answer: Answer) -> None:
    """A service that does all that is documented, and differs from every reading of ours that can be changed on the way."""
    if answer.operation in ("dataset_status", "export_dataset") and answer.status == 400:
        answer.refuse(404)
    if answer.status == 404 and answer.operation != "take_turn":
        answer.body["message"] = "Not found"
    if answer.status >= 400 and "data" in answer.body:
        answer.body["code"] = answer.status
    if answer.status != 200 or answer.operation in ("dataset_status", "export_dataset"):
        return
    answer.body["usage"] = {"units": 1}
    if answer.operation == "compare" and answer.body["margin"] < 0.3:
        answer.body["winner"] = "tie"
    if answer.operation == "create_episode":
        for tool in answer.body["tools"]:
            tool.setdefault("description", None)


def test_nothing_documented_fails_over_what_is_inferred() -> None:
    """Another wording, other ties, further fields and nulls differ from our reading; the run passes (EP-1, DS-5, CMP-1, ERR-1)."""
    other = Mutant(Part("EP-1", True), "all that is inferred is read otherwise", wide=True, change=read_otherwise)
    with other.applied(), live(small_world()) as running, Client(running.url, KEY, sleep=lambda _: None) as client:
        report = run(Lab(client, most_scenarios=QUICK.scenarios), QUICK)
    assert [str(one.violation) for one in report.verdicts if one.outcome == "failed"] == []
    differs = {one.part.clause for one in report.verdicts if one.outcome == "differs"}
    assert differs >= {"EP-1", "EP-2", "ERR-1", "CMP-1", "DS-5"}
