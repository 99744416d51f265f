"""The one table of the control plane's operations, which its OpenAPI document describes."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from labs_mock.config.fault_entry import FaultEntry
from labs_mock.config.server_file import KeyEntry, KeyTerms
from labs_mock.contract import control
from labs_mock.contract.requests import Evaluate
from labs_mock.http.control.clock import Advance, ClockChange
from labs_mock.http.control.dataset_rows import DEFAULT_LIMIT as DEFAULT_ROWS
from labs_mock.http.control.dataset_rows import MAX_LIMIT as MAX_ROWS
from labs_mock.http.control.datasets import Forced
from labs_mock.http.control.episode_list import DEFAULT_LIMIT as EPISODES_LIMIT
from labs_mock.http.control.episode_list import MAX_LIMIT as MAX_EPISODES
from labs_mock.http.control.expecting import ConversationQueries
from labs_mock.http.control.journal import DEFAULT_LIMIT, FILTERS
from labs_mock.http.control.reset import ResetOfAll
from labs_mock.http.control.rewards import DEFAULT_LIMIT as REWARDS_LIMIT
from labs_mock.http.control.rewards import MAX_LIMIT
from labs_mock.http.control.scenarios import NewScenario
from labs_mock.http.control.verdict_list import NewVerdict
from labs_mock.http.control.verification import Expected
from labs_mock.scenario.files.dataset_schema import DatasetFile
from labs_mock.state.store import PARTS


class Parameter(NamedTuple):
    """A parameter of a query, which may be absent; `number` says that it is a whole number."""

    name: str
    description: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class ControlOperation:
    """An operation under `/_mock`. `refusals` are the errors that are its own, beside those of every operation; a response that is
    no JSON is of the type `media`.
    """

    name: str
    summary: str
    method: str
    path: str
    request: type[Any] | None
    response: type[Any]
    refusals: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body_required: bool = True
    media: str = "application/json"


_MEANINGS = {  # of the filters of the journal
    "method": "such as POST",
    "path": "where * stands for anything",
    "status": "the status of the response",
    "episode": "the id of an episode",
    "finding": "the code of a finding",
    "severity": "that of a finding: info or warning",
    "fault": "the id of a fault that was triggered",
    "organisation": "of the key",
    "peer": "address and port of the connection, where * stands for anything",
    "user_agent": "what the header says, where * stands for anything",
    "after": "only requests with a greater number",
    "before": "only requests with a smaller number",
}
_FILTERS = (
    *(Parameter(name, _MEANINGS[name], number=name in ("after", "before")) for name in FILTERS),
    Parameter("limit", f"the newest so many of those found (default: {DEFAULT_LIMIT:,})", number=True),
    Parameter("bodies", "false: without bodies"),
)
_OF_FINDINGS = (
    Parameter("code", "such as unknown_field"),
    Parameter("severity", "info or warning"),
)
_PAGE = (
    Parameter("after", "only rewards with a greater number (default: 0)", number=True),
    Parameter("limit", f"at most so many (default: {REWARDS_LIMIT:,}; at most {MAX_LIMIT:,})", number=True),
)
_OF_EPISODES = (
    Parameter("scenario", "<scenario> or <collection>/<scenario>"),
    Parameter("organisation", "of the key"),
    Parameter("state", "open, ended, or how it ended, such as completed"),
    Parameter("finding", "the code of a finding on one of its requests"),
    Parameter("limit", f"at most so many (default: {EPISODES_LIMIT:,}; at most {MAX_EPISODES:,})", number=True),
    Parameter("before", "only those behind this one, by its id, such as next of the page before"),
)
_PARTS = (Parameter("only", f"parts, comma-separated: {', '.join(PARTS)}; without it, everything but the scenarios"),)

CONTROL_OPERATIONS = (
    ControlOperation("health", "Which server this is", "GET", "/health", None, control.HealthInfo),
    ControlOperation("ready", "Whether this server can respond", "GET", "/ready", None, control.ReadyInfo, (503,)),
    ControlOperation("openapi", "This document", "GET", "/openapi.json", None, dict),
    ControlOperation(
        "reset",
        "Reset everything, or parts",
        "POST",
        "/reset",
        ResetOfAll,
        control.ResetParts,
        (400,),
        _PARTS,
        body_required=False,
    ),
    ControlOperation("show_clock", "Show the clock", "GET", "/clock", None, control.ClockInfo),
    ControlOperation(
        "change_clock", "Set the time, or how the clock runs", "PUT", "/clock", ClockChange, control.ClockInfo
    ),
    ControlOperation("advance_clock", "Move the clock forward", "POST", "/clock/advance", Advance, control.ClockInfo),
    ControlOperation("list_keys", "List keys, masked", "GET", "/keys", None, control.KeyList),
    ControlOperation("add_key", "Add a key", "POST", "/keys", KeyEntry, control.KeyInfo),
    ControlOperation("change_key", "Change or revoke a key", "PATCH", "/keys/{key}", KeyTerms, control.KeyInfo, (404,)),
    ControlOperation("list_quotas", "What each key has left in this minute", "GET", "/quotas", None, control.QuotaList),
    ControlOperation(
        "show_settings", "Show the settings, without secrets", "GET", "/settings", None, control.SettingValues
    ),
    ControlOperation("list_datasets", "List datasets", "GET", "/datasets", None, control.DatasetList),
    ControlOperation("add_dataset", "Add a dataset", "POST", "/datasets", DatasetFile, control.DatasetInfo),
    ControlOperation(
        "force_dataset", "Force a status of a dataset", "PATCH", "/datasets/{id}", Forced, control.DatasetInfo, (404,)
    ),
    ControlOperation(
        "show_rows",
        "The first rows of a dataset",
        "GET",
        "/datasets/{id}/rows",
        None,
        control.DatasetRows,
        (400, 404),
        (Parameter("limit", f"at most so many (default: {DEFAULT_ROWS}; at most {MAX_ROWS})", number=True),),
    ),
    ControlOperation("list_requests", "List requests", "GET", "/requests", None, control.RecordList, (400,), _FILTERS),
    ControlOperation("forget_requests", "Forget requests and rewards", "DELETE", "/requests", None, control.RecordList),
    ControlOperation("show_request", "Show a request", "GET", "/requests/{number}", None, control.RecordInfo, (404,)),
    ControlOperation(
        "verify_requests",
        "Check whether requests were made",
        "POST",
        "/requests/verify",
        Expected,
        control.Verification,
    ),
    ControlOperation(
        "list_findings",
        "List findings, of single requests and over several",
        "GET",
        "/findings",
        None,
        control.FindingList,
        (400,),
        _OF_FINDINGS,
    ),
    ControlOperation(
        "list_rewards", "List the rewards that were served", "GET", "/rewards", None, control.RewardPage, (400,), _PAGE
    ),
    ControlOperation(
        "expect_rewards",
        "The rewards that conversations have",
        "POST",
        "/rewards/expected",
        ConversationQueries,
        control.ExpectedRewards,
        (404,),
    ),
    ControlOperation("list_verdicts", "List verdicts that were posted", "GET", "/verdicts", None, control.VerdictList),
    ControlOperation("add_verdict", "Post a verdict", "POST", "/verdicts", NewVerdict, control.VerdictInfo),
    ControlOperation(
        "list_episodes", "List episodes", "GET", "/episodes", None, control.EpisodePage, (400,), _OF_EPISODES
    ),
    ControlOperation(
        "show_episode", "Show all of an episode", "GET", "/episodes/{id}", None, control.EpisodeInfo, (404,)
    ),
    ControlOperation(
        "show_rewards",
        "The reward after each turn of an episode",
        "GET",
        "/episodes/{id}/rewards",
        None,
        control.TurnRewards,
        (404,),
    ),
    ControlOperation(
        "end_episode", "End an episode", "POST", "/episodes/{id}/terminate", None, control.EpisodeInfo, (400, 404)
    ),
    ControlOperation("explain", "Explain a reward", "POST", "/explain", Evaluate, control.Explanation, (404,)),
    ControlOperation("list_scenarios", "List scenarios", "GET", "/scenarios", None, control.ScenarioList),
    ControlOperation(
        "add_scenario", "Add or replace a scenario", "POST", "/scenarios", NewScenario, control.ScenarioInfo
    ),
    ControlOperation("list_faults", "List the fault plan", "GET", "/faults", None, control.FaultList),
    ControlOperation("add_fault", "Add or replace a fault", "POST", "/faults", FaultEntry, control.Fault),
    ControlOperation("remove_faults", "Remove all faults", "DELETE", "/faults", None, control.FaultList),
    ControlOperation("remove_fault", "Remove a fault", "DELETE", "/faults/{id}", None, control.FaultList, (404,)),
    ControlOperation(
        "follow_requests",
        "Requests as they are made, as Server-Sent Events; Last-Event-ID resumes",
        "GET",
        "/events",
        None,
        str,
        (503,),
        media="text/event-stream",
    ),
    ControlOperation(
        "save_session",
        "Everything that the server knows, as a file",
        "GET",
        "/session.jsonl.gz",
        None,
        bytes,
        media="application/gzip",
    ),
)
