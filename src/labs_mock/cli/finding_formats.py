"""The result of `labs-mock findings` as text for a person, as JSON, and as JUnit XML."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from labs_mock.cli.junit import JunitCase, junit_text
from labs_mock.cli.options import counted
from labs_mock.contract.control import FindingInfo, FindingList, Json
from labs_mock.contract.findings import KINDS, RUN_KINDS, Kind
from labs_mock.escapes import printable
from labs_mock.testing.finding_lines import proof_lines

MAX_LINES = 10  # findings of a kind that a person is shown


@dataclass(frozen=True, slots=True)
class FoundKind:
    """A kind of finding, how many there are, and lines with the requests that prove them, the oldest first."""

    name: str
    kind: Kind
    count: int
    lines: Sequence[str]

    @property
    def heading(self) -> str:
        """Its name and severity, and how often there was one."""
        return f"{self.name} ({self.kind.severity}): {counted(self.count, 'finding')}"

    @property
    def text(self) -> str:
        """What causes it, what to change, and the newest findings."""
        more = len(self.lines) - MAX_LINES
        lines = [f"before these: {counted(more, 'line')} more"] if more > 0 else []
        lines += self.lines[-MAX_LINES:]
        return "\n".join([self.kind.cause, self.kind.cure, *(f"  {printable(line)}" for line in lines)])


@dataclass(frozen=True, slots=True)
class Found:
    """What a server has found."""

    url: str
    listed: FindingList

    @property
    def findings(self) -> list[FindingInfo]:
        """Those of which the journal has the requests."""
        return [FindingInfo.from_json(cast("Json", one)) for one in self.listed["findings"]]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity there are, with those on requests that the journal has dropped."""
        severities = [finding.severity for finding in self.findings]
        return {name: severities.count(name) + self.listed["dropped_findings"][name] for name in ("warning", "info")}

    @property
    def passed(self) -> bool:
        """Whether there is no warning."""
        return not self.counts["warning"]

    def kinds(self) -> Iterator[FoundKind]:
        """Every kind of finding, warnings first, in the order of the documentation."""
        requests = {request["number"]: request for request in self.listed["requests"]}
        found: dict[tuple[bool, str], list[FindingInfo]] = {}
        for finding in self.findings:
            found.setdefault((finding.over_run, finding.code), []).append(finding)
        for over_run, code, kind in sorted(_KINDS, key=lambda one: one[2].severity != "warning"):
            name = f"{code} over the run" if over_run and code in KINDS else code
            present = found.get((over_run, code), [])
            yield FoundKind(name, kind, len(present), proof_lines(present, requests))

    @property
    def dropped(self) -> str:
        """A sentence on the findings of which nothing more is known; empty without any."""
        counts = [counted(number, name) for name, number in self.listed["dropped_findings"].items() if number]
        return f"{' and '.join(counts)} on requests that the journal has dropped" if counts else ""


_KINDS = [
    *((False, code, kind) for code, kind in KINDS.items()),
    *((True, code, kind) for code, kind in RUN_KINDS.items()),
]


def as_text(found: Found) -> str:
    """Each kind that there is with its cause, what to change, and its requests; then a sentence."""
    parts = [f"{one.heading}\n{one.text}" for one in found.kinds() if one.lines]
    numbers = ", ".join(counted(number, name) for name, number in found.counts.items())
    return "\n\n".join([*parts, *filter(None, [found.dropped]), f"{printable(found.url)}: {numbers}"])


def as_json(found: Found) -> str:
    """One JSON object: what the control plane lists, and of each code its cause and its cure."""
    findings = [{**one, **_advice(one["over_run"], one["code"])} for one in map(asdict, found.findings)]
    report = {"url": found.url, "passed": found.passed, "counts": found.counts, **found.listed, "findings": findings}
    return json.dumps(report, indent=2)


def _advice(over_run: bool, code: str) -> dict[str, str]:
    kind = (RUN_KINDS if over_run else KINDS)[code]
    return {"cause": kind.cause, "cure": kind.cure}


def as_junit(found: Found) -> str:
    """A test case a kind, which has failed if there is a warning of it, and one for what the journal has dropped."""
    dropped = found.dropped * bool(found.listed["dropped_findings"]["warning"])
    cases = [_junit_case(one) for one in found.kinds()]
    return junit_text(f"findings of {found.url}", [*cases, JunitCase("dropped requests", dropped, text=found.dropped)])


def _junit_case(one: FoundKind) -> JunitCase:
    if not one.lines:
        return JunitCase(one.name)
    return JunitCase(one.name, one.heading if one.kind.severity == "warning" else "", text=one.text)


FORMATS = {"text": as_text, "json": as_json, "junit": as_junit}
