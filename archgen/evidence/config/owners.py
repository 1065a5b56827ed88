"""Who answers for what: CODEOWNERS, and the components of a catalogue (Backstage)."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.evidence.config.located import Node
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source


def collect(source: Source) -> Iterator[Fact]:
    """`owner` per line of CODEOWNERS, with the folder that it covers ("" is all)."""
    if source.name != "CODEOWNERS":
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        words = line.split("#")[0].split()
        if len(words) > 1:
            folder = words[0].strip("/").removesuffix("/**").removesuffix("/*").removesuffix("/").strip("*")
            yield Fact("owner", source.path, number, Strength.DECLARED, {"folder": folder, "name": ""})


def collect_catalogue(source: Source, docs: list[Node]) -> Iterator[Fact]:
    for doc in docs:
        if doc.text("apiVersion").startswith("backstage.io/") and doc.text("spec", "owner"):
            data = {"folder": source.folder, "name": doc.text("metadata", "name")}
            yield Fact("owner", source.path, doc.place("spec", "owner"), Strength.DECLARED, data)
