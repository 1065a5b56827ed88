"""The audit for people: a verdict, a reason and the places behind it, readable at 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from archgen.checklist import Audit, ItemResult
from archgen.console import printable
from archgen.rules.model import Severity, Verdict

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
    if audit.notes:
        console.print(Text(f"Not read ({len(audit.notes)}):", style="bold"))
        for note in audit.notes[:5]:
            _line(console, f"{note.file}: {note.message}", "dim")
        if len(audit.notes) > 5:
            _line(console, f"and {len(audit.notes) - 5} more, see --format json", "dim")
        console.print()
    console.print(Text(summary(audit), style="bold"))


def headline(audit: Audit) -> str:
    services = len(audit.services)
    return f"{audit.files} files, {services} service{'' if services == 1 else 's'}"


def summary(audit: Audit) -> str:
    """The score with its coverage, never one without the other."""
    if audit.score is None:
        return "No score: none of the ten items could be judged."
    count = sum(len(item.findings) for item in audit.items)
    findings = f"{count} finding{'' if count == 1 else 's'}"
    return (
        f"Score {audit.score:g} of 100 over {audit.judged} judged items "
        f"({audit.coverage:.0%} of the {audit.applicable} that apply), {findings}."
    )


def _show_item(item: ItemResult, console: Console) -> None:
    word, style = _LOOKS[item.verdict]
    console.print(Text.assemble((f"{word:<8}", style), (item.title, "bold")))
    _line(console, item.reason)
    for finding in item.findings[:_FINDINGS]:
        _entry(
            console, finding.rule, _SEVERITY[finding.severity], finding.file, finding.line, finding.message
        )
    if len(item.findings) > _FINDINGS:
        _line(console, f"and {len(item.findings) - _FINDINGS} more findings", "dim")
    if item.verdict is not Verdict.NOT_APPLICABLE:
        first = {evidence.rule: evidence for evidence in reversed(item.evidence)}
        shown = [evidence for evidence in item.evidence if first[evidence.rule] is evidence]
        for evidence in shown[:_PLACES]:
            _entry(console, "seen", "green", evidence.file, evidence.line, evidence.what)
    console.print()


def _entry(console: Console, word: str, style: str, file: str, line: int, what: str) -> None:
    """A place on a line of its own, so that it can be clicked, and below it what is there."""
    place = Text.assemble((f"{word} ", style), (_place(file, line), "cyan"))
    console.print(Padding(place, (0, 0, 0, 8), expand=False))
    console.print(Padding(Text(printable(what)), (0, 0, 0, 10), expand=False))


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(Text(printable(text), style=style), (0, 0, 0, 8), expand=False))


def _place(file: str, line: int) -> str:
    return f"{printable(file)}:{line}" if line else printable(file)
