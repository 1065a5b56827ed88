"""Import statements of the four languages, read from comment-free text."""

from __future__ import annotations

import re

from archgen.evidence.code.model import Import

_PY_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n;]+)", re.MULTILINE)
_PY_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^\n;]+)", re.MULTILINE)
_JS_IMPORT = re.compile(
    r"""^[ \t]*(?:import\s+(?:type\s+)?([^'";]*?)\s*(?:from\s*)?|"""
    r"""export\s+(?:type\s+)?([^'";=]*?)\s*from\s*)['"]([^'"\n]+)['"]""",
    re.MULTILINE,
)
_JS_REQUIRE = re.compile(
    r"""(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*(?:await\s+)?(?:require|import)\(\s*['"]([^'"]+)['"]\s*\)"""
)
_GO_BLOCK = re.compile(r"^import\s*(?:\(([^)]*)\)|([^\n]+))", re.MULTILINE)
_GO_SPEC = re.compile(r"""([\w.]+)?[ \t]*"([^"\n]+)\"""")
_JAVA = re.compile(r"^import\s+(?:static\s+)?([\w.]+?)(?:\.(\w+|\*))\s*;", re.MULTILINE)


def imports_of(text: str, language: str) -> list[Import]:
    """All imports of a file, in the order in which they stand."""
    reader = {"python": _python, "typescript": _typescript, "go": _go, "java": _java}[language]
    return sorted(reader(text), key=lambda item: item.line)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _python(text: str) -> list[Import]:
    found = []
    for match in _PY_IMPORT.finditer(text):
        for part in match[1].split(","):
            module, _, alias = part.strip().partition(" as ")
            module = module.strip()
            if re.fullmatch(r"[\w.]+", module):
                name = alias.strip() or module.split(".")[0]
                found.append(Import(module, {name: ""}, _line(text, match.start(1))))
    for match in _PY_FROM.finditer(text):
        names: dict[str, str] = {}
        for part in match[2].strip("() \n").split(","):
            name, _, alias = part.strip().partition(" as ")
            if name.strip():
                names[alias.strip() or name.strip()] = name.strip()
        found.append(Import(match[1], names, _line(text, match.start(1))))
    return found


def _typescript(text: str) -> list[Import]:
    found = []
    for match in (*_JS_IMPORT.finditer(text), *_JS_REQUIRE.finditer(text)):
        names: dict[str, str] = {}
        *clauses, source = match.groups()
        clause = next(filter(None, clauses), "")
        braces = re.search(r"\{([^}]*)\}", clause)
        for part in (braces[1] if braces else "").split(","):
            name, _, alias = part.strip().removeprefix("type ").replace(":", " as ").partition(" as ")
            if name.strip():
                names[alias.strip() or name.strip()] = name.strip()
        for word in re.sub(r"\{[^}]*\}", "", clause).split(","):
            word = re.sub(r"\*\s*as\s+", "", word).strip()
            if word.isidentifier():
                names[word] = ""
        found.append(Import(source, names, _line(text, match.end())))
    return found


def _go(text: str) -> list[Import]:
    found = []
    for block in _GO_BLOCK.finditer(text):
        inner = block[1] if block[1] is not None else block[2]
        offset = block.start(1) if block[1] is not None else block.start(2)
        for spec in _GO_SPEC.finditer(inner):
            parts = [p for p in spec[2].split("/") if not re.fullmatch(r"v\d+", p)]
            name = spec[1] or re.sub(r"^go-|\.go$|-go$", "", parts[-1] if parts else spec[2])
            found.append(Import(spec[2], {name: ""}, _line(text, offset + spec.start(2))))
    return found


def _java(text: str) -> list[Import]:
    found = []
    for match in _JAVA.finditer(text):
        names = {} if match[2] == "*" else {match[2]: match[2]}
        found.append(Import(match[1], names, _line(text, match.start(1))))
    return found
