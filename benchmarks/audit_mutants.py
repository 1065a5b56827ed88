"""Breaks one pattern of a generated project at a time and looks at what the audit says then.

    python benchmarks/audit_mutants.py PROJECT

PROJECT is what `archgen architect run` wrote; it is copied, never changed. A mutation that finds nothing to
change is reported as such: the chassis has moved on and the table below has to follow. Prints Markdown;
exits 1 on a miss.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archgen.checklist import ItemResult, audit

_CHASSIS = "chassis/python/src/chassis/"
_SKIPPED = shutil.ignore_patterns(".venv", ".mypy_cache", ".ruff_cache", "__pycache__", "data", "logs")


@dataclass(frozen=True)
class Mutant:
    """`change` turns the text of the files that match `files`; `item` must then be worse or show `rule`."""

    name: str
    files: str
    change: Callable[[str], str]
    item: str
    rule: str = ""


def _swap(pattern: str, replacement: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, replacement, text)


_SAGA = "services/*/src/*/sagas/*.py"
MUTANTS = (
    Mutant("no step has an undo", _SAGA, _swap(r", undo=[\w.]+", ""), "saga"),
    Mutant(
        "the first undo is gone", _SAGA, lambda t: re.sub(r", undo=[\w.]+", "", t, count=1), "saga", "SAG-002"
    ),
    Mutant(
        "undone in forward order",
        _CHASSIS + "saga/state.py",
        _swap(r"in reversed\((.*)\):", r"in \1:"),
        "saga",
        "SAG-003",
    ),
    Mutant(
        "undone whether it ran or not",
        _CHASSIS + "saga/state.py",
        _swap(r"(if saga\.steps\[index\]\.undo) and .*:", r"\1:"),
        "saga",
        "SAG-004",
    ),
    Mutant(
        "no breaker",
        _CHASSIS + "http_client.py",
        _swap(r"with self\.breaker\.guard\(\):", "if True:"),
        "circuit_breaker",
    ),
    Mutant(
        "no time limit",
        _CHASSIS + "http_client.py",
        _swap(r"timeout=self\.policy\.timeout", "timeout=None"),
        "circuit_breaker",
        "RES-001",
    ),
    Mutant(
        "nothing relays the outbox",
        _CHASSIS + "relay.py",
        _swap(r"self\._bus\.publish\(", "self._skip("),
        "data_consistency",
    ),
    Mutant(
        "the outbox is not written",
        _CHASSIS + "outbox.py",
        _swap(r"self\._conn\.execute\(insert\(outbox\), rows\)", "pass"),
        "data_consistency",
    ),
    Mutant(
        "repeats are not noticed",
        _CHASSIS + "inbox.py",
        _swap(r"\.on_conflict_do_nothing\(\)", ""),
        "data_consistency",
    ),
    Mutant(
        "dead letters are dropped",
        _CHASSIS + "inbox.py",
        _swap(r"conn\.execute\(insert\(dead_letters\), \[letter\]\)", "pass"),
        "job_queues",
        "JOB-001",
    ),
    Mutant(
        "a publish beside a write",
        "services/payments/src/*/commands/charge.py",
        lambda t: (
            t + "\n\nasync def tell(session, js):\n    session.add(1)\n    await js.publish('x', b'')\n"
        ),
        "data_consistency",
        "DTC-001",
    ),
    Mutant(
        "events switched off",
        "services/*/src/*/generated/aggregates.py",
        _swap("event_sourced=True", "event_sourced=False"),
        "event_sourcing",
    ),
    Mutant(
        "no expected version",
        _CHASSIS + "tables.py",
        _swap(r'    UniqueConstraint\("kind", "stream", "version".*\n', ""),
        "event_sourcing",
        "EVS-002",
    ),
    Mutant(
        "metrics cannot be fetched",
        _CHASSIS + "metrics.py",
        _swap(r"generate_latest\(", "nothing("),
        "observability",
        "OBS-001",
    ),
    Mutant(
        "errors are not mapped",
        _CHASSIS + "problem.py",
        _swap("add_exception_handler", "nothing"),
        "error_handling",
    ),
    Mutant(
        "nothing is tried again", _CHASSIS + "retry.py", _swap("while True:", "if True:"), "error_handling"
    ),
    Mutant(
        "tried again at once",
        _CHASSIS + "retry.py",
        _swap(r"await asyncio\.sleep\(wait\)", "pass"),
        "error_handling",
    ),
)
# What changes no behaviour must change no verdict.
SAME = (
    Mutant("a private name is changed", _CHASSIS + "breaker.py", _swap(r"\b_failures\b", "_bad"), ""),
    Mutant("comments are dropped", _CHASSIS + "*.py", _swap(r"(?m)^\s*# .*\n", ""), ""),
    Mutant("blank lines are added", "services/*/src/*/commands/*.py", _swap(r"\n", "\n\n"), ""),
)
_ORDER = ("pass", "partial", "fail", "unknown", "error")


def main(arguments: list[str]) -> int:
    project = Path(arguments[0])
    before = {item.id: item for item in audit(project).items}
    print("| mutation | item | before | after | rules that are new | other items that changed |")
    print("|---|---|---|---|---|---|")
    missed = 0
    for mutant in (*MUTANTS, *SAME):
        after = _mutated(project, mutant)
        if after is None:
            print(f"| {mutant.name} | {mutant.item} | | nothing to change | | |")
            continue
        changed = [id for id in before if _verdict(before[id]) != _verdict(after[id])]
        others = [id for id in changed if id != mutant.item]
        if mutant.item:
            one, two = before[mutant.item], after[mutant.item]
            new = sorted({f.rule for f in two.findings} - {f.rule for f in one.findings})
            worse = _ORDER.index(two.verdict.value) > _ORDER.index(one.verdict.value)
            found = mutant.rule in new if mutant.rule else worse
            row = f"{one.verdict.value} | {two.verdict.value} | {' '.join(new)}"
        else:
            found, row = not changed, " | | "
        missed += not found
        print(
            f"| {mutant.name}{'' if found else ' **missed**'} | {mutant.item} | {row} | {' '.join(others)} |"
        )
    return 1 if missed else 0


def _verdict(item: ItemResult) -> tuple[str, frozenset[str]]:
    return item.verdict.value, frozenset(f.rule for f in item.findings)


def _mutated(project: Path, mutant: Mutant) -> dict[str, ItemResult] | None:
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / project.name
        shutil.copytree(project, copy, ignore=_SKIPPED)
        touched = False
        for path in copy.glob(mutant.files):
            text = path.read_text(encoding="utf-8")
            changed = mutant.change(text)
            touched |= changed != text
            path.write_text(changed, encoding="utf-8")
        return {item.id: item for item in audit(copy).items} if touched else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
