"""The audit as JSON, for other programs; `audit.schema.json` beside this file is its published schema."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from archgen.checklist import Audit, ItemResult
from archgen.rules.marks import Suppression
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
        "score_without_suppressions": audit.counted_score,
        "coverage": audit.coverage,
        "judged": audit.judged,
        "applicable": audit.applicable,
        "files": audit.files,
        "changed_since": audit.since or None,
        "baseline": _baseline(audit) if audit.baseline else None,
        "services": [
            {"name": s.name, "folder": s.folder, "file": s.file, "line": s.line} for s in audit.services
        ],
        "edges": [
            {"from": e.source, "to": e.target, "kind": e.kind, "what": e.what, "file": e.file, "line": e.line}
            for e in audit.edges
        ],
        "items": [_item(item) for item in audit.items],
        "suppressions": [_suppression(one) | {"state": one.state.value} for one in audit.suppressions],
        "not_read": [{"file": note.file, "message": note.message} for note in audit.notes],
    }


def _baseline(audit: Audit) -> dict[str, Any]:
    """How the audit compares with the baseline; `fixed` may leave the file."""
    return {
        "file": audit.baseline,
        "new": sum(not finding.known for finding in audit.findings),
        "known": sum(finding.known for finding in audit.findings),
        "fixed": [
            {"rule": mark.rule, "file": mark.file, "in": mark.owner, "text": mark.text}
            for mark in audit.fixed
        ],
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
        "verdict_without_suppressions": (item.counted or item.verdict).value,
        "accepted": _suppression(item.accepted) if item.accepted else None,
        "known": item.known,
        "reason": item.reason,
        "findings": [_finding(f) for f in item.findings],
        "suppressed": [_finding(f) for f in item.suppressed],
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
        "fingerprint": finding.fingerprint,
        "decides": finding.decides,
        "known": finding.known,
        "changed": finding.changed,
        "suppression": _suppression(finding.suppressed) if finding.suppressed else None,
    }


def _suppression(one: Suppression) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "reason": one.reason,
        "until": str(one.until or ""),
        "file": one.file,
        "line": one.line,
        "problem": one.problem,
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "rule": evidence.rule,
        "file": evidence.file,
        "line": evidence.line,
        "strength": str(evidence.strength),
        "what": evidence.what,
    }
