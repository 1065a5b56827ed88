"""The system from inside: services with their databases, who asks whom, and the broker that all share."""

from __future__ import annotations

from archgen.diagrams.scene import Container, Scene
from archgen.drawing import svg
from archgen.drawing.grid import Grid, Link, arrange, rails, routes

BOX_W, BOX_H = 224.0, 150.0
MARGIN, HEAD = 40.0, 150.0


def containers_svg(scene: Scene) -> str:
    """C4 level 2."""
    count = len(scene.containers)
    index = {one.id: n for n, one in enumerate(scene.containers)}
    calls = [
        Link(index[call.source], index[call.target], call.label)
        for call in scene.calls
        if call.source in index and call.target in index
    ]
    grid = arrange(count, calls, width=BOX_W, height=BOX_H, margin=MARGIN, head=HEAD)
    parts = [*_frame(scene, grid)]
    parts += [part for n, one in enumerate(scene.containers) for part in _service(one, grid.x(n), grid.y(n))]
    parts += _broker(scene, grid, count)
    parts += routes(calls, grid)
    return svg.document(
        _width(grid), grid.bottom + 130, f"{scene.title}: services, databases and broker", parts
    )


def _width(grid: Grid) -> float:
    return max(grid.right + MARGIN, 560.0)


def _frame(scene: Scene, grid: Grid) -> list[str]:
    middle, width = _width(grid) / 2, _width(grid) - 2 * (MARGIN - 16)
    title = svg.wrap(f"{scene.title} (software system)", 13, width - 40, 1)
    return [
        *svg.person(middle, 12),
        svg.text(middle + 36, 34, "Users and other systems", 14, "start", "bold"),
        svg.text(middle + 36, 52, "JSON over HTTPS, to any service", 12, "start", "soft"),
        svg.path([(middle, 64), (middle, 96)]),
        svg.box(MARGIN - 16, 98, width, grid.bottom + 106 - 98, "bg", "frame", 12, dash=True),
        svg.text(MARGIN + 4, 122, title[0], 13, "start", "bold soft"),
    ]


def _service(one: Container, x: float, y: float) -> list[str]:
    middle, room = x + BOX_W / 2, BOX_W - 24
    title = svg.wrap(one.title, 15 * svg.BOLD, room, 2)
    about = svg.wrap(one.about, 11.5, room, 4 - len(title))
    top = y + 24
    return [
        svg.box(x, y, BOX_W, BOX_H, "box", "edge"),
        *svg.block(middle, top, title, 15, "bold"),
        svg.text(middle, top + 19.5 * len(title) - 2, f"service, {one.language}", 11.5, kind="soft"),
        *svg.block(middle, top + 19.5 * len(title) + 17, about, 11.5),
        svg.cylinder(x + 20, y + BOX_H - 36, BOX_W - 40, 28),
        svg.text(middle, y + BOX_H - 16, f"{one.store}, its own", 11.5, kind="soft"),
    ]


def _broker(scene: Scene, grid: Grid, count: int) -> list[str]:
    """The broker, and the rails that join every service to it."""
    foot = grid.bottom + 20
    parts = rails(grid, range(count), foot)
    width = _width(grid) - 2 * MARGIN
    parts += [
        svg.box(MARGIN, foot, width, 62, "bus", "bus-edge"),
        svg.text(MARGIN + width / 2, foot + 27, scene.broker, 15, kind="bold"),
        svg.text(
            MARGIN + width / 2, foot + 47, "message broker: events, commands and replies", 12, kind="soft"
        ),
    ]
    return parts
