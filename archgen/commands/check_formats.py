"""What `check` found, for other programs: JSON of its own, and SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

from archgen import __version__
from archgen.proof.verdict import Proof
from archgen.spec.findings import Finding

SCHEMA = "archgen-check/1"
_LEVELS = {"error": "error", "warning": "warning", "notice": "note"}


@dataclass(frozen=True)
class Checked:
    """A description and what was found; without proofs, and with a name only, if it is not valid."""

    file: str
    system: str
    findings: list[Finding]
    proofs: list[Proof] = field(default_factory=list)
    services: int = 0
    sagas: int = 0


def as_json(checked: Checked) -> str:
    """One JSON document. `steps` of a finding is the shortest run that leads to it."""
    document = {
        "schema": SCHEMA,
        "file": checked.file,
        "system": checked.system,
        "valid": bool(checked.system),
        "services": checked.services,
        "findings": [asdict(finding) for finding in checked.findings],
        "sagas": [
            {
                "name": proof.saga,
                "style": proof.style,
                "verdict": proof.verdict,
                "states": proof.states,
                "moves": proof.moves,
                "seconds": round(proof.seconds, 3),
            }
            for proof in checked.proofs
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_sarif(checked: Checked) -> str:
    """A run with a result per finding, which code hosts show beside the lines."""
    rules = sorted({finding.code for finding in checked.findings})
    driver = {
        "name": "archgen architect check",
        "version": __version__,
        "rules": [{"id": id} for id in rules],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, rules.index(finding.code)) for finding in checked.findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file), "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        place["region"] = {"startLine": finding.line, "startColumn": max(1, finding.column)}
    steps = [f"{number}. {step}" for number, step in enumerate(finding.steps, 1)]
    remedy = [f"Remedy: {finding.remedy}"] if finding.remedy else []
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n".join([f"{finding.key}: {finding.message}", *steps, *remedy])},
        "locations": [{"physicalLocation": place}],
    }


FORMATS: Mapping[str, Callable[[Checked], str]] = {"json": as_json, "sarif": as_sarif}
