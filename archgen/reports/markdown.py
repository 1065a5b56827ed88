"""The audit as Markdown, for a pull request or a wiki."""

from __future__ import annotations

from archgen.checklist import Audit
from archgen.reports.table import headline, summary


def render(audit: Audit) -> str:
    """A page with a table of the items and a section for each that has something to show."""
    lines = [f"# Audit of {_safe(audit.project)}", "", f"{headline(audit)}. {summary(audit)}", ""]
    lines += ["| item | verdict | reason |", "|---|---|---|"]
    lines += [f"| {item.title} | {item.verdict.value} | {_safe(item.reason)} |" for item in audit.items]
    for item in audit.items:
        if not item.findings and not item.evidence:
            continue
        lines += ["", f"## {item.title}: {item.verdict.value}", ""]
        lines += [
            f"- **{f.rule}** ({f.severity}) `{_code(f.file, f.line)}`: {_safe(f.message)}. {_safe(f.remedy)}"
            for f in item.findings
        ]
        lines += [
            f"- seen ({e.strength}) `{_code(e.file, e.line)}`: {_safe(e.what)}" for e in item.evidence[:10]
        ]
    if audit.notes:
        lines += ["", "## Not read", ""]
        lines += [f"- `{_code(note.file, 0)}`: {_safe(note.message)}" for note in audit.notes]
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    """Text that cannot break out of a table cell or become markup."""
    for char in "\\`*_[]<>|":
        text = text.replace(char, "\\" + char)
    return " ".join(text.split())


def _code(file: str, line: int) -> str:
    place = file.replace("`", "'").replace("\n", " ").replace("|", "\\|")
    return f"{place}:{line}" if line else place
