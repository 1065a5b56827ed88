"""Compares the audit's verdicts with verdicts that a person read out of the same code.

    python benchmarks/audit_truth.py TRUTH.yaml owner/name=CHECKOUT [owner/name=CHECKOUT ...]

TRUTH.yaml holds `verdicts` (repo, item, verdict: yes, partial, no or na) and `defects` (rule, repo, at:
path:line or path:first-last). Each checkout must be at the commit that the truth was read from. Prints
Markdown; exits 1 on a miss.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from archgen.checklist import Audit, audit

_SAME = {"yes": "pass", "partial": "partial", "no": "fail", "na": "not_applicable"}


def main(arguments: list[str]) -> int:
    truth = yaml.safe_load(Path(arguments[0]).read_text(encoding="utf-8"))
    places = dict(argument.split("=", 1) for argument in arguments[1:])
    audits: dict[str, Audit] = {}
    print("| repository | files | seconds | files/s |\n|---|---|---|---|")
    for repo, place in places.items():
        start = time.perf_counter()
        audits[repo] = audit(Path(place))
        took = time.perf_counter() - start
        print(f"| {repo} | {audits[repo].files} | {took:.2f} | {audits[repo].files / took:.0f} |")
    missed = _verdicts(truth, audits) + _defects(truth, audits)
    return 1 if missed else 0


def _verdicts(truth: dict[str, Any], audits: dict[str, Audit]) -> int:
    print("\n| repository | item | read | audit | reason given |\n|---|---|---|---|---|")
    right = missed = 0
    for one in truth["verdicts"]:
        if one["repo"] not in audits:
            continue
        found = next(item for item in audits[one["repo"]].items if item.id == one["item"])
        expected = _SAME[one["verdict"]]
        if found.verdict.value == expected:
            right += 1
        else:
            missed += 1
            print(f"| {one['repo']} | {one['item']} | {expected} | {found.verdict.value} | {found.reason} |")
    print(f"\nExact verdicts: {right} of {right + missed}.")
    return missed


def _defects(truth: dict[str, Any], audits: dict[str, Audit]) -> int:
    known = [d for d in truth["defects"] if d["repo"] in audits]
    missed = []
    for one in known:
        path, first, last = _place(one["at"])
        found = any(
            f.rule == one["rule"] and f.file == path and first <= f.line <= last
            for item in audits[one["repo"]].items
            for f in item.findings
        )
        if not found:
            missed.append(f"{one['rule']} {one['repo']} {one['at']}: {one['what']}")
    print(f"\nKnown defects found at their place: {len(known) - len(missed)} of {len(known)}.")
    for line in missed:
        print(f"- missed {line}")
    return len(missed)


def _place(at: str) -> tuple[str, int, int]:
    match = re.fullmatch(r"(.+):(\d+)(?:-(\d+))?", at)
    if match is None:
        return at, 0, 10**9
    first = int(match[2])
    # a reader points at a statement and the audit at one of its lines
    return match[1], first - 2, int(match[3] or first) + 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
