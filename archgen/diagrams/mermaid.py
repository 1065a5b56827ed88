"""The pictures as Mermaid, which code forges draw inside Markdown.

Source: https://mermaid.js.org/syntax/flowchart.html and .../sequenceDiagram.html
"""

from __future__ import annotations

from archgen.diagrams.scene import Scene
from archgen.diagrams.sequence import Sequence

_ARROWS = {"do": "->>", "answer": "-->>", "undo": "->>", "refuse": "--x"}


def context_mermaid(scene: Scene) -> str:
    """Who uses the system, and what it uses."""
    about = f"<br/>{text(scene.about)}" if scene.about else ""
    lines = [
        "flowchart TB",
        '  users(["Users and other systems"])',
        f'  system["<b>{text(scene.title)}</b>{about}"]',
        "  users -->|JSON over HTTPS| system",
    ]
    for number, (name, purpose) in enumerate(scene.outside):
        lines += [f'  out{number}["{text(name)}"]', f'  system -->|"{text(purpose)}"| out{number}']
    return "\n".join(lines) + "\n"


def containers_mermaid(scene: Scene) -> str:
    """Services with their databases, calls between them, and the broker."""
    ids = {one.id: f"s{number}" for number, one in enumerate(scene.containers)}
    lines = [
        "flowchart TB",
        '  users(["Users and other systems"])',
        f'  subgraph system["{text(scene.title)}"]',
    ]
    for one in scene.containers:
        id = ids[one.id]
        lines += [
            f'    {id}["<b>{text(one.title)}</b><br/>{text(one.language)}"]',
            f'    {id}db[("{text(one.store)}")]',
            f"    {id} --- {id}db",
        ]
    lines += [f'    broker{{{{"{text(scene.broker)}"}}}}', "  end", "  users -->|JSON over HTTPS| system"]
    lines += [f"  {ids[one.id]} <-.-> broker" for one in scene.containers]
    lines += [
        f'  {ids[call.source]} -->|"{text(call.label)}"| {ids[call.target]}'
        for call in scene.calls
        if call.source in ids and call.target in ids
    ]
    return "\n".join(lines) + "\n"


def sequence_mermaid(sequence: Sequence) -> dict[str, str]:
    """One diagram per run of the saga, by title."""
    drawn = {}
    ids = {id: f"p{number}" for number, (id, _) in enumerate(sequence.actors)}
    for part in sequence.parts:
        used = {one for line in part.lines for one in (line.source, line.target)}
        lines = ["sequenceDiagram"]
        lines += [f"  participant {ids[id]} as {text(name)}" for id, name in sequence.actors if id in used]
        lines += [
            f"  {ids[line.source]}{_ARROWS[line.kind]}{ids[line.target]}: {text(line.text)}"
            for line in part.lines
        ]
        drawn[part.title] = "\n".join(lines) + "\n"
    return drawn


def text(value: str) -> str:
    """`value` as Mermaid prints it back: what means something to it goes in as an entity."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    # Letters, digits and harmless signs stay; everything else is written by its number.
    return "".join(c if c.isalnum() or c in " _-.,/→()'" else f"#{ord(c)};" for c in line)
