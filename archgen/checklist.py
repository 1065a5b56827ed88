"""The ten-item checklist: facts in, verdicts with reasons and places out, and a score with its coverage."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from archgen.evidence.collect import collect, require
from archgen.evidence.edges import Edge, find_edges, speakers
from archgen.evidence.facts import Facts, Note, Service
from archgen.rules.marks import Mark, State, Suppression
from archgen.rules.model import Evidence, Finding, Item, Judgement, Rule, Seen, Severity, Verdict
from archgen.rules.registry import ITEMS, RULES
from archgen.rules.service_boundaries.bindings import engines
from archgen.triage.apply import Suppressions
from archgen.triage.baseline import Baseline, compare, load
from archgen.triage.changes import Changes
from archgen.triage.changes import since as changed_since
from archgen.triage.excerpts import Excerpt, excerpt
from archgen.triage.fingerprints import stamp
from archgen.triage.inline import read as read_inline
from archgen.triage.listed import read as read_listed
from archgen.triage.sources import Sources
from archgen.triage.terms import Terms

_WORTH = {Verdict.PASS: 1.0, Verdict.PARTIAL: 0.5, Verdict.FAIL: 0.0}
_SHOWN = 20


@dataclass(frozen=True)
class ItemResult:
    """What the audit says about one item. `evidence` is the strongest first, a few per rule.

    `findings` are those that stand, `suppressed` those that a team lives with for now. `counted` is the
    verdict that there would be without suppressions. `accepted` is the suppression of a failed item,
    `known` says that the baseline has it as failed.
    """

    id: str
    title: str
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    suppressed: tuple[Finding, ...] = ()
    counted: Verdict | None = None
    accepted: Suppression | None = None
    known: bool = False

    @property
    def decides(self) -> bool:
        """Whether the verdict itself counts as an error in the exit code."""
        return self.verdict is Verdict.FAIL and self.accepted is None and not self.known


@dataclass(frozen=True)
class Audit:
    """A project judged. `score` is 0 to 100 over the judged items, None when none could be judged.

    `coverage` is the share of the applicable items that could be judged, 0 to 1. `since` is the commit
    that the project was compared with and `baseline` the file, "" for none; `fixed` is what the baseline
    has and the project has no longer. `speakers` are services that send or receive messages, `stores` the
    kind of database by service; `excerpts` the code at each place, where that was asked for.
    """

    project: str
    items: tuple[ItemResult, ...]
    services: tuple[Service, ...]
    notes: tuple[Note, ...]
    files: int
    sources: int
    suppressions: tuple[Suppression, ...] = ()
    since: str = ""
    baseline: str = ""
    fixed: tuple[Mark, ...] = ()
    rules: tuple[Rule, ...] = RULES
    edges: tuple[Edge, ...] = ()
    speakers: frozenset[str] = frozenset()
    stores: Mapping[str, str] = field(default_factory=dict)
    excerpts: Mapping[tuple[str, int], Excerpt] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        return _score(item.verdict for item in self.items)

    @property
    def counted_score(self) -> float | None:
        """The score that there would be without suppressions."""
        return _score(item.counted or item.verdict for item in self.items)

    @property
    def judged(self) -> int:
        return sum(item.verdict.judged for item in self.items)

    @property
    def applicable(self) -> int:
        return sum(item.verdict is not Verdict.NOT_APPLICABLE for item in self.items)

    @property
    def coverage(self) -> float:
        return round(self.judged / self.applicable, 3) if self.applicable else 0.0

    @property
    def findings(self) -> list[Finding]:
        """All that stand, item by item."""
        return [finding for item in self.items for finding in item.findings]

    @property
    def suppressed(self) -> list[Finding]:
        return [finding for item in self.items for finding in item.suppressed]

    @property
    def idle(self) -> tuple[Suppression, ...]:
        """Suppressions that hide nothing: unused, expired or not valid."""
        return tuple(one for one in self.suppressions if one.state is not State.ACTIVE)

    def worst(self) -> Severity | None:
        """The highest severity among what decides.

        A failed item counts as an error, where it is not a change that is judged. A suppression that
        expired or is not valid counts as a warning, one that is not needed as a note.
        """
        found = [finding.severity for finding in self.findings if finding.decides]
        if not self.since and any(item.decides for item in self.items):
            found.append(Severity.ERROR)
        found += [Severity.NOTE if one.state is State.UNUSED else Severity.WARNING for one in self.idle]
        return max(found, default=None)

    def marks(self) -> Baseline:
        """The audit as a baseline for later ones."""
        marks = tuple(f.mark for f in self.findings if f.mark is not None)
        failed = (i.id for i in self.items if i.verdict is Verdict.FAIL and i.accepted is None)
        return Baseline(marks, frozenset(failed))


def _score(verdicts: Iterable[Verdict]) -> float | None:
    judged = [_WORTH[verdict] for verdict in verdicts if verdict.judged]
    return round(100 * sum(judged) / len(judged), 1) if judged else None


def audit(
    path: Path,
    *,
    rules: Iterable[Rule] = RULES,
    baseline: Path | None = None,
    since: str = "",
    excerpts: bool = False,
    suppress: bool = True,
    today: date | None = None,
    step: Callable[[], None] = lambda: None,
    workers: int = 1,
) -> Audit:
    """Judge the project in the folder `path` as it is on disk.

    `baseline` names what was known before, `since` a commit: only what is new, or changed since then,
    decides. `excerpts` asks for the code at each place. Without `suppress`, suppressions hide nothing.
    `step` is called once per file read. With more `workers`, a large project is read by as many processes
    of their own, which import the caller's main module.

    Raises ArchgenError when there is no folder that can be read, or for a broken baseline, suppressions
    file or commit.
    """
    rules = tuple(rules)
    require(path)
    before = load(baseline) if baseline else None
    changes = changed_since(path, since) if since else None
    terms = _terms(rules, today or date.today())
    said = read_listed(path, terms) if suppress else []
    facts = collect(path, step, workers)
    if suppress:
        said += [one for file, text in facts.marked.items() for one in read_inline(file, text, terms)]
    triage = Triage(Suppressions(said, terms), Sources(path))
    items = judge(facts, rules, triage=triage)
    if changes is not None:
        items = tuple(_in_change(item, changes) for item in items)
    fixed: tuple[Mark, ...] = ()
    if before is not None:
        items, fixed = _against(items, before, {rule.id for rule in rules})
    return Audit(
        project=path.resolve().name,
        items=items,
        services=facts.services,
        notes=facts.notes,
        files=facts.files,
        sources=facts.sources,
        suppressions=triage.suppressions.told(),
        since=since,
        baseline=str(baseline or ""),
        fixed=fixed,
        rules=rules,
        edges=find_edges(facts),
        speakers=speakers(facts),
        stores=engines(facts),
        excerpts=_excerpts(items, triage.sources) if excerpts else {},
    )


def _excerpts(items: Iterable[ItemResult], sources: Sources) -> dict[tuple[str, int], Excerpt]:
    places = {(f.file, f.line) for item in items for f in (*item.findings, *item.suppressed) if f.line}
    places |= {(seen.file, seen.line) for item in items for seen in item.evidence if seen.line}
    return {place: excerpt(sources.lines(place[0]), place[1]) for place in sorted(places)}


@dataclass(frozen=True)
class Triage:
    """What is known of findings besides the facts."""

    suppressions: Suppressions
    sources: Sources


def judge(
    facts: Facts,
    rules: Iterable[Rule] = RULES,
    items: Iterable[Item] = ITEMS,
    triage: Triage | None = None,
) -> tuple[ItemResult, ...]:
    """Run the rules on the facts. A rule that crashes makes its own item an error and stops no other."""
    rules = tuple(rules)
    return tuple(
        _item(item, [rule for rule in rules if rule.item == item.id], facts, triage) for item in items
    )


def _item(item: Item, rules: list[Rule], facts: Facts, triage: Triage | None) -> ItemResult:
    findings: list[Finding] = []
    suppressed: list[Finding] = []
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
    if triage is not None:
        findings.sort(key=lambda f: (f.file, f.line, f.rule))
        findings, suppressed = triage.suppressions.split(stamp(findings, facts.program, triage.sources))
        if crashed:
            triage.suppressions.not_judged([item.id, *(rule.id for rule in rules)])
    findings.sort(key=_by_weight)
    judgement = counted = (
        Judgement(Verdict.ERROR, "; ".join(crashed)) if crashed else _judge(item, facts, evidence, findings)
    )
    if suppressed and not crashed:
        counted = _judge(item, facts, evidence, sorted([*findings, *suppressed], key=_by_weight))
    accepted = (
        triage.suppressions.item(item.id)
        if triage is not None and judgement.verdict is Verdict.FAIL
        else None
    )
    shown = tuple(e for found in evidence.values() for e in found[:_SHOWN])
    if not shown:
        shown = tuple(Evidence("", h.file, h.line, h.strength, h.message) for h in judgement.grounds)
    return ItemResult(
        item.id, item.title, judgement.verdict, judgement.reason, tuple(findings), shown,
        tuple(suppressed), counted.verdict, accepted,
    )  # fmt: skip


def _by_weight(finding: Finding) -> tuple[int, str, int, str]:
    return -finding.severity, finding.file, finding.line, finding.rule


def _in_change(item: ItemResult, changes: Changes) -> ItemResult:
    """The item with each finding marked as touched by the change or not; those that are come first."""
    marked = (replace(f, changed=changes.touches(f.file, f.line, f.last)) for f in item.findings)
    return replace(item, findings=tuple(sorted(marked, key=lambda f: not f.changed)))


def _against(
    items: tuple[ItemResult, ...], before: Baseline, rules: set[str]
) -> tuple[tuple[ItemResult, ...], tuple[Mark, ...]]:
    """The items with each finding known or new, new ones first; and what was fixed.

    What is suppressed now was not fixed. Of a rule that is not there, or whose item could not be judged,
    nobody can say.
    """
    everything = [f for item in items for f in (*item.findings, *item.suppressed)]
    known, gone = compare(before, [f.mark for f in everything if f.mark is not None])
    answers = dict(zip(map(id, everything), known, strict=True))
    blind = {f"{item.id}" for item in items if item.verdict is Verdict.ERROR}
    of = {rule.id: rule.item for rule in RULES}
    fixed = tuple(m for m in gone if m.rule in rules and of.get(m.rule) not in blind)
    return tuple(
        replace(
            item,
            findings=tuple(
                sorted(
                    (replace(f, known=answers[id(f)]) for f in item.findings),
                    key=lambda f: (f.known, not f.changed),
                )
            ),
            known=item.verdict is Verdict.FAIL and item.id in before.failed,
        )
        for item in items
    ), fixed


def _terms(rules: Iterable[Rule], today: date) -> Terms:
    return Terms(
        today,
        rules=[rule.id for rule in rules if rule.kind == "defect"],
        evidence=[rule.id for rule in rules if rule.kind == "evidence"],
        items=[item.id for item in ITEMS],
    )


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
