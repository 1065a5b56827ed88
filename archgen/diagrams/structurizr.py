"""The system in the Structurizr DSL, for teams that keep their C4 models there.

Source: https://docs.structurizr.com/dsl/language
"""

from __future__ import annotations

from archgen.diagrams.scene import Scene
from archgen.diagrams.sequence import CALLER, Sequence

_TECHNOLOGIES = {"HTTP": '"JSON/HTTP"', "gRPC": '"Protocol Buffers/gRPC"'}


def workspace(scene: Scene, sequences: tuple[Sequence, ...]) -> str:
    """A whole workspace: model, system context, containers, and a dynamic view per run of each saga."""
    ids = {one.id: f"s{number}" for number, one in enumerate(scene.containers)}
    lines = [
        f"workspace {text(scene.title)} {text(scene.about)} {{",
        "  model {",
        '    users = person "Users and other systems"',
        f"    system = softwareSystem {text(scene.title)} {text(scene.about)} {{",
        f'      broker = container {text(scene.broker)} "Events, commands and replies" "" "Broker"',
    ]
    for one in scene.containers:
        id = ids[one.id]
        lines += [
            f"      {id} = container {text(one.title)} {text(one.about)} {text(one.language)}",
            f'      {id}db = container {text(f"{one.title} database")} "" {text(one.store)} "Database"',
        ]
    lines.append("    }")
    for number, (name, purpose) in enumerate(scene.outside):
        lines.append(f'    out{number} = softwareSystem {text(name)} {text(purpose)} "External"')
    for one in scene.containers:
        id = ids[one.id]
        lines += [
            f'    users -> {id} "Asks and commands" "JSON/HTTPS"',
            f'    {id} -> {id}db "Reads and writes"',
            f'    {id} -> broker "Publishes and hears"',
        ]
    lines += [
        f"    {ids[call.source]} -> {ids[call.target]} {text(call.views)} {_TECHNOLOGIES[call.protocol]}"
        for call in scene.calls
        if call.source in ids and call.target in ids
    ]
    lines += [
        f"    system -> out{number} {text(purpose)}" for number, (_, purpose) in enumerate(scene.outside)
    ]
    lines += ["  }", "  views {"]
    lines += ['    systemContext system "context" {', "      include *", "      autoLayout", "    }"]
    lines += ['    container system "containers" {', "      include *", "      autoLayout", "    }"]
    for sequence in sequences:
        lines += _dynamic(sequence, ids)
    lines += ["    styles {", '      element "Database" {', "        shape Cylinder", "      }"]
    lines += ['      element "Broker" {', "        shape Pipe", "      }", "    }", "  }", "}"]
    return "\n".join(lines) + "\n"


def _dynamic(sequence: Sequence, ids: dict[str, str]) -> list[str]:
    """Messages go through the broker, which is how the model has them related."""
    lines = []
    for number, part in enumerate(sequence.parts):
        key = f"{sequence.name}_{number}".replace("_", "-")
        lines.append(f'    dynamic system "saga-{key}" {text(f"{sequence.title}: {part.title}")} {{')
        for line in part.lines:
            source = "users" if line.source == CALLER else ids[line.source]
            target = ids[line.target] if line.source == CALLER else "broker"
            lines.append(f"      {source} -> {target} {text(line.text)}")
        lines += ["      autoLayout", "    }"]
    return lines


def text(value: str) -> str:
    """A quoted string of the DSL, on one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    # A backslash only ever escapes a quote there; and `${…}` would be replaced.
    return '"' + line.replace("\\", "/").replace('"', '\\"').replace("${", "$ {") + '"'
