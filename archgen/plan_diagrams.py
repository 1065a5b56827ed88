"""The architecture page of a project and its pictures."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.diagrams import pictures, scene, sequences
from archgen.diagrams.mermaid import containers_mermaid, context_mermaid, sequence_mermaid
from archgen.plan_types import Code, Item, Template, Text
from archgen.spec.analysis import Analysis
from archgen.spec.model import System
from archgen.spec.names import title


def diagram_items(system: System, analysis: Analysis) -> Iterator[Item]:
    """docs/architecture.md and docs/diagrams/*.svg."""
    shown = scene(system, analysis)
    decisions = [
        (title(name), f"{number:04}-{name.replace('_', '-')}.md")
        for number, name in enumerate(system.decisions, start=1)
    ]
    sagas = [
        (one, [(head, Code(text)) for head, text in sequence_mermaid(one).items()])
        for one in sequences(system, analysis)
    ]
    context = {
        "system": system,
        "scene": shown,
        "context": Code(context_mermaid(shown)),
        "containers": Code(containers_mermaid(shown)),
        "sagas": sagas,
        "decisions": decisions,
    }
    yield Template("docs/architecture.md", "architecture/architecture.md.jinja", context)
    for name, text in pictures(system, analysis).items():
        yield Text(f"docs/diagrams/{name}.svg", text, kind="generated")
