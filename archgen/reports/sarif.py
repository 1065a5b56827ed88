"""The findings as SARIF 2.1.0, which code hosts show beside the lines."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from archgen import __version__
from archgen.checklist import Audit, ItemResult
from archgen.rules.marks import State, Suppression
from archgen.rules.model import Finding, Severity, Verdict

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(audit: Audit) -> str:
    """One run: a result per finding, suppressed ones included, and what went wrong as notifications."""
    findings = [*audit.findings, *audit.suppressed]
    known = {rule.id: rule for rule in audit.rules}
    used = sorted({f.rule for f in findings if f.rule in known})
    crashed = [item for item in audit.items if item.verdict is Verdict.ERROR]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "archgen",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": rule,
                                "name": known[rule].title,
                                "shortDescription": {"text": known[rule].title},
                                "fullDescription": {"text": known[rule].why},
                                "help": {"text": known[rule].remedy},
                                "defaultConfiguration": {"level": _LEVELS[known[rule].severity]},
                                "properties": {"tags": [known[rule].item]},
                            }
                            for rule in used
                        ],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": not crashed,
                        "toolExecutionNotifications": [
                            *map(_crash, crashed),
                            *map(_notification, audit.idle),
                            *(
                                {"level": "note", "message": {"text": f"{n.file}: {n.message}"}}
                                for n in audit.notes
                            ),
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, used, audit) for finding in findings],
                "properties": {
                    "score": audit.score,
                    "coverage": audit.coverage,
                    "verdicts": {item.id: item.verdict.value for item in audit.items},
                },
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _crash(item: ItemResult) -> dict[str, Any]:
    return {"level": "error", "message": {"text": f"{item.title} could not be judged: {item.reason}"}}


def _notification(one: Suppression) -> dict[str, Any]:
    return {
        "level": "note" if one.state is State.UNUSED else "warning",
        "message": {"text": one.told()},
        "locations": [{"physicalLocation": _place(one.file, one.line)}],
    }


def _place(file: str, line: int) -> dict[str, Any]:
    place: dict[str, Any] = {
        "artifactLocation": {"uri": quote(file, errors="replace"), "uriBaseId": "%SRCROOT%"}
    }
    if line:
        place["region"] = {"startLine": line}
    return place


def _result(finding: Finding, used: list[str], audit: Audit) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.remedy}"},
        "locations": [{"physicalLocation": _place(finding.file, finding.line)}],
        "partialFingerprints": {"archgen/v1": finding.fingerprint},
    }
    if finding.rule in used:
        result["ruleIndex"] = used.index(finding.rule)
    if audit.baseline:
        result["baselineState"] = "unchanged" if finding.known else "new"
    if finding.suppressed is not None:
        one = finding.suppressed
        result["suppressions"] = [
            {
                "kind": "inSource" if one.covered else "external",
                "status": "accepted",
                "justification": f"{one.reason} (until {one.until})",
                "location": {"physicalLocation": _place(one.file, one.line)},
            }
        ]
    return result
