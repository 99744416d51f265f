"""For tests and scripts: `LabsMock`, a handle on a mock server, `drill`, and what they return and raise."""

from labs_mock.contract.control import (
    DatasetInfo,
    EpisodeInfo,
    EpisodePage,
    EpisodeSummary,
    Explanation,
    FaultInfo,
    FindingInfo,
    HealthInfo,
    KeyInfo,
    KeyOptions,
    RewardPage,
    ScenarioInfo,
    ScenarioSummary,
)
from labs_mock.testing.assertions import UndecidableError
from labs_mock.testing.control_client import ControlError
from labs_mock.testing.drills.drill import drill
from labs_mock.testing.drills.drill_report import DrillReport, DrillRow
from labs_mock.testing.handle import LabsMock
from labs_mock.testing.recorded import RecordedFinding, RecordedRequest
from labs_mock.testing.verdicts.reward_labels import Label
from labs_mock.testing.verdicts.verdict import Verdict

__all__ = [
    "ControlError",
    "DatasetInfo",
    "DrillReport",
    "DrillRow",
    "EpisodeInfo",
    "EpisodePage",
    "EpisodeSummary",
    "Explanation",
    "FaultInfo",
    "FindingInfo",
    "HealthInfo",
    "KeyInfo",
    "KeyOptions",
    "Label",
    "LabsMock",
    "RecordedFinding",
    "RecordedRequest",
    "RewardPage",
    "ScenarioInfo",
    "ScenarioSummary",
    "UndecidableError",
    "Verdict",
    "drill",
]

for _name in __all__:  # tracebacks and documentation name them by the module from which they are imported
    globals()[_name].__module__ = __name__
