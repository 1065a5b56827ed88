"""Makes the projects, applies edits to copies of them, audits each copy, and says what changed."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from archgen.checklist import audit
from archgen.commands.new import new
from archgen.commands.run import run
from tests.mutants import reading
from tests.mutants.model import BOTH, Mutation, Same
from tests.mutants.workspace import NothingToChangeError, Workspace, copies

ORDER = ("pass", "not_applicable", "partial", "fail", "unknown", "error")
Finding = tuple[str, str, str]  # rule, file, message
SEED = 20261126


@dataclass(frozen=True)
class Judged:
    """One item of an audit: its verdict, and how often each finding is there."""

    verdict: str
    findings: Counter[Finding]


@dataclass(frozen=True)
class Outcome:
    """What the audit said of one mutant of one system. `problem` is "" when all is as it should be."""

    name: str
    item: str
    system: str
    problem: str
    before: str = ""
    after: str = ""
    new: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    language: str = "python"


def projects(folder: Path, systems: Iterable[str] = BOTH) -> dict[str, Path]:
    """The generated projects, by name."""
    made = {}
    for style in systems:
        root = folder / style / "shop"
        new("shop", root, [f"style={style}"], defaults=True)
        assert run(root / "system.yaml", audit=False) == 0
        made[style] = root
    return made


def judged(root: Path) -> dict[str, Judged]:
    return {
        item.id: Judged(item.verdict.value, Counter((f.rule, f.file, f.message) for f in item.findings))
        for item in audit(root).items
    }


def outcomes(
    edits: Iterable[Mutation | Same], roots: Mapping[str, Path], processes: int = 2
) -> list[Outcome]:
    """Every edit on each of its systems, in order."""
    before = {system: judged(root) for system, root in roots.items()}
    tasks = [
        (edit, system, roots[system], before[system])
        for edit in edits
        for system in edit.systems
        if system in roots
    ]
    # The edits are functions of functions, which no other process could be sent: each looks them up anew.
    names = [(type(edit), edit.name, system, root, known) for edit, system, root, known in tasks]
    if "fork" not in multiprocessing.get_all_start_methods():
        return [_one(name) for name in names]
    try:
        for root in roots.values():
            reading.remember(root)
        # A process of its own for each, so that an audit can write into what was read before.
        with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
            return pool.map(_one, names, chunksize=1)
    finally:
        reading.forget()


def _one(task: tuple[type[Mutation] | type[Same], str, str, Path, dict[str, Judged]]) -> Outcome:
    kind, name, system, root, before = task
    from tests.mutants.same import ALL as SAME
    from tests.mutants.table import ALL

    edit: Mutation | Same
    if kind is Mutation:
        edit = next(mutation for mutation in ALL if mutation.name == name)
        return caught(edit, system, root, before)
    edit = next(same for same in SAME if same.name == name)
    return unchanged(edit, system, root, before)


def caught(mutation: Mutation, system: str, root: Path, before: dict[str, Judged]) -> Outcome:
    """Whether the audit sees what is broken, where it is broken, and nothing else."""
    workspace = Workspace(root)
    try:
        mutation.edit(workspace)
    except NothingToChangeError as error:
        return Outcome(mutation.name, mutation.item, system, f"stale: {error}")
    after = _after(root, workspace)
    one, two = before[mutation.item], after[mutation.item]
    fresh = two.findings - one.findings
    others = tuple(
        item
        for item in before
        if item != mutation.item and item not in mutation.also and _differ(before[item], after[item])
    )
    problem = _missed(mutation, one, two, fresh) or (f"changes {', '.join(others)} too" if others else "")
    return Outcome(
        mutation.name, mutation.item, system, problem, one.verdict, two.verdict,
        tuple(sorted({rule for rule, _, _ in fresh})), others, mutation.language,
    )  # fmt: skip


def _missed(mutation: Mutation, one: Judged, two: Judged, fresh: Counter[Finding]) -> str:
    if not mutation.rules:
        return "" if ORDER.index(two.verdict) > ORDER.index(one.verdict) else "missed"
    hits = [file for rule, file, _ in fresh if rule in mutation.rules]
    if any(fnmatchcase(file, mutation.at) for file in hits):
        return ""
    if hits:
        return f"elsewhere: {', '.join(sorted(set(hits)))}"
    return "missed"


def unchanged(same: Same, system: str, root: Path, before: dict[str, Judged], seed: int = SEED) -> Outcome:
    """Whether the audit says of the edited project what it said before."""
    workspace = Workspace(root)
    try:
        same.edit(workspace, random.Random(f"{seed} {same.name} {system}"))
    except NothingToChangeError as error:
        return Outcome(same.name, "", system, f"stale: {error}")
    after = _after(root, workspace)
    others = tuple(item for item in before if _differ(before[item], after[item]))
    new = {
        f"{rule} {file}"
        for item in others
        for rule, file, _ in (after[item].findings - before[item].findings)
    }
    problem = f"changes {', '.join(others)}" if others else ""
    return Outcome(same.name, "", system, problem, new=tuple(sorted(new)), others=others)


def _differ(one: Judged, two: Judged) -> bool:
    """Files and messages may name what was renamed; how often each rule hits may not change."""
    return one.verdict != two.verdict or _rules(one) != _rules(two)


def _rules(item: Judged) -> Counter[str]:
    counted: Counter[str] = Counter()
    for (rule, _, _), count in item.findings.items():
        counted[rule] += count
    return counted


def _after(root: Path, workspace: Workspace) -> dict[str, Judged]:
    place = Path(tempfile.mkdtemp(prefix="mutant-"))
    try:
        copies(root, workspace, place / root.name)
        return judged(place / root.name)
    finally:
        shutil.rmtree(place)
