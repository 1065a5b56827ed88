"""How fast the audit reads, against the ast-grep command line and semgrep, and how its time grows."""

from __future__ import annotations

import json
import re
import shutil
import sysconfig
from pathlib import Path

from archgen.evidence.code import vocabulary
from benchmarks.environment import ARCHGEN, installed
from benchmarks.process import cost
from benchmarks.tables import Table

TOOLS = ("ast-grep-cli>=0.40,<1", "semgrep>=1.140,<2")
AUDIT = [*ARCHGEN, "checklist", "audit"]
# What both tools look for: the names of calls that the audit's vocabulary knows, one rule each.
NOT_CALLS = ("CONSUME_MARK", "TX_MARK", "DB_TYPE", "COLLECTION", "SESSION_IMPORT", "ADDRESS")
NAMES = {
    name.lower().replace("_", "-"): words.pattern
    for name, words in vars(vocabulary).items()
    if isinstance(words, vocabulary.Names) and name not in NOT_CALLS
}
COPIES = (1, 2, 4)


def speed(folder: Path) -> Table:
    """Whole processes over Python's own standard library, which every machine has."""
    tree, bin = folder / "tree", installed(TOOLS).parent
    files, lines = _standard_library(tree)
    ast_grep, semgrep = _rules(folder)
    ours = cost([*AUDIT, str(tree), "--format", "json", "--fail-on", "never"], runs=3)
    theirs = cost([str(bin / "ast-grep"), "scan", "-c", str(ast_grep), "--json=compact", str(tree)], runs=3)
    options = ["--metrics=off", "--disable-version-check", "--quiet", "--json", "--no-git-ignore"]
    slow = cost([str(bin / "semgrep"), "scan", "--config", str(semgrep), *options, str(tree)], runs=1)
    table = Table(
        f"Reading: {files:,} files, {lines:,} lines of Python, {len(NAMES)} rules",
        ("what", "seconds", "files per second", "the audit's time is", "peak MiB"),
    )
    for what, measured in (
        ("`archgen checklist audit`, all rules", ours),
        ("`ast-grep scan`, comparable rules", theirs),
        ("`semgrep scan`, the same", slow),
    ):
        table.add(
            what,
            f"{measured.seconds:.2f}",
            f"{files / measured.seconds:,.0f}",
            f"{ours.seconds / measured.seconds:.2f} times this",
            f"{measured.mebibytes:.0f}",
        )
    table.notes.append(
        "The audit also links calls across files and judges ten items; the other two match calls by name. "
        "ast-grep is native code on all cores."
    )
    return table


def growth(folder: Path) -> Table:
    """The same tree one, two and four times, side by side."""
    table = Table("Reading more", ("lines", "files", "seconds", "seconds per 100,000 lines", "peak MiB"))
    for count in COPIES:
        tree = folder / f"tree-{count}"
        sizes = [_standard_library(tree / f"part_{number}") for number in range(count)]
        files, lines = (sum(column) for column in zip(*sizes, strict=True))
        measured = cost([*AUDIT, str(tree), "--format", "json", "--fail-on", "never"], runs=1)
        table.add(
            f"{lines:,}",
            f"{files:,}",
            f"{measured.seconds:.1f}",
            f"{measured.seconds / lines * 100_000:.2f}",
            f"{measured.mebibytes:.0f}",
        )
        shutil.rmtree(tree)
    return table


def _standard_library(target: Path) -> tuple[int, int]:
    """Copies the standard library's own code, without what was installed into it; files and lines."""
    source = Path(sysconfig.get_paths()["stdlib"])
    ignored = shutil.ignore_patterns("site-packages", "__pycache__", "*.so", "*.a", "*.pyc", "test", "tests")
    shutil.copytree(source, target, ignore=ignored)
    sources = list(target.rglob("*.py"))
    return len(sources), sum(path.read_bytes().count(b"\n") for path in sources)


def _rules(folder: Path) -> tuple[Path, Path]:
    """One rule per group of names, for ast-grep (its settings file) and for semgrep."""
    rules = folder / "rules"
    rules.mkdir()
    for name, pattern in NAMES.items():
        wanted = {"kind": "call", "has": {"field": "function", "regex": _native(pattern)}}
        rule = {"id": name, "language": "python", "severity": "info", "rule": wanted}
        (rules / f"{name}.yml").write_text(json.dumps(rule), "utf-8")
    settings = folder / "sgconfig.yml"
    settings.write_text(json.dumps({"ruleDirs": ["rules"]}), "utf-8")
    semgrep = folder / "semgrep.yml"
    found = [
        {
            "id": name,
            "languages": ["python"],
            "severity": "INFO",
            "message": name,
            "patterns": [
                {"pattern": "$CALLED(...)"},
                {"metavariable-regex": {"metavariable": "$CALLED", "regex": pattern}},
            ],
        }
        for name, pattern in NAMES.items()
    ]
    semgrep.write_text(json.dumps({"rules": found}), "utf-8")
    return settings, semgrep


def _native(pattern: str) -> str:
    """The same for ast-grep's regular expressions, which cannot look around."""
    return re.sub(r"\(\?<?[!=](?:[^()]|\([^()]*\))*\)", "", pattern)
