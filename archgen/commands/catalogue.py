"""`archgen checklist list` and `explain`: what is looked for, and why."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TextIO

from archgen.errors import ArchgenError, Problem
from archgen.rules.model import Rule
from archgen.rules.registry import ITEMS, RULES


def list_rules(out: TextIO | None = None) -> int:
    """Print the ten items with their rules."""
    out = out or sys.stdout
    for item in ITEMS:
        out.write(f"{item.id}\n")
        for rule in (r for r in RULES if r.item == item.id):
            kind = "evidence" if rule.kind == "evidence" else str(rule.severity)
            out.write(f"  {rule.id}  {kind:<8}  {rule.title} ({', '.join(rule.languages)})\n")
    return 0


def explain(rule: str, out: TextIO | None = None) -> int:
    """Print why the rule exists, how to mend what it finds, and a sample. Raises ArchgenError for an
    unknown rule.
    """
    out = out or sys.stdout
    known = {one.id: one for one in RULES}
    found = known.get(rule.upper())
    if found is None:
        near = get_close_matches(rule.upper(), known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "`archgen checklist list` shows all rules"
        raise ArchgenError(Problem(f"there is no rule {rule!r}", remedy=remedy))
    out.write(_page(found))
    return 0


def _page(rule: Rule) -> str:
    kind = "evidence: the pattern is there" if rule.kind == "evidence" else f"defect, {rule.severity}"
    lines = [
        f"{rule.id}  {rule.title}",
        f"{rule.item}, {kind}",
        "",
        f"Why     {rule.why}",
        f"Remedy  {rule.remedy}",
        f"Reads   {', '.join(rule.languages)}",
    ]
    title, samples = ("Found in", rule.valid) if rule.kind == "evidence" else ("Found in", rule.invalid)
    for sample in samples[:1]:
        lines += ["", f"{title} ({sample.language}):"]
        for path, text in sample.files.items():
            if "<-" in text:
                lines += [f"  {path}", *(f"    {line}" for line in text.rstrip().split("\n"))]
    return "\n".join(lines) + "\n"
