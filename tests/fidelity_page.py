"""`docs/fidelity.md`, written by `make generated`: every clause, what it rests on, and the tests that cite it."""

import ast
import re
from collections import Counter

from labs_mock.contract.clauses import CLAUSES, SECTIONS, Clause
from tests.pages import ROOT

CITED = re.compile(rf"\b((?:{'|'.join(SECTIONS)})-\d+)\b")

Test = tuple[str, str]
"""The file of a test, and its name."""


def citing_tests() -> dict[str, list[Test]]:
    """For each clause that a test's docstring cites, the files and names of these tests."""
    found: dict[str, list[Test]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for clause in dict.fromkeys(CITED.findall(ast.get_docstring(node) or "")):
                    found.setdefault(clause, []).append((path.relative_to(ROOT).as_posix(), node.name))
    return found


def fidelity() -> str:
    """The page: how many clauses there are of each kind, contents, and the clauses by section."""
    tests = citing_tests()
    parts = [HEAD.format(**Counter(clause.basis.replace("/", "") for clause in CLAUSES))]
    parts += [_contents(section, title) for section, title in SECTIONS.items()]
    for section, title in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        parts += [_clause(clause, tests.get(clause.name, [])) for clause in _of(section)]
    return "\n".join(parts)


def _of(section: str) -> list[Clause]:
    return [clause for clause in CLAUSES if clause.section == section]


def _contents(section: str, title: str) -> str:
    """The section's row of the contents: a link to it and one to each of its clauses."""
    anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
    clauses = " ".join(f"[{clause.name}](#{clause.name.lower()})" for clause in _of(section))
    return f"| [{title}](#{anchor}) | {clauses} |"


def _clause(clause: Clause, tests: list[Test]) -> str:
    """A clause: what is documented, what is inferred, and its tests behind a fold, which site and code hosts both render."""
    parts = [f"### {clause.name}"]
    parts += [f"**Documented.** {clause.documented}"] if clause.documented else []
    parts += [f"**Inferred.** {clause.inferred}"] if clause.inferred else []
    links = "\n".join(f"- [{name.removeprefix('test_').replace('_', ' ')}](../{path})" for path, name in tests)
    count = "1 test" if len(tests) == 1 else f"{len(tests)} tests"
    parts.append(f'<details markdown="1">\n<summary>{count}</summary>\n\n{links}\n\n</details>')
    return "\n\n".join(parts) + "\n"


HEAD = """\
<!-- Written by `make generated` from the clauses and the tests that cite them. -->

# API fidelity

What the Labs API does, statement by statement, as this mock does it. It is for people who write a client, and want to know what
they may rely on. Messages, tests and reports of this project name these statements, the *clauses*, by their numbers, such as EP-7.

| | clauses | what that means for your client |
|---|---|---|
| **documented** | {D} | The service's own documentation says so. Rely on it. |
| **inferred** | {I} | The documentation is silent or contradicts itself. The mock does what we think likely; the service may do otherwise. Write a client that works either way. |
| both | {DI} | One part is documented and another part inferred. Each is marked. |

The wording is ours, not the service's. Under each clause is a list of the tests that show that the mock keeps it.
[`labs-mock conformance`](conformance.md) checks the clauses against any server, the service itself too: it reports a documented part
that does not hold as *failed*, and an inferred one as *differs*. The last section is about this mock alone.

| section | clauses |
|---|---|"""
