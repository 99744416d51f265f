"""JUnit XML, as CI systems show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from labs_mock.escapes import printable


@dataclass(frozen=True, slots=True)
class JunitCase:
    """A test case: it failed with a message, was skipped for a reason, or passed; `text` is what else there is to read."""

    name: str
    failure: str = ""
    skipped: str = ""
    text: str = ""


def junit_text(suite: str, cases: Iterable[JunitCase]) -> str:
    """A test suite as an XML document."""
    listed = list(cases)
    counts = {
        "tests": len(listed),
        "failures": sum(bool(case.failure) for case in listed),
        "errors": 0,
        "skipped": sum(bool(case.skipped) for case in listed),
    }
    names = {"name": printable(suite), **{name: str(count) for name, count in counts.items()}}
    root = Element("testsuites", names)
    parent = SubElement(root, "testsuite", names)
    for case in listed:
        element = SubElement(parent, "testcase", {"classname": printable(suite), "name": printable(case.name)})
        if case.failure:
            SubElement(element, "failure", {"message": printable(case.failure)}).text = printable(case.text)
        elif case.skipped:
            SubElement(element, "skipped", {"message": printable(case.skipped)})
        elif case.text:
            SubElement(element, "system-out").text = printable(case.text)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True)
