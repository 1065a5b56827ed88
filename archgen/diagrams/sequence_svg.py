"""A saga's conversations as SVG, one below the other, time running downwards."""

from __future__ import annotations

from archgen.diagrams.sequence import Part, Say, Sequence
from archgen.drawing import svg

HEAD, STEP, MARGIN = 58.0, 40.0, 32.0
ACTOR = 132.0
SIZE = 12.0
_EDGES = {"do": "edge", "answer": "line", "undo": "bad", "refuse": "bad"}


def sequence_svg(sequence: Sequence) -> str:
    """The picture of one saga."""
    places = _places(sequence)
    width = max(places.values(), default=0) + ACTOR / 2 + _beyond(sequence) + MARGIN
    title = svg.wrap(f"Saga {sequence.title} ({sequence.style})", 16, max(width, 420) - 2 * MARGIN, 2)
    width = max(width, 420.0)
    parts = [svg.text(MARGIN, 34 + 21 * n, line, 16, "start", "bold") for n, line in enumerate(title)]
    y = 44.0 + 21 * (len(title) - 1)
    for part in sequence.parts:
        drawn, y = _part(part, sequence, places, y + 14, width)
        parts += drawn
    return svg.document(width, y + 20, f"Saga {sequence.title}", parts)


def _places(sequence: Sequence) -> dict[str, float]:
    """The middle of each actor, far enough apart for what neighbours say to each other."""
    ids = [id for id, _ in sequence.actors]
    gaps = [ACTOR + 24.0] * max(0, len(ids) - 1)
    lines = [line for part in sequence.parts for line in part.lines]
    # The widest text over one gap first; over several gaps it may use them all.
    for line in sorted(lines, key=lambda line: _span(line, ids)):
        low, high = sorted((ids.index(line.source), ids.index(line.target)))
        room = svg.width(line.text, SIZE) + 36
        if low == high:
            if high < len(gaps):
                gaps[high] = max(gaps[high], room + 30)
            continue
        missing = room - sum(gaps[low:high])
        for n in range(low, high):
            gaps[n] += max(0.0, missing) / (high - low)
    places, x = {}, MARGIN + ACTOR / 2
    for id, gap in zip(ids, [*gaps, 0.0], strict=True):
        places[id] = x
        x += gap
    return places


def _span(line: Say, ids: list[str]) -> int:
    return abs(ids.index(line.source) - ids.index(line.target))


def _beyond(sequence: Sequence) -> float:
    """How far what the last actor says to itself reaches to the right of it."""
    last = sequence.actors[-1][0] if sequence.actors else ""
    own = [line.text for part in sequence.parts for line in part.lines if line.source == line.target == last]
    return max((svg.width(text, SIZE) + 40 - ACTOR / 2 for text in own), default=0.0)


def _part(
    part: Part, sequence: Sequence, places: dict[str, float], y: float, width: float
) -> tuple[list[str], float]:
    used = {one for line in part.lines for one in (line.source, line.target)}
    actors = [(id, name) for id, name in sequence.actors if id in used]
    title = svg.wrap(part.title, 13, width - 2 * MARGIN, 2)
    drawn = [
        svg.text(MARGIN, y + 16 + 17 * n, line, 13, "start", "soft bold") for n, line in enumerate(title)
    ]
    top = y + 28 + 17 * (len(title) - 1)
    bottom = top + HEAD + STEP * len(part.lines) + 18
    for id, name in actors:
        drawn.append(
            svg.path([(places[id], top + HEAD - 8), (places[id], bottom)], "frame", arrow=False, dash=True)
        )
        drawn.append(svg.box(places[id] - ACTOR / 2, top, ACTOR, HEAD - 8, "box", "edge"))
        lines = svg.wrap(name, 13 * svg.BOLD, ACTOR - 14, 2)
        drawn += svg.block(places[id], top + (30 if len(lines) == 1 else 21), lines, 13, "bold")
    arrows, labels = [], []
    for number, line in enumerate(part.lines, start=1):
        at = top + HEAD + STEP * number
        arrow, label = _line(line, places, at)
        arrows.append(arrow)
        labels.append(label)
    return [*drawn, *arrows, *labels], bottom + 8


def _line(line: Say, places: dict[str, float], y: float) -> tuple[str, str]:
    start, end = places[line.source], places[line.target]
    edge, kind = _EDGES[line.kind], "bad halo" if line.kind in ("undo", "refuse") else "halo"
    answers = line.kind in ("answer", "refuse")
    if start == end:
        loop = svg.path(
            [(start, y - 14), (start + 22, y - 14), (start + 22, y), (start + 2, y)], edge, dash=answers
        )
        return loop, svg.text(start + 30, y - 3, line.text, SIZE, "start", kind)
    tip = end - 2 if end > start else end + 2
    return svg.path([(start, y), (tip, y)], edge, dash=answers), svg.text(
        (start + end) / 2, y - 6, line.text, SIZE, kind=kind
    )
