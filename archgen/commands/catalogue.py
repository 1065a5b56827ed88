"""`archgen checklist list` and `explain`: what is looked for, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

from archgen.errors import ArchgenError, Problem
from archgen.rules.model import Rule
from archgen.rules.registry import ITEMS, RULES


def rules_with(folders: Sequence[Path]) -> tuple[Rule, ...]:
    """All rules, those of a team in `folders` included. Raises ArchgenError for one that is not sound."""
    if not folders:
        return RULES
    from archgen.rules.team import load

    return (*RULES, *load(folders))


def list_rules(folders: Sequence[Path] = (), out: TextIO | None = None) -> int:
    """Print the ten items with their rules, those in `folders` included."""
    out = out or sys.stdout
    rules = rules_with(folders)
    for item in ITEMS:
        out.write(f"{item.id}\n")
        for rule in (r for r in rules if r.item == item.id):
            kind = "evidence" if rule.kind == "evidence" else str(rule.severity)
            out.write(f"  {rule.id}  {kind:<8}  {rule.title} ({', '.join(rule.languages)})\n")
    return 0


def explain(rule: str, folders: Sequence[Path] = (), out: TextIO | None = None) -> int:
    """Print why a rule exists, how to mend what it finds, and a sample; of an item, all its rules.

    Raises ArchgenError for an id that is neither.
    """
    out = out or sys.stdout
    rules = rules_with(folders)
    chosen = [one for one in rules if rule.upper() == one.id or rule.lower() == one.item]
    if not chosen:
        known = [*(one.id for one in rules), *(item.id for item in ITEMS)]
        near = get_close_matches(rule.upper(), known, n=1) or get_close_matches(rule.lower(), known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "`archgen checklist list` shows all rules"
        raise ArchgenError(Problem(f"there is no rule or item {rule!r}", remedy=remedy))
    out.write("\n\n".join(_page(one) for one in chosen))
    return 0


def schema(out: TextIO | None = None) -> int:
    """Print the JSON Schema of the JSON report."""
    from archgen.reports.json import schema as of_report

    (out or sys.stdout).write(json.dumps(of_report(), indent=2) + "\n")
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
    for sample in (rule.valid if rule.kind == "evidence" else rule.invalid)[:1]:
        lines += ["", f"Found, for example, in this {sample.language}:"]
        for path, text in sample.files.items():
            if "<-" in text:
                lines += [f"  {path}", *(f"    {line}".rstrip() for line in text.rstrip().split("\n"))]
    return "\n".join(lines) + "\n"
