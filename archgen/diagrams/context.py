"""The system from outside: who uses it, and what it uses."""

from __future__ import annotations

from archgen.diagrams.scene import Scene
from archgen.drawing import svg

WIDTH, BOX = 640.0, 360.0


def context_svg(scene: Scene) -> str:
    """C4 level 1."""
    middle = WIDTH / 2
    title = svg.wrap(scene.title, 18 * svg.BOLD, BOX - 40, 2)
    about = svg.wrap(scene.about or "The system.", 13, BOX - 40, 5)
    parts = [*svg.person(middle, 24), svg.text(middle, 94, "Users and other systems", 14, kind="bold")]
    top = 176.0
    height = 60 + 24 * len(title) + 17 * len(about)
    parts += [
        svg.path([(middle, 106), (middle, top)]),
        svg.text(middle, 146, "asks and commands, JSON over HTTPS", 12, kind="soft halo"),
        svg.box(middle - BOX / 2, top, BOX, height, "box", "edge"),
        *svg.block(middle, top + 34, title, 18, "bold"),
        svg.text(middle, top + 34 + 24 * len(title) - 6, "software system", 12, kind="soft"),
        *svg.block(middle, top + 56 + 24 * len(title) - 4, about, 13),
    ]
    bottom = top + height
    for name, purpose in scene.outside:
        parts += [
            svg.path([(middle, bottom), (middle, bottom + 80)]),
            svg.text(middle, bottom + 44, f"{purpose}, HTTPS", 12, kind="soft halo"),
            svg.box(middle - 130, bottom + 80, 260, 60, "out", "line"),
            svg.text(middle, bottom + 106, name, 14, kind="bold"),
            svg.text(middle, bottom + 126, "external system", 12, kind="soft"),
        ]
        bottom += 140
    return svg.document(WIDTH, bottom + 24, f"{scene.title}: context", parts)
