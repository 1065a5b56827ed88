"""The audit as Markdown, for a pull request or a wiki."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.checklist import Audit, ItemResult
from archgen.console import printable
from archgen.reports.wording import compared, headline, standing, summary
from archgen.rules.model import Finding

_EVIDENCE = 10


def render(audit: Audit) -> str:
    """A page with a table of the items and a section for each that has something to show."""
    lines = [f"# Audit of {_safe(audit.project)}", "", f"{headline(audit)}. {_safe(summary(audit))}", ""]
    if said := compared(audit):
        lines += [_safe(said), ""]
    lines += ["| item | verdict | reason |", "|---|---|---|"]
    lines += [f"| {item.title} | {_verdict(item)} | {_safe(item.reason)} |" for item in audit.items]
    for item in audit.items:
        lines += _item(item)
    if audit.idle:
        lines += ["", "## Suppressions that hide nothing", ""]
        lines += [f"- `{_code(one.file, one.line)}`: {_safe(one.told())}" for one in audit.idle]
    if audit.fixed:
        lines += ["", "## Fixed since the baseline", ""]
        lines += [f"- **{m.rule}** `{_code(m.file, 0)}`: `{_code(m.text, 0)}`" for m in audit.fixed]
    if audit.notes:
        lines += ["", "## Not read", ""]
        lines += [f"- `{_code(note.file, 0)}`: {_safe(note.message)}" for note in audit.notes]
    return "\n".join(lines) + "\n"


def _item(item: ItemResult) -> Iterator[str]:
    if not item.findings and not item.evidence and not item.suppressed:
        return
    yield from ("", f"## {item.title}: {_verdict(item)}", "")
    for finding in (*item.findings, *item.suppressed):
        yield _finding(finding)
    for seen in item.evidence[:_EVIDENCE]:
        yield f"- seen ({seen.strength}) `{_code(seen.file, seen.line)}`: {_safe(seen.what)}"


def _verdict(item: ItemResult) -> str:
    more = ""
    if item.counted not in (None, item.verdict):
        more = f" ({item.counted.value} if suppressed findings counted)" if item.counted else ""
    if item.accepted is not None:
        more = f" (accepted until {item.accepted.until}: {_safe(item.accepted.reason)})"
    return f"{item.verdict.value}{more}"


def _finding(finding: Finding) -> str:
    note = standing(finding)
    said = f" *{_safe(note)}*" if note else ""
    return (
        f"- **{finding.rule}** ({finding.severity}) `{_code(finding.file, finding.line)}`: "
        f"{_safe(finding.message)}. {_safe(finding.remedy)}{said}"
    )


def _safe(text: str) -> str:
    """Text that cannot break out of a table cell or become markup."""
    text = printable(text)
    for char in "\\`*_[]<>|&@#":
        text = text.replace(char, "\\" + char)
    return " ".join(text.split())


def _code(file: str, line: int) -> str:
    place = printable(file).replace("`", "'").replace("\n", " ").replace("|", "\\|")
    return f"{place}:{line}" if line else place
