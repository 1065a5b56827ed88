"""The audit as JSON, for other programs; `audit.schema.json` beside this file is its published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from archgen.checklist import Audit, ItemResult
from archgen.rules.model import Evidence, Finding

SCHEMA = "archgen-audit/1"


def render(audit: Audit) -> str:
    """One JSON document with a newline at its end."""
    return json.dumps(document(audit), indent=2, ensure_ascii=False) + "\n"


def document(audit: Audit) -> dict[str, Any]:
    """The document as plain values. `line` is 0 where the place is the project as a whole."""
    return {
        "schema": SCHEMA,
        "project": audit.project,
        "score": audit.score,
        "coverage": audit.coverage,
        "judged": audit.judged,
        "applicable": audit.applicable,
        "files": audit.files,
        "services": [
            {"name": s.name, "folder": s.folder, "file": s.file, "line": s.line} for s in audit.services
        ],
        "items": [_item(item) for item in audit.items],
        "not_read": [{"file": note.file, "message": note.message} for note in audit.notes],
    }


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    text = files("archgen.reports").joinpath("audit.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _item(item: ItemResult) -> dict[str, Any]:
    return {
        "id": item.id,
        "title": item.title,
        "verdict": item.verdict.value,
        "reason": item.reason,
        "findings": [_finding(f) for f in item.findings],
        "evidence": [_evidence(e) for e in item.evidence],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "file": finding.file,
        "line": finding.line,
        "message": finding.message,
        "remedy": finding.remedy,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "rule": evidence.rule,
        "file": evidence.file,
        "line": evidence.line,
        "strength": str(evidence.strength),
        "what": evidence.what,
    }
