"""The audit for people: a verdict, a reason and the places behind it, readable at 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from archgen.checklist import Audit, ItemResult
from archgen.console import printable
from archgen.reports.wording import compared, headline, leading, standing, summary
from archgen.rules.model import Finding, Severity, Verdict

_LOOKS = {
    Verdict.PASS: ("pass", "bold green"),
    Verdict.PARTIAL: ("partial", "bold yellow"),
    Verdict.FAIL: ("fail", "bold red"),
    Verdict.NOT_APPLICABLE: ("n/a", "dim"),
    Verdict.UNKNOWN: ("unknown", "magenta"),
    Verdict.ERROR: ("error", "bold white on red"),
}
_SEVERITY = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_PLACES = 2
_FINDINGS = 5


def show(audit: Audit, console: Console) -> None:
    """Print the audit; colours and width are the console's own affair."""
    console.print(
        Text.assemble(("Audit of ", "bold"), (printable(audit.project), "bold cyan"), f", {headline(audit)}")
    )
    console.print()
    for item in audit.items:
        _show_item(item, console)
    if audit.idle:
        console.print(Text("Suppressions that hide nothing:", style="bold"))
        for one in audit.idle:
            _entry(console, one.state.value, "yellow", one.file, one.line, one.told())
        console.print()
    if audit.fixed:
        console.print(Text(f"Fixed since the baseline ({len(audit.fixed)}):", style="bold"))
        for mark in audit.fixed[:_FINDINGS]:
            _line(console, f"{mark.rule} {mark.file}: {mark.text}", "dim")
        if len(audit.fixed) > _FINDINGS:
            _line(console, f"and {len(audit.fixed) - _FINDINGS} more, see --format json", "dim")
        console.print()
    if audit.notes:
        console.print(Text(f"Not read ({len(audit.notes)}):", style="bold"))
        for note in audit.notes[:5]:
            _line(console, f"{note.file}: {note.message}", "dim")
        if len(audit.notes) > 5:
            _line(console, f"and {len(audit.notes) - 5} more, see --format json", "dim")
        console.print()
    if said := compared(audit):
        console.print(Text(printable(said), style="bold"))
    console.print(Text(summary(audit), style="bold"))


def _show_item(item: ItemResult, console: Console) -> None:
    word, style = _LOOKS[item.verdict]
    console.print(Text.assemble((f"{word:<8}", style), (item.title, "bold")))
    _line(console, item.reason)
    if item.counted not in (None, item.verdict):
        _line(console, f"{_LOOKS[item.counted or item.verdict][0]} if suppressed findings counted", "yellow")
    if item.accepted is not None:
        _line(console, f"accepted until {item.accepted.until}: {item.accepted.reason}", "yellow")
    told, more = leading(item.findings, _FINDINGS)
    for finding in told:
        _finding(console, finding, _SEVERITY[finding.severity])
    if more:
        _line(console, f"and {more}", "dim")
    for finding in item.suppressed[:_FINDINGS]:
        _finding(console, finding, "dim")
    if item.verdict is not Verdict.NOT_APPLICABLE:
        first = {evidence.rule: evidence for evidence in reversed(item.evidence)}
        shown = [evidence for evidence in item.evidence if first[evidence.rule] is evidence]
        for evidence in shown[:_PLACES]:
            _entry(console, "seen", "green", evidence.file, evidence.line, evidence.what)
    console.print()


def _finding(console: Console, finding: Finding, style: str) -> None:
    _entry(console, finding.rule, style, finding.file, finding.line, finding.message)
    if note := standing(finding):
        console.print(Padding(Text(printable(note), style="dim italic"), (0, 0, 0, 10), expand=False))


def _entry(console: Console, word: str, style: str, file: str, line: int, what: str) -> None:
    """A place on a line of its own, so that it can be clicked, and below it what is there."""
    place = Text.assemble((f"{word} ", style), (_place(file, line), "cyan"))
    console.print(Padding(place, (0, 0, 0, 8), expand=False))
    console.print(Padding(Text(printable(what)), (0, 0, 0, 10), expand=False))


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(Text(printable(text), style=style), (0, 0, 0, 8), expand=False))


def _place(file: str, line: int) -> str:
    return f"{printable(file)}:{line}" if line else printable(file)
