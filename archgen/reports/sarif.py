"""The findings as SARIF 2.1.0, which code hosts show beside the lines."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from archgen import __version__
from archgen.checklist import Audit
from archgen.rules.model import Finding, Severity
from archgen.rules.registry import RULES

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render(audit: Audit) -> str:
    """One run with a result per finding; rules without a finding are left out."""
    findings = [f for item in audit.items for f in item.findings]
    known = {rule.id: rule for rule in RULES}
    used = sorted({f.rule for f in findings})
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "archgen",
                        "version": __version__,
                        "rules": [
                            {
                                "id": rule,
                                "shortDescription": {"text": known[rule].title},
                                "fullDescription": {"text": known[rule].why},
                                "help": {"text": known[rule].remedy},
                                "defaultConfiguration": {"level": _LEVELS[known[rule].severity]},
                            }
                            for rule in used
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, used.index(finding.rule)) for finding in findings],
            }
        ],
    }
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file), "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.remedy}"},
        "locations": [{"physicalLocation": place}],
        # without the line: code that moves keeps its finding
        "partialFingerprints": {
            "archgen/v1": hashlib.sha256(
                f"{finding.rule}|{finding.file}|{_plain(finding.message)}".encode()
            ).hexdigest()[:32]
        },
    }


def _plain(message: str) -> str:
    return "".join(char for char in message if not char.isdigit())
