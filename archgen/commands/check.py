"""`archgen architect check`: validates, analyses and proves a description, writes nothing."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from archgen import console
from archgen.commands.check_formats import FORMATS, Checked
from archgen.errors import ArchgenError, Problem, SpecError, relative
from archgen.proof.prove import prove
from archgen.proof.verdict import Proof
from archgen.spec import load_with_marks
from archgen.spec.analysis import analyse
from archgen.spec.findings import Finding
from archgen.spec.findings import check as find

_STYLES = {"error": ("red", "bold"), "warning": ("yellow",), "notice": ("dim",)}


def check(spec: Path, format: str = "text") -> int:
    """Prints what there is to say about the description, on stdout.

    As text, that is a line per finding, with the run that leads to it below; notices are counted, and
    printed with --verbose, which also tells what was tried of each saga. Other formats hold everything,
    and what makes the file invalid as well.

    Returns 1 if there is an error or a warning, else 0. If the file is not valid, raises SpecError, or
    returns 2 in other formats than text.
    """
    if format not in ("text", *FORMATS):
        raise ArchgenError(
            Problem(f"unknown format {format!r}", remedy=f"use one of text, {', '.join(FORMATS)}")
        )
    try:
        checked = _checked(spec)
    except SpecError as error:
        if format == "text":
            raise
        console.out(FORMATS[format](Checked(relative(spec), "", [_invalid(each) for each in error.problems])))
        return error.exit_code
    if format == "text":
        _tell(checked)
    else:
        console.out(FORMATS[format](checked))
    for proof in checked.proofs:
        console.detail(_proof(proof))
    console.say(_summary(checked))
    return 1 if any(finding.severity != "notice" for finding in checked.findings) else 0


def _checked(spec: Path) -> Checked:
    system, document = load_with_marks(spec)
    analysis = analyse(system)
    proofs = list(prove(system, analysis))
    findings = find(system, document, analysis, proofs)
    return Checked(document.name, system.system, findings, proofs, len(system.services), len(system.sagas))


def _invalid(problem: Problem) -> Finding:
    return Finding(
        problem.code,
        "error",
        problem.message,
        problem.file,
        problem.line,
        problem.column,
        problem.key,
        problem.remedy,
    )


def _tell(checked: Checked) -> None:
    for finding in checked.findings:
        if finding.severity != "notice" or console.verbose():
            console.out("\n".join([_line(finding), *console.numbered(finding.steps)]))


def _line(finding: Finding) -> str:
    """`file:line:column: severity: key: message [code] (remedy)`, as editors and CI read it."""
    place = console.printable(f"{finding.file}:{finding.line}:{finding.column}")
    severity = console.paint(finding.severity, *_STYLES[finding.severity], stream=sys.stdout)
    remedy = f" ({finding.remedy})" if finding.remedy else ""
    text = console.printable(f"{finding.key}: {finding.message} [{finding.code}]{remedy}")
    return f"{place}: {severity}: {text}"


def _proof(proof: Proof) -> str:
    tried = f"{_count(proof.states, 'state')}, {_count(proof.moves, 'move')}, {proof.seconds:.2f} s"
    more = "" if proof.complete else "; there is more than was tried"
    return f"saga {proof.saga} ({proof.style}): {proof.verdict}; {tried}{more}"


def _summary(checked: Checked) -> str:
    counts = Counter[str](finding.severity for finding in checked.findings)
    size = f"{_count(checked.services, 'service')}, {_sagas(checked)}"
    told = [_count(counts[severity], severity) for severity in _STYLES if counts[severity]]
    hidden = " (--verbose shows them)" if counts["notice"] and not console.verbose() else ""
    return f"{checked.system}: {size}; {', '.join(told) or 'nothing to complain about'}{hidden}"


def _sagas(checked: Checked) -> str:
    proved = sum(proof.verdict == "proved" for proof in checked.proofs)
    told = _count(checked.sagas, "saga")
    if not checked.sagas:
        return told
    if proved == checked.sagas:
        return f"{told} proved"
    return f"{told}, {proved or 'none'} proved"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
