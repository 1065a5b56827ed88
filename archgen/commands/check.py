"""`archgen architect check`: validates and analyses a description, writes nothing."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from archgen import console
from archgen.spec import load_with_marks
from archgen.spec.findings import Finding
from archgen.spec.findings import check as find
from archgen.spec.model import System

_STYLES = {"error": ("red", "bold"), "warning": ("yellow",), "notice": ("dim",)}


def check(spec: Path) -> int:
    """Prints what there is to say about the description, one line per finding, on stdout.

    Notices are counted, and printed with --verbose.

    Returns 1 if there is an error or a warning, else 0. Raises SpecError if the file is not valid.
    """
    loaded = load_with_marks(spec)
    found = find(loaded.system, loaded.document)
    for finding in found:
        if finding.severity != "notice" or console.verbose():
            console.out(_line(finding))
    console.say(_summary(loaded.system, found))
    return 1 if any(finding.severity != "notice" for finding in found) else 0


def _line(finding: Finding) -> str:
    """`file:line:column: severity: key: message [code] (remedy)`, as editors and CI read it."""
    place = console.printable(f"{finding.file}:{finding.line}:{finding.column}")
    severity = console.paint(finding.severity, *_STYLES[finding.severity], stream=sys.stdout)
    remedy = f" ({finding.remedy})" if finding.remedy else ""
    text = console.printable(f"{finding.key}: {finding.message} [{finding.code}]{remedy}")
    return f"{place}: {severity}: {text}"


def _summary(system: System, found: list[Finding]) -> str:
    counts = Counter[str](finding.severity for finding in found)
    size = f"{_count(len(system.services), 'service')}, {_count(len(system.sagas), 'saga')}"
    told = [_count(counts[severity], severity) for severity in _STYLES if counts[severity]]
    hidden = " (--verbose shows them)" if counts["notice"] and not console.verbose() else ""
    return f"{system.system}: {size}; {', '.join(told) or 'nothing to complain about'}{hidden}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
