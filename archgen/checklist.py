"""The ten-item checklist: facts in, verdicts with reasons and places out, and a score with its coverage."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts, Note, Service
from archgen.rules.model import Evidence, Finding, Item, Judgement, Rule, Seen, Severity, Verdict
from archgen.rules.registry import ITEMS, RULES

_WORTH = {Verdict.PASS: 1.0, Verdict.PARTIAL: 0.5, Verdict.FAIL: 0.0}
_SHOWN = 20


@dataclass(frozen=True)
class ItemResult:
    """What the audit says about one item. `evidence` is the strongest first, a few per rule."""

    id: str
    title: str
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True)
class Audit:
    """A project judged. `score` is 0 to 100 over the judged items, None when none could be judged.

    `coverage` is the share of the applicable items that could be judged, 0 to 1.
    """

    project: str
    items: tuple[ItemResult, ...]
    services: tuple[Service, ...]
    notes: tuple[Note, ...]
    files: int
    sources: int

    @property
    def score(self) -> float | None:
        judged = [item for item in self.items if item.verdict.judged]
        return round(100 * sum(_WORTH[item.verdict] for item in judged) / len(judged), 1) if judged else None

    @property
    def judged(self) -> int:
        return sum(item.verdict.judged for item in self.items)

    @property
    def applicable(self) -> int:
        return sum(item.verdict is not Verdict.NOT_APPLICABLE for item in self.items)

    @property
    def coverage(self) -> float:
        return round(self.judged / self.applicable, 3) if self.applicable else 0.0

    def worst(self) -> Severity | None:
        """The highest severity among the findings; a failed item counts as an error."""
        found = [f.severity for item in self.items for f in item.findings]
        if any(item.verdict is Verdict.FAIL for item in self.items):
            found.append(Severity.ERROR)
        return max(found, default=None)


def audit(path: Path) -> Audit:
    """Judge the project in the folder `path` as it is on disk.

    Raises ArchgenError when there is no folder that can be read.
    """
    facts = collect(path)
    return Audit(
        project=path.resolve().name,
        items=judge(facts),
        services=facts.services,
        notes=facts.notes,
        files=facts.files,
        sources=facts.sources,
    )


def judge(
    facts: Facts, rules: Iterable[Rule] = RULES, items: Iterable[Item] = ITEMS
) -> tuple[ItemResult, ...]:
    """Run the rules on the facts. A rule that crashes makes its own item an error and stops no other."""
    rules = tuple(rules)
    return tuple(_item(item, [rule for rule in rules if rule.item == item.id], facts) for item in items)


def _item(item: Item, rules: list[Rule], facts: Facts) -> ItemResult:
    findings: list[Finding] = []
    evidence: dict[str, tuple[Evidence, ...]] = {}
    crashed = [f"a recogniser crashed: {facts.crashed[item.id]}"] if item.id in facts.crashed else []
    for rule in rules:
        try:
            found = sorted(
                set(rule.check(facts)), key=lambda hit: (-hit.strength, hit.file, hit.line, hit.message)
            )
        except Exception as error:
            crashed.append(f"{rule.id} crashed: {_where(error)}")
            continue
        if rule.kind == "defect":
            findings += [
                Finding(rule.id, h.severity or rule.severity, h.file, h.line, h.message, rule.remedy)
                for h in found
            ]
        elif found:
            evidence[rule.id] = tuple(Evidence(rule.id, h.file, h.line, h.strength, h.message) for h in found)
    findings.sort(key=lambda f: (-f.severity, f.file, f.line, f.rule))
    judgement = (
        Judgement(Verdict.ERROR, "; ".join(crashed)) if crashed else _judge(item, facts, evidence, findings)
    )
    shown = tuple(e for found in evidence.values() for e in found[:_SHOWN])
    if not shown:
        shown = tuple(Evidence("", h.file, h.line, h.strength, h.message) for h in judgement.grounds)
    return ItemResult(item.id, item.title, judgement.verdict, judgement.reason, tuple(findings), shown)


def _judge(
    item: Item, facts: Facts, evidence: dict[str, tuple[Evidence, ...]], findings: list[Finding]
) -> Judgement:
    if facts.sources == 0:
        return Judgement(
            Verdict.UNKNOWN, "no source code in Python, TypeScript, JavaScript, Go or Java was found"
        )
    if not any(m.production for m in facts.program.modules.values()):
        return Judgement(Verdict.UNKNOWN, "only tests, examples or generated code were found")
    try:
        return item.judge(Seen(facts, evidence, tuple(findings)))
    except Exception as error:
        return Judgement(Verdict.ERROR, f"the judgement crashed: {_where(error)}")


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
