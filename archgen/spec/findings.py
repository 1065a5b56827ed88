"""What can be said against a system whose description is valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archgen.errors import Problem, SpecError
from archgen.proof.prove import proof_findings, prove
from archgen.proof.verdict import Proof
from archgen.spec.agents import agent_findings
from archgen.spec.analysis import Analysis, analyse
from archgen.spec.auth_findings import auth_findings
from archgen.spec.document import Document, Path, dotted
from archgen.spec.flow import flow_findings
from archgen.spec.judgement import Judgement, Severity
from archgen.spec.model import Broker, Language, System
from archgen.spec.saga_rules import saga_findings
from archgen.spec.unused import unused

__all__ = ["Finding", "Severity", "check", "require"]


@dataclass(frozen=True)
class Finding:
    """One thing to know about a description.

    `error`: what would be generated is wrong or can't be, so nothing is. `warning`: it works until
    something fails. `notice`: perhaps on purpose. `line` and `column` count from 1; 0 means that
    the description did not come from a file. `steps` is what has to happen for it to show, one line each.
    """

    code: str
    severity: Severity
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    remedy: str = ""
    steps: tuple[str, ...] = ()


def check(
    system: System,
    document: Document | None = None,
    analysis: Analysis | None = None,
    proofs: Iterable[Proof] | None = None,
) -> list[Finding]:
    """Everything found, in the order of the file if the document is given, else of the model.

    `analysis` and `proofs` are made unless they are given.
    """
    derived = analysis or analyse(system)
    tried = prove(system, derived) if proofs is None else proofs
    found = [_finding(each, document) for each in _judgements(system, derived, tried)]
    return sorted(found, key=lambda each: (each.line, each.column)) if document else found


def require(
    system: System, document: Document | None = None, analysis: Analysis | None = None
) -> list[Finding]:
    """The findings, none of which is an error: what has one can't be generated. Raises SpecError."""
    found = check(system, document, analysis)
    errors = [each for each in found if each.severity == "error"]
    if errors:
        raise SpecError(*map(_problem, errors))
    return found


def _problem(finding: Finding) -> Problem:
    return Problem(
        finding.message,
        finding.file,
        finding.line,
        finding.column,
        finding.key,
        finding.remedy,
        finding.code,
        finding.steps,
    )


def _judgements(system: System, analysis: Analysis, proofs: Iterable[Proof]) -> Iterator[Judgement]:
    yield from _not_available(system)
    yield from flow_findings(system, analysis)
    yield from saga_findings(system, analysis)
    yield from proof_findings(proofs)
    yield from unused(system, analysis)
    yield from agent_findings(system)
    yield from auth_findings(system, analysis)


def _not_available(system: System) -> Iterator[Judgement]:
    if system.broker is not Broker.NATS:
        yield _later(f"the broker `{system.broker}`", ("broker",), "use `nats` for now")
    for name, service in system.services.items():
        if service.language is not Language.PYTHON:
            path = ("services", name, "language")
            yield _later(f"the language `{service.language}`", path, "use `python` for now")


def _later(what: str, path: Path, remedy: str) -> Judgement:
    return Judgement("not-available", "error", f"{what} is not available in this version", path, remedy)


def _finding(judgement: Judgement, document: Document | None) -> Finding:
    line, column = document.place(judgement.path, key=judgement.key) if document else (0, 0)
    return Finding(
        code=judgement.code,
        severity=judgement.severity,
        message=judgement.message,
        file=document.name if document else "",
        line=line,
        column=column,
        key=dotted(judgement.path),
        remedy=judgement.remedy,
        steps=judgement.steps,
    )
