"""Boxes in a grid with arrows between them, so that there is always a way around.

Rows of boxes; above each row a channel in which arrows run; below it a rail to what all share; between
columns gutters for what changes rows. Arrows keep to channels and gutters, so none crosses a box.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from archgen.drawing import svg

TRACK = 24.0  # between two arrows that run beside each other
GUTTER = 48.0


@dataclass(frozen=True)
class Link:
    """An arrow from one box to another, by their numbers."""

    source: int
    target: int
    label: str


@dataclass(frozen=True)
class Grid:
    """Where `count` boxes of `width` and `height` are. `channels` holds how many arrows run above each row.

    `rail` is the room below a box: down to its rail, and a little more.
    """

    count: int
    columns: int
    channels: tuple[int, ...]
    gutter: float
    width: float
    height: float
    margin: float
    head: float
    rail: float

    @property
    def left(self) -> float:
        return self.margin + 30 + self.gutter

    def x(self, index: int) -> float:
        return self.left + (index % self.columns) * (self.width + self.gutter)

    def row_top(self, row: int) -> float:
        """The upper edge of the channel above the row."""
        return self.head + sum(self._row_height(each) for each in range(row))

    def y(self, index: int) -> float:
        row = index // self.columns
        return self.row_top(row) + self._channel(row)

    def _channel(self, row: int) -> float:
        return 26 + TRACK * self.channels[row]

    def _row_height(self, row: int) -> float:
        return self._channel(row) + self.height + self.rail

    @property
    def bottom(self) -> float:
        return self.row_top(len(self.channels))

    @property
    def right(self) -> float:
        return self.left + self.columns * (self.width + self.gutter)


def arrange(
    count: int,
    links: Sequence[Link],
    *,
    width: float,
    height: float,
    margin: float,
    head: float,
    rail: float = 54.0,
    most_columns: int = 4,
) -> Grid:
    """A grid with room for the links."""
    columns = max(1, min(most_columns, math.ceil(math.sqrt(count)) if count > 4 else count))
    rows = max(1, math.ceil(count / columns))
    channels = [0] * rows
    for link in links:
        for row in {link.source // columns, link.target // columns}:
            channels[row] += 1
    # Every arrow that changes rows gets a lane of its own in a gutter.
    lanes = sum(link.source // columns != link.target // columns for link in links)
    return Grid(count, columns, tuple(channels), GUTTER + 10 * lanes, width, height, margin, head, rail)


def rails(grid: Grid, members: Collection[int], foot: float) -> list[str]:
    """The rails below the rows, an arrow up to each member, and the trunk at the left that joins them."""
    trunk, parts = grid.margin + 14, []
    for row in range(len(grid.channels)):
        inside = [n for n in sorted(members) if n // grid.columns == row]
        if not inside:
            continue
        rail = grid.y(inside[0]) + grid.height + 30
        last = grid.x(inside[-1]) + grid.width / 2
        parts.append(svg.path([(last, rail), (trunk, rail), (trunk, foot)], "bus-edge", arrow=False))
        for n in inside:
            at = grid.x(n) + grid.width / 2
            parts.append(svg.path([(at, rail), (at, rail - 28)], "bus-edge"))
    return parts


def routes(links: Sequence[Link], grid: Grid) -> list[str]:
    """The arrows, each on a track of its own, with their labels on top of all of them."""
    lines, labels = [], []
    used = [0] * len(grid.channels)
    ports = _Ports(links, grid)
    lane = 0
    for link in links:
        rows = link.source // grid.columns, link.target // grid.columns
        start, end = ports.next(link.source), ports.next(link.target)
        first = _track(rows[0], used, grid)
        points = [(start, grid.y(link.source)), (start, first)]
        if rows[0] != rows[1]:
            # Down or up in the gutter left of the target.
            lane += 1
            gutter = grid.x(link.target) - 8 - 10 * lane
            second = _track(rows[1], used, grid)
            points += [(gutter, first), (gutter, second), (end, second)]
        else:
            points.append((end, first))
        lines.append(svg.path([*points, (end, grid.y(link.target))], "edge"))
        label = next(iter(svg.wrap(link.label, 11, grid.width, 1)), "")
        side = 1 if points[2][0] >= start else -1
        anchor = "start" if side > 0 else "end"
        labels.append(svg.text(start + 6 * side, first - 5, label, 11, anchor, "soft halo"))
    return lines + labels


def _track(row: int, used: list[int], grid: Grid) -> float:
    used[row] += 1
    return grid.row_top(row) + 8 + TRACK * used[row] - 4


class _Ports:
    """Where on a box's upper edge the next arrow touches it: from the middle outwards, in turns."""

    def __init__(self, links: Sequence[Link], grid: Grid) -> None:
        ends = Counter(end for link in links for end in (link.source, link.target))
        # where many arrows touch one box they stand closer
        self._step = {box: min(16.0, (grid.width - 16) / (count + 1)) for box, count in ends.items()}
        self._grid = grid
        self._used: Counter[int] = Counter()

    def next(self, box: int) -> float:
        self._used[box] += 1
        count = self._used[box]
        middle = self._grid.x(box) + self._grid.width / 2
        return middle + self._step[box] * (count // 2) * (1 if count % 2 else -1)
