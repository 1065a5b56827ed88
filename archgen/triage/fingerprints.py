"""What makes a finding the same finding after an edit: the rule, the file and the words of the statement.

Not in it: line numbers, blanks, line ends, comments, kinds of quotes, and the names of the function and
class around it. `owner`, which has those names, tells an edited statement from a new one where
somebody compares two audits.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from archgen.evidence.code.model import Module, Program
from archgen.rules.marks import Mark
from archgen.rules.model import Finding
from archgen.triage.sources import Sources

_TEXT = r"""(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\\n])*`)"""
_REST = r"|(?P<word>\w+)|(?P<blank>\s+)|(?P<sign>=>|->|.)"
_HASH = {"py", "pyi", "yaml", "yml", "toml", "tf", "sh", "rb", "env", "mk", "conf", "properties", ""}
_SLASHES = {"ts", "tsx", "js", "jsx", "mjs", "cjs", "go", "java", "kt", "tf", "gradle", "scala", "cs"}
_MOST_LINES, _LONGEST = 40, 200


def stamp(findings: Iterable[Finding], program: Program, sources: Sources) -> list[Finding]:
    """The findings with their marks, and with the last line of the statement that each points at."""
    seen: Counter[tuple[str, str, str]] = Counter()
    stamped = []
    for finding in findings:
        text, last, owner = "", finding.line, ""
        if finding.line:
            lines = sources.lines(finding.file)
            module = program.modules.get(finding.file)
            text, last = statement(lines, finding.line, finding.file, _defined(module, finding.line))
            owner = _owner(module, finding.line) if module else _keys(lines, finding.line)
        else:
            # no line: what tells two of a rule in one file apart is what they say, numbers left out
            text = re.sub(r"\d+", "", finding.message)
        key = (finding.rule, finding.file, text)
        mark = Mark(finding.rule, finding.file, owner, text, seen[key])
        seen[key] += 1
        stamped.append(replace(finding, mark=mark, last=last))
    return stamped


def statement(lines: list[str], line: int, file: str, names: Iterable[str] = ()) -> tuple[str, int]:
    """The statement that starts on `line`, in words that a reformatting leaves alone, and its last line.

    It ends where its brackets close, and before the body of a closure.
    """
    name = file.rpartition("/")[2]
    suffix = name.rpartition(".")[2].lower() if "." in name.lstrip(".") else ""
    tokens = _tokens(suffix in _HASH, suffix in _SLASHES)
    words: list[str] = []
    depth, at = 0, line
    for at in range(line, min(line + _MOST_LINES, len(lines) + 1)):
        for match in tokens.finditer(lines[at - 1]):
            kind, value = match.lastgroup or "", match[0]
            if kind in ("blank", "comment"):
                continue
            if value == "{" and depth and words and words[-1] in ("=>", "->", ")"):
                return _joined(words, names), at
            depth = max(0, depth + (value in "([") - (value in ")]")) if kind == "sign" else depth
            if value in (")", "]", "}") and words and words[-1] == ",":
                words.pop()
            words.append(f'"{value[1:-1]}"' if kind == "text" else value)
        if depth == 0:
            break
    return _joined(words, names), at


@cache
def _tokens(hashes: bool, slashes: bool) -> re.Pattern[str]:
    """The tokens of a line, for languages whose comments start with a hash, with slashes, or with both."""
    comments = "|".join(
        part for part, there in ((r"\#.*", hashes), (r"//.*|/\*.*?(?:\*/|$)", slashes)) if there
    )
    return re.compile(_TEXT + (rf"|(?P<comment>{comments})" if comments else "") + _REST)


def _joined(words: list[str], names: Iterable[str]) -> str:
    hidden = set(names)
    while words and words[-1] in (";", "{", ":"):
        words = words[:-1]
    text = ""
    for word in words:
        word = "_" if word in hidden else word
        text += " " + word if text and _wordy(text[-1]) and _wordy(word[0]) else word
    if len(text) > _LONGEST:
        return text[:_LONGEST] + "…" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return text


def _wordy(char: str) -> bool:
    return char.isalnum() or char == "_"


def _defined(module: Module | None, line: int) -> set[str]:
    """The names of the function and the class that start on the line: renaming one is no new finding."""
    if module is None:
        return set()
    named = [(f.name, f.line) for f in module.functions] + [(c.name, c.line) for c in module.classes]
    return {name for name, at in named if at == line and name}


def _owner(module: Module, line: int) -> str:
    around = [f for f in module.functions if f.name and f.line <= line <= f.end]
    if around:
        return max(around, key=lambda f: f.line).title
    classes = [c.name for c in module.classes if c.line <= line <= c.end]
    return classes[-1] if classes else ""


def _keys(lines: list[str], line: int) -> str:
    """The keys above a line of YAML or a block above one of anything indented, outermost first."""
    if line > len(lines):
        return ""
    indent, found = _indent(lines[line - 1]), []
    for at in range(line - 2, -1, -1):
        text = lines[at].strip()
        if indent == 0:
            break
        if text and not text.startswith("#") and _indent(lines[at]) < indent:
            indent = _indent(lines[at])
            found.append(re.split(r"[:{=(]", text.removeprefix("- "), maxsplit=1)[0].strip())
    return ".".join(reversed(found))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
