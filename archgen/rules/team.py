"""A team's own rules: Python files in a folder, each with a `RULE` in the same form as ours.

They run with all rights of the person who runs the audit, so they come from the command line only, never
from a setting of the audited project.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from archgen.errors import ArchgenError, Problem
from archgen.evidence.collect import collect
from archgen.rules.model import Rule, Sample, Severity
from archgen.rules.registry import ITEMS, RULES

LANGUAGES = ("python", "typescript", "go", "java", "config", "docs")
_ID = re.compile(r"^[A-Z][A-Z0-9]{1,9}-E?\d{2,3}$")


def load(folders: Sequence[Path]) -> tuple[Rule, ...]:
    """The rules of the folders, in order of file names, each proved by its samples.

    A file whose name starts with an underscore is passed over. Raises ArchgenError with every problem of
    every file: code that does not run, a field that is missing, an id that is taken, a sample that fails.
    """
    found: list[tuple[Path, Rule]] = []
    problems: list[Problem] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(Problem("there is no such folder of rules", file=str(folder)))
            continue
        files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
        if not files:
            remedy = "a rule is a Python file with RULE = Rule(...)"
            problems.append(Problem("the folder has no rule", file=str(folder), remedy=remedy))
        for path in files:
            rule = _load(path)
            if isinstance(rule, Problem):
                problems.append(rule)
            else:
                found.append((path, rule))
    taken = {rule.id: "archgen" for rule in RULES}
    for path, rule in found:
        wrong = list(_wrong(rule))
        if rule.id in taken:
            wrong.append(f"the id {rule.id} is taken by {taken[rule.id]}")
        taken.setdefault(rule.id, path.name)
        problems += [Problem(text, file=str(path), key="RULE") for text in wrong or prove(rule)]
    if problems:
        raise ArchgenError(*problems)
    return tuple(rule for _, rule in found)


def _load(path: Path) -> Rule | Problem:
    """The file's rule, without an entry among the imported modules."""
    try:
        spec = importlib.util.spec_from_file_location(f"team_rule_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception as error:
        line = error.lineno or 0 if isinstance(error, SyntaxError) else _line(error, path)
        return Problem(f"the rule does not load: {type(error).__name__}: {error}", str(path), line)
    rule = getattr(module, "RULE", None)
    if isinstance(rule, Rule):
        return rule
    return Problem("RULE is missing, or is no Rule", str(path), remedy="end the file with RULE = Rule(...)")


def _line(error: Exception, path: Path) -> int:
    """The last line of the file itself that the error passed through."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(path) else line
        trace = trace.tb_next
    return line


def _wrong(rule: Rule) -> Iterator[str]:
    """What the form demands and the rule lacks."""
    if not isinstance(rule.id, str) or not _ID.match(rule.id):
        yield f"the id {rule.id!r} has not the form TEAM-001, or TEAM-E01 for evidence"
    elif (rule.kind == "evidence") != ("-E" in rule.id):
        yield f"an id of evidence has an E before its number, one of a defect has none: {rule.id}"
    if rule.kind not in ("evidence", "defect"):
        yield f"kind is evidence or defect, not {rule.kind!r}"
    items = [item.id for item in ITEMS]
    if rule.item not in items:
        yield f"there is no item {rule.item!r}: use one of {', '.join(items)}"
    if not isinstance(rule.severity, Severity):
        yield "severity is one of Severity.NOTE, WARNING and ERROR"
    for name in ("title", "why", "remedy"):
        text = getattr(rule, name)
        if not isinstance(text, str) or not text.strip():
            yield f"{name} is missing"
    if not rule.languages:
        yield f"languages is empty: name those that it reads, of {', '.join(LANGUAGES)}"
    for language in rule.languages:
        if language not in LANGUAGES:
            yield f"unknown language {language!r}: use {', '.join(LANGUAGES)}"
    for name in ("valid", "invalid"):
        lacking = set(rule.languages) - {sample.language for sample in getattr(rule, name)}
        if lacking:
            yield f"there is no {name} sample for {', '.join(sorted(lacking))}"
    if not callable(rule.check):
        yield "check is no function"


def prove(rule: Rule) -> list[str]:
    """What of the rule's samples is not as they say; nothing for a sound rule.

    Of those that it must hit, exactly the lines that carry `<-`; of the others, none; and none of either
    once it lies under `tests/`, where code proves nothing.
    """
    wrong: list[str] = []
    shown, others = (rule.valid, rule.invalid) if rule.kind == "evidence" else (rule.invalid, rule.valid)
    names = ("valid", "invalid") if rule.kind == "evidence" else ("invalid", "valid")
    for number, sample in enumerate(shown):
        marked = set(_marked(sample))
        where = f"{names[0]} sample {number} ({sample.language})"
        if not marked:
            wrong.append(f"{where} marks no line with <-")
        else:
            wrong += _compare(rule, sample.files, marked, where)
        moved = {f"tests/{path}": text for path, text in sample.files.items()}
        wrong += _compare(rule, moved, set(), f"{where}, moved to tests/,")
    for number, sample in enumerate(others):
        wrong += _compare(rule, sample.files, set(), f"{names[1]} sample {number} ({sample.language})")
    return wrong


def _marked(sample: Sample) -> Iterator[tuple[str, int]]:
    for path, text in sample.files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if "<-" in line:
                yield path, number


def _compare(rule: Rule, files: object, expected: set[tuple[str, int]], where: str) -> Iterator[str]:
    assert isinstance(files, dict)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        try:
            hit = {(one.file, one.line) for one in rule.check(collect(root))}
        except Exception as error:
            yield f"check crashes on {where}: {type(error).__name__}: {error}"
            return
    if missed := expected - hit:
        yield f"{where} is not hit at {_places(missed)}"
    if extra := hit - expected:
        yield f"{where} is hit at {_places(extra)}, which is not marked"


def _places(places: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{file}:{line}" for file, line in sorted(places))
