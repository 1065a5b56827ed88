"""The system from inside: services with their databases, who asks whom, and the broker that all share.

A grid, so that there is always a way around: rows of services; above each row a channel in which calls
run; below it a rail to the broker, which every service speaks to; between columns gutters for what
changes rows. Arrows keep to channels and gutters, so none crosses a box.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from archgen.diagrams import svg
from archgen.diagrams.scene import Call, Container, Scene

BOX_W, BOX_H = 224.0, 150.0
TRACK = 24.0  # between two calls that run beside each other
MARGIN, HEAD = 40.0, 150.0
RAIL = 54.0  # from a box down to its rail, and a little below
GUTTER = 48.0


@dataclass(frozen=True)
class _Grid:
    """Where the boxes are. `channels` holds how many calls run above each row."""

    columns: int
    channels: tuple[int, ...]
    gutter: float

    @property
    def left(self) -> float:
        return MARGIN + 30 + self.gutter

    def x(self, index: int) -> float:
        return self.left + (index % self.columns) * (BOX_W + self.gutter)

    def row_top(self, row: int) -> float:
        """The upper edge of the channel above the row."""
        return HEAD + sum(self._height(each) for each in range(row))

    def y(self, index: int) -> float:
        row = index // self.columns
        return self.row_top(row) + self._channel(row)

    def _channel(self, row: int) -> float:
        return 26 + TRACK * self.channels[row]

    def _height(self, row: int) -> float:
        return self._channel(row) + BOX_H + RAIL

    @property
    def bottom(self) -> float:
        return self.row_top(len(self.channels))

    @property
    def right(self) -> float:
        return self.left + self.columns * (BOX_W + self.gutter)


def containers_svg(scene: Scene) -> str:
    """C4 level 2."""
    count = len(scene.containers)
    columns = max(1, min(4, math.ceil(math.sqrt(count)) if count > 4 else count))
    rows = max(1, math.ceil(count / columns))
    index = {one.id: n for n, one in enumerate(scene.containers)}
    calls = [call for call in scene.calls if call.source in index and call.target in index]
    channels = [0] * rows
    for call in calls:
        for row in {index[call.source] // columns, index[call.target] // columns}:
            channels[row] += 1
    # Every call that changes rows gets a lane of its own in a gutter.
    lanes = sum(index[c.source] // columns != index[c.target] // columns for c in calls)
    grid = _Grid(columns, tuple(channels), GUTTER + 10 * lanes)
    parts = [*_frame(scene, grid)]
    parts += [part for n, one in enumerate(scene.containers) for part in _service(one, grid.x(n), grid.y(n))]
    parts += _broker(scene, grid, count)
    parts += _calls(calls, index, grid)
    return svg.document(
        _width(grid), grid.bottom + 130, f"{scene.title}: services, databases and broker", parts
    )


def _width(grid: _Grid) -> float:
    return max(grid.right + MARGIN, 560.0)


def _frame(scene: Scene, grid: _Grid) -> list[str]:
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


def _broker(scene: Scene, grid: _Grid, count: int) -> list[str]:
    """The rails below the rows, the trunk at the left that joins them, and the broker."""
    trunk, parts = MARGIN + 14, []
    foot = grid.bottom + 20
    for row in range(len(grid.channels)):
        inside = [n for n in range(count) if n // grid.columns == row]
        if not inside:
            continue
        rail = grid.y(inside[0]) + BOX_H + 30
        last = grid.x(inside[-1]) + BOX_W / 2
        parts.append(svg.path([(last, rail), (trunk, rail), (trunk, foot)], "bus-edge", arrow=False))
        for n in inside:
            at = grid.x(n) + BOX_W / 2
            parts.append(svg.path([(at, rail), (at, rail - 28)], "bus-edge"))
    width = _width(grid) - 2 * MARGIN
    parts += [
        svg.box(MARGIN, foot, width, 62, "bus", "bus-edge"),
        svg.text(MARGIN + width / 2, foot + 27, scene.broker, 15, kind="bold"),
        svg.text(
            MARGIN + width / 2, foot + 47, "message broker: events, commands and replies", 12, kind="soft"
        ),
    ]
    return parts


def _calls(calls: list[Call], index: dict[str, int], grid: _Grid) -> list[str]:
    lines, labels = [], []
    used = [0] * len(grid.channels)
    ports: dict[int, int] = {}
    lane = 0
    for call in calls:
        source, target = index[call.source], index[call.target]
        rows = source // grid.columns, target // grid.columns
        start, end = _port(source, ports, grid), _port(target, ports, grid)
        first = _track(rows[0], used, grid)
        points = [(start, grid.y(source)), (start, first)]
        if rows[0] != rows[1]:
            # Down or up in the gutter left of the target.
            lane += 1
            gutter = grid.x(target) - 8 - 10 * lane
            second = _track(rows[1], used, grid)
            points += [(gutter, first), (gutter, second), (end, second)]
        else:
            points.append((end, first))
        lines.append(svg.path([*points, (end, grid.y(target))], "edge"))
        label = svg.wrap(call.label, 11, BOX_W, 1)[0]
        side = 1 if points[2][0] >= start else -1
        anchor = "start" if side > 0 else "end"
        labels.append(svg.text(start + 6 * side, first - 5, label, 11, anchor, "soft halo"))
    return lines + labels


def _track(row: int, used: list[int], grid: _Grid) -> float:
    used[row] += 1
    return grid.row_top(row) + 8 + TRACK * used[row] - 4


def _port(box: int, ports: dict[int, int], grid: _Grid) -> float:
    """Where on a box's upper edge the next call touches it: from the middle outwards, in turns."""
    count = ports[box] = ports.get(box, 0) + 1
    return grid.x(box) + BOX_W / 2 + 16 * (count // 2) * (1 if count % 2 else -1)
