"""Builds of several modules: which module needs which."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_ARTIFACT = re.compile(r"<artifactId>\s*([\w.-]+)\s*</artifactId>")
_PARENT = re.compile(r"<parent>.*?</parent>", re.DOTALL)
_PROJECT = re.compile(r"project\(\s*(?:path\s*[:=]\s*)?[\"'](:[\w:.-]+)[\"']|\bprojects\.([\w.]+)")
_COORDINATE = re.compile(r"[\"'][\w.-]+:([\w.-]+)(?::[^\"']*)?[\"']")

# What a server of servlets is handed.
_WAR = re.compile(r"<packaging>\s*war\s*</packaging>|^\s*(apply plugin:|id)\s*\(?[\"']war[\"']", re.MULTILINE)


def wants(source: Source) -> bool:
    return source.name in ("pom.xml", "build.gradle", "build.gradle.kts")


def collect(source: Source) -> Iterator[Fact]:
    """`build.module`: its folder's names for itself, for what it needs and for what it is built like."""
    text = re.sub(r"<!--.*?-->", "", source.text, flags=re.DOTALL)
    parent = ""
    if source.name == "pom.xml":
        # What is managed is only used by those who name it again.
        text = re.sub(r"<(dependency|plugin)Management>.*?</\1Management>", "", text, flags=re.DOTALL)
        above = _PARENT.search(text)
        parent = next(iter(_ARTIFACT.findall(above[0])), "") if above else ""
        names = _ARTIFACT.findall(_PARENT.sub("", text))
        own, needs = (names[0], names[1:]) if names else ("", [])
    else:
        own = posixpath.basename(source.folder)
        needs = [
            *_COORDINATE.findall(text),
            *(
                (path or dotted).replace(".", ":").rpartition(":")[2]
                for path, dotted in _PROJECT.findall(text)
            ),
        ]
    yield Fact(
        "build.module", source.path, 1, Strength.CONFIGURED,
        {"name": own, "folder": source.folder, "needs": tuple(dict.fromkeys(needs)), "parent": parent,
         "war": _WAR.search(text) is not None},
    )  # fmt: skip


def inherited(modules: Iterable[Fact]) -> dict[str, tuple[str, ...]]:
    """Folders of modules, with the names of what they need, their parents' needs included."""
    known = list(modules)
    named = {str(m["name"]): m for m in known}
    found: dict[str, tuple[str, ...]] = {}
    for module in known:
        needs, above, seen = list(module["needs"]), str(module["parent"]), set[str]()
        while above in named and above not in seen:
            seen.add(above)
            needs += named[above]["needs"]
            above = str(named[above]["parent"])
        found[str(module["folder"])] = tuple(dict.fromkeys(needs))
    return found


def needs_of(modules: Iterable[Fact]) -> dict[str, set[str]]:
    """Folders of modules, with the folders of those that they need."""
    known = list(modules)
    folders = {str(m["name"]): str(m["folder"]) for m in known}

    def named(need: str) -> str | None:
        if need in folders:
            return folders[need]
        # Gradle may put a word before the names of all modules.
        ends = {folder for name, folder in folders.items() if name and need.endswith(f"-{name}")}
        return max(ends, key=len) if ends else None

    return {
        str(m["folder"]): {folder for n in m["needs"] if (folder := named(str(n))) is not None} for m in known
    }
