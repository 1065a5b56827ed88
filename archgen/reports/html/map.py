"""The map: services in a grid, who waits for whom as arrows, and the rail of messages below them."""

from __future__ import annotations

from collections import Counter

from archgen.checklist import Audit
from archgen.drawing import svg
from archgen.drawing.grid import Link, arrange, rails, routes
from archgen.evidence.facts import Service
from archgen.rules.model import Severity

WIDTH, HEIGHT, MARGIN = 210.0, 100.0, 20.0
_MOST = 60
_ENGINES = {"postgresql": "PostgreSQL", "postgres": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite"}


def draw(audit: Audit) -> str:
    """An SVG element for a page that has its colours; "" for no services, or too many to see."""
    if not 0 < len(audit.services) <= _MOST:
        return ""
    services = _callers_first(audit)
    index = {service.name: number for number, service in enumerate(services)}
    links = [
        Link(index[edge.source], index[edge.target], "")
        for edge in audit.edges
        if edge.kind == "sync" and edge.source in index and edge.target in index
    ]
    members = {index[name] for name in talkers(audit) if name in index}
    grid = arrange(
        len(services), links, width=WIDTH, height=HEIGHT, margin=MARGIN, head=8, rail=54 if members else 26
    )
    foot = grid.bottom + 12
    parts = [part for n, one in enumerate(services) for part in _service(audit, one, grid.x(n), grid.y(n))]
    if members:
        width = grid.right - 2 * MARGIN
        parts += [
            *rails(grid, members, foot),
            svg.box(MARGIN, foot, width, 40, "bus", "bus-edge"),
            svg.text(MARGIN + width / 2, foot + 25, "messages", 13, kind="bold"),
        ]
    parts += routes(links, grid)
    height = foot + (52 if members else 0)
    label = f"{len(services)} services, {len(links)} calls, {len(members)} services with messages"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{grid.right:g}" height="{height:g}" '
        f'viewBox="0 0 {grid.right:g} {height:g}" role="img" aria-label="{label}">'
        + svg.tips()
        + "\n".join(parts)
        + "</svg>"
    )


def talkers(audit: Audit) -> set[str]:
    """The services that send or receive messages."""
    ends = (name for edge in audit.edges if edge.kind == "async" for name in (edge.source, edge.target))
    return {*audit.speakers, *ends}


def _callers_first(audit: Audit) -> list[Service]:
    """The services by how many calls lead to them in a row, so that most arrows point down."""
    callers: dict[str, set[str]] = {}
    for edge in audit.edges:
        if edge.kind == "sync":
            callers.setdefault(edge.target, set()).add(edge.source)

    def depth(name: str, above: frozenset[str]) -> int:
        over = callers.get(name, set()) - above
        return max((1 + depth(one, above | {name}) for one in over), default=0) if len(above) < 6 else 0

    return sorted(audit.services, key=lambda one: (depth(one.name, frozenset({one.name})), one.name))


def _service(audit: Audit, one: Service, x: float, y: float) -> list[str]:
    middle = x + WIDTH / 2
    found = Counter(
        finding.severity
        for finding in audit.findings
        if finding.file.startswith(one.folder + "/") and one.folder
    )
    kind = audit.stores.get(one.name, "")
    about = " · ".join(filter(None, (one.language, _ENGINES.get(kind.lower(), kind))))
    title = svg.wrap(one.name, 14 * svg.BOLD, WIDTH - 20, 2)
    below = y + 10 + 18 * len(title)
    parts = [
        svg.box(x, y, WIDTH, HEIGHT, "box", "edge"),
        *svg.block(middle, y + 26, title, 14, "bold"),
        *svg.block(middle, below + 18, svg.wrap(about, 12, WIDTH - 20, 1), 12, "soft"),
    ]
    told = [
        f"{found[severity]} {severity}{'' if found[severity] == 1 else 's'}"
        for severity in (Severity.ERROR, Severity.WARNING)
        if found[severity]
    ]
    if told:
        tone = "bad" if found[Severity.ERROR] else "soft"
        parts.append(svg.text(middle, below + 40, ", ".join(told), 12, kind=f"bold {tone}"))
    return parts
