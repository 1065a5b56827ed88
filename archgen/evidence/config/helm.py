"""Helm charts: a template read as the YAML that its default values make of it, and the charts it builds on.

Nothing is run. Lines that only steer (`{{- if … }}`, `{{- end }}`) become blank, so both arms of a choice
are seen; what a line prints becomes the value of `values.yaml`, or a word in its place. Lines keep their
numbers.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.located import Node
from archgen.evidence.config.settings import settings_of
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_ALONE = re.compile(r"^\s*(?:\{\{-?.*?-?\}\}\s*)+$")
_PRINTS = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_VALUE = re.compile(r"\.Values\.([\w.-]+)")
_BACKUP_KEY = re.compile(r"(^|\.)backups?\.(enabled|schedule|cronjob\.schedule)$", re.IGNORECASE)
_DEFAULT = re.compile(r"""default\s+["']?([\w.:/-]+)["']?""")


@dataclass
class Charts:
    """What has been seen of the charts of a project: by folder, the name and the default values.

    `variants` are values of files beside `values.yaml`, which count where that says nothing.
    """

    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    variants: dict[str, dict[str, str]] = field(default_factory=dict)

    def collect(self, source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
        """Facts of `Chart.yaml` and `values*.yaml`; both are remembered for the templates."""
        if source.name == "Chart.yaml":
            for doc in docs:
                self.names[source.folder] = doc.text("name") or posixpath.basename(source.folder)
                for part in _each(doc.get("dependencies")):
                    yield from _store(source, part.line, part.text("name"), strength)
        elif re.fullmatch(r"values([.-][\w-]+)?\.ya?ml", source.name):
            chart = self.names.get(source.folder, "")
            if source.folder not in self.names:
                return
            plain = source.name.startswith("values.y")
            known = (self.values if plain else self.variants).setdefault(source.folder, {})
            for key, value, line in (item for doc in docs for item in doc.flat()):
                known.setdefault(key, value)
                yield from settings_of(source.path, line, key, value, strength, owner=chart)
                if _BACKUP_KEY.search(key) and value not in ("false", "", "null", "~"):
                    said = {
                        "by": "chart",
                        "scheduled": True,
                        "command": f"{key}: {value}"[:60],
                        "can_fail": True,
                    }
                    yield Fact("backup", source.path, line, strength, said)

    def render(self, source: Source) -> str | None:
        """The template as plain YAML; None where the file is no chart's template."""
        chart = next(
            (f for f in self.names if source.path.startswith(f"{f}/templates/" if f else "templates/")), None
        )
        if chart is None or "{{" not in source.text or source.name.startswith("_"):
            return None
        values = {**self.variants.get(chart, {}), **self.values.get(chart, {})}
        name = self.names[chart]

        def printed(match: re.Match[str]) -> str:
            said = match[1]
            value = _VALUE.search(said)
            if value and value[1] in values:
                return re.sub(r"""["'\n#{}\[\]]""", "", values[value[1]]) or "empty"
            if ".Chart.Name" in said or "fullname" in said or ".Release.Name" in said:
                return name
            default = _DEFAULT.search(said)
            # What nobody tells is a word of its own, so that two of them are not taken for the same.
            return default[1] if default else value[1] if value else "value"

        lines = source.text.split("\n")
        return "\n".join("" if _ALONE.match(line) else _PRINTS.sub(printed, line) for line in lines)


def _each(node: Node | None) -> Iterator[Node]:
    if node is not None:
        yield from node.each()


def _store(source: Source, line: int, name: str, strength: Strength) -> Iterator[Fact]:
    """A database or a broker that a chart brings along."""
    if engine := database_of(name):
        yield Fact("datastore", source.path, line, strength, {"engine": engine, "name": name})
    elif engine := broker_of(name):
        yield Fact("broker", source.path, line, strength, {"engine": engine, "name": name})
